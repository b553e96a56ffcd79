import type { BookedParcel, Delivery, DeliveryBook } from './delivery-book.ts';
import { restOf } from './delivery-book.ts';
import { nextParcels, type ParcelRates } from './parcel-plan.ts';
import type { ReportOutbox } from './report-outbox.ts';

/** What the people of the warehouse do by themselves, each after the step before; null: only when told to. */
export interface WmsLife extends ParcelRates {
  pickAfterMs: number | null;
  packAfterMs: number | null;
  shipAfterMs: number | null;
  /** Of which steps the merchant is told. */
  progress: readonly ('PICK' | 'PACKAGE')[];
}

export const DEFAULT_LIFE: WmsLife = {
  pickAfterMs: 2000,
  packAfterMs: 2000,
  shipAfterMs: 2000,
  splitRate: 0,
  partRate: 0,
  progress: ['PACKAGE'],
};

/** Moves deliveries on in their own time. */
export class DeliveryLife {
  readonly #book: DeliveryBook;
  readonly #outbox: ReportOutbox;
  readonly #life: WmsLife;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(book: DeliveryBook, outbox: ReportOutbox, life: WmsLife) {
    this.#book = book;
    this.#outbox = outbox;
    this.#life = life;
  }

  /** Goes on where the last process stopped. */
  resume(): void {
    for (const { code } of this.#book.deliveries) {
      this.schedule(code);
      this.#outbox.push(code);
    }
  }

  schedule(code: string): void {
    clearTimeout(this.#timers.get(code));
    this.#timers.delete(code);
    const delivery = this.#book.find(code);
    const afterMs = delivery && this.#afterMs(delivery);
    if (!delivery || afterMs === null || afterMs === undefined) return;
    const timer = setTimeout(() => this.#next(code), Math.max(0, delivery.movedAt + afterMs - Date.now()));
    this.#timers.set(code, timer);
  }

  pick(code: string): void {
    this.#move(code, 'picking', 'PICK');
  }

  pack(code: string): void {
    this.#move(code, 'packed', 'PACKAGE');
  }

  /** The next parcels by plan, or these. A number makes it the same report as one of that number. */
  ship(code: string, given: { parcels?: BookedParcel[]; isFinal?: boolean; number?: string } = {}): void {
    const delivery = this.#book.find(code);
    if (!delivery) return;
    const rest = restOf(delivery);
    // Killed after it had said that all has left.
    if (rest.length === 0 && !given.parcels) return this.#book.move(code, 'shipped');
    const planned = nextParcels(delivery, rest, this.#life);
    const parcels = given.parcels ?? planned.parcels;
    const isFinal = given.isFinal ?? planned.isFinal;
    const confirms = delivery.reports.filter(({ content }) => content.kind === 'confirm').length;
    this.#book.say(code, given.number ?? `${code}-C${confirms + 1}`, { kind: 'confirm', parcels, isFinal });
    this.#book.move(code, isFinal ? 'shipped' : 'part_shipped');
    this.#outbox.push(code);
    this.schedule(code);
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #afterMs({ state }: Delivery): number | null {
    const { pickAfterMs, packAfterMs, shipAfterMs } = this.#life;
    switch (state) {
      case 'new':
        return pickAfterMs;
      case 'picking':
        return packAfterMs;
      case 'packed':
      case 'part_shipped':
        return shipAfterMs;
      case 'shipped':
      case 'stopped':
        return null;
    }
  }

  #next(code: string): void {
    const state = this.#book.find(code)?.state;
    if (state === 'new') this.pick(code);
    else if (state === 'picking') this.pack(code);
    else if (state === 'packed' || state === 'part_shipped') this.ship(code);
  }

  #move(code: string, state: 'picking' | 'packed', status: 'PICK' | 'PACKAGE'): void {
    // The word first: a process killed in between says it again, under the same number.
    if (this.#life.progress.includes(status)) this.#say(code, status);
    this.#book.move(code, state);
    this.#outbox.push(code);
    this.schedule(code);
  }

  #say(code: string, status: string): void {
    const number = `${code}-P${status}`;
    if (this.#book.find(code)?.reports.some((report) => report.number === number)) return;
    this.#book.say(code, number, { kind: 'progress', status });
  }
}
