import type { BookedParcel, Delivery, DeliveryBook } from './delivery-book.ts';
import type { DeliveryLife } from './delivery-life.ts';
import type { ReportOutbox } from './report-outbox.ts';
import { FAULT_KINDS, type FaultInput, type WmsFaults } from './wms-faults.ts';

export interface WmsCall {
  at: number;
  method: string;
  code: string;
  /** `success`, the code of a failure, or the fault that struck. */
  outcome: string;
}

export interface WmsTotals {
  deliveries: number;
  creates: number;
  stops: number;
  refusedStops: number;
  reports: number;
  reportsTaken: number;
}

export interface WmsBooks {
  totals: WmsTotals;
  orders: Record<string, Delivery>;
}

export interface ControlAnswer {
  status: number;
  body: unknown;
}

const MOST_CALLS = 2000;

/** How tests and demos look into the warehouse and make it do things; in process, or as JSON under `/_control`. */
export class WmsControl {
  readonly #book: DeliveryBook;
  readonly #life: DeliveryLife;
  readonly #outbox: ReportOutbox;
  readonly faults: WmsFaults;
  readonly #calls: WmsCall[] = [];

  constructor(book: DeliveryBook, life: DeliveryLife, outbox: ReportOutbox, faults: WmsFaults) {
    this.#book = book;
    this.#life = life;
    this.#outbox = outbox;
    this.faults = faults;
  }

  /** The newest calls, oldest first. */
  get calls(): readonly WmsCall[] {
    return this.#calls;
  }

  note(call: WmsCall): void {
    this.#calls.push(call);
    if (this.#calls.length > MOST_CALLS) this.#calls.splice(0, MOST_CALLS / 2);
  }

  books(): WmsBooks {
    const orders = [...this.#book.deliveries];
    const sum = (of: (delivery: Delivery) => number) => orders.reduce((total, delivery) => total + of(delivery), 0);
    return {
      totals: {
        deliveries: orders.length,
        creates: sum(({ creates }) => creates),
        stops: sum(({ stops }) => stops.filter((answer) => answer === 'stopped').length),
        refusedStops: sum(({ stops }) => stops.filter((answer) => answer === 'refused').length),
        reports: sum(({ reports }) => reports.length),
        reportsTaken: sum(({ reports }) => reports.filter(({ isDone }) => isDone).length),
      },
      orders: Object.fromEntries(orders.map((delivery) => [delivery.code, delivery])),
    };
  }

  delivery(code: string): Delivery | undefined {
    return this.#book.find(code);
  }

  pick(code: string): void {
    this.#life.pick(code);
  }

  pack(code: string): void {
    this.#life.pack(code);
  }

  ship(code: string, given: { parcels?: BookedParcel[]; isFinal?: boolean; number?: string } = {}): void {
    this.#life.ship(code, given);
  }

  /** Sends the newest report, or that of the number, once more. */
  async repeat(code: string, number?: string): Promise<string> {
    const delivery = this.#book.find(code);
    const report = delivery?.reports.findLast((entry) => number === undefined || entry.number === number);
    return delivery && report ? this.#outbox.repeat(delivery, report) : 'there is no such report';
  }

  async serve(method: string, path: string, body: unknown): Promise<ControlAnswer> {
    const given = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    const [, what = '', code = '', action = ''] = path.split('/').map(decodeURIComponent);
    if (what === 'faults') return this.#serveFaults(method, given);
    if (what === 'books' && method === 'GET') return { status: 200, body: this.books() };
    if (what === 'totals' && method === 'GET') return { status: 200, body: this.books().totals };
    if (what === 'calls' && method === 'GET') return { status: 200, body: { calls: this.#calls } };
    if (what !== 'orders' || !this.#book.find(code)) return NOT_THERE;
    if (method === 'GET') return { status: 200, body: this.#book.find(code) };
    if (action === 'pick') this.pick(code);
    else if (action === 'pack') this.pack(code);
    else if (action === 'ship') this.ship(code, given);
    else if (action === 'repeat')
      return { status: 200, body: { answer: await this.repeat(code, given['number'] as string | undefined) } };
    else return NOT_THERE;
    return { status: 200, body: this.#book.find(code) };
  }

  #serveFaults(method: string, given: Record<string, unknown>): ControlAnswer {
    if (method === 'DELETE') this.faults.clear();
    else if (method === 'POST') {
      if (!(FAULT_KINDS as readonly unknown[]).includes(given['kind']))
        return { status: 400, body: { detail: `kind must be one of ${FAULT_KINDS.join(', ')}` } };
      return { status: 201, body: this.faults.add(given as unknown as FaultInput) };
    }
    return { status: 200, body: { faults: this.faults.list } };
  }
}

const NOT_THERE: ControlAnswer = { status: 404, body: { detail: 'there is nothing at this path' } };
