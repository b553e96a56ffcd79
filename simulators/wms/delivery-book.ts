import { openJournal, type Journal } from '../journal.ts';

export type DeliveryState = 'new' | 'picking' | 'packed' | 'part_shipped' | 'shipped' | 'stopped';

export interface BookedLine {
  lineNo: string;
  itemCode: string;
  quantity: number;
}

export interface BookedParcel {
  logisticsCode: string;
  expressCode: string;
  items: BookedLine[];
}

/** What the warehouse has to say of a delivery; `number` is its own and stays the same, however often it is sent. */
export type ReportContent =
  { kind: 'progress'; status: string } | { kind: 'confirm'; parcels: BookedParcel[]; isFinal: boolean };

export interface BookedReport {
  number: string;
  at: number;
  content: ReportContent;
  /** How each sending was answered: `success`, what the failure said, or `no answer`. */
  answers: string[];
  isDone: boolean;
}

export interface Delivery {
  code: string;
  warehouseId: string;
  createdAt: number;
  movedAt: number;
  state: DeliveryState;
  lines: BookedLine[];
  logisticsCode: string;
  receiver: Record<string, string>;
  /** How often it was asked for, the first included. */
  creates: number;
  /** How each wish to stop it was answered. */
  stops: ('stopped' | 'refused')[];
  reports: BookedReport[];
}

type NewDelivery = Pick<Delivery, 'code' | 'warehouseId' | 'lines' | 'logisticsCode' | 'receiver'>;

type BookRecord =
  | { type: 'created'; at: number; delivery: NewDelivery }
  | { type: 'createdAgain'; code: string }
  | { type: 'moved'; at: number; code: string; state: DeliveryState }
  | { type: 'stopAsked'; code: string; answer: 'stopped' | 'refused' }
  | { type: 'said'; at: number; code: string; number: string; content: ReportContent }
  | { type: 'answered'; code: string; number: string; answer: string };

/** What the warehouse knows; everything is written down before anybody is told, so that a killed process goes on. */
export class DeliveryBook {
  readonly #deliveries = new Map<string, Delivery>();
  readonly #journal: Journal<BookRecord>;

  constructor(journalFile?: string) {
    this.#journal = openJournal<BookRecord>(journalFile, (record) => this.#apply(record));
  }

  get deliveries(): Iterable<Delivery> {
    return this.#deliveries.values();
  }

  find(code: string): Delivery | undefined {
    return this.#deliveries.get(code);
  }

  create(delivery: NewDelivery): void {
    this.#write({ type: 'created', at: Date.now(), delivery });
  }

  createAgain(code: string): void {
    this.#write({ type: 'createdAgain', code });
  }

  move(code: string, state: DeliveryState): void {
    this.#write({ type: 'moved', at: Date.now(), code, state });
  }

  stopAsked(code: string, answer: 'stopped' | 'refused'): void {
    this.#write({ type: 'stopAsked', code, answer });
  }

  say(code: string, number: string, content: ReportContent): void {
    this.#write({ type: 'said', at: Date.now(), code, number, content });
  }

  answered(code: string, number: string, answer: string): void {
    this.#write({ type: 'answered', code, number, answer });
  }

  close(): void {
    this.#journal.close();
  }

  #write(record: BookRecord): void {
    this.#journal.append([record]);
    this.#apply(record);
  }

  #apply(record: BookRecord): void {
    if (record.type === 'created') {
      const { at, delivery } = record;
      const fresh = { createdAt: at, movedAt: at, state: 'new' as const, creates: 1, stops: [], reports: [] };
      this.#deliveries.set(delivery.code, { ...delivery, ...fresh });
      return;
    }
    const delivery = this.#deliveries.get(record.code);
    if (!delivery) return;
    switch (record.type) {
      case 'createdAgain':
        delivery.creates += 1;
        return;
      case 'moved':
        delivery.state = record.state;
        delivery.movedAt = record.at;
        return;
      case 'stopAsked':
        delivery.stops.push(record.answer);
        return;
      case 'said': {
        const { at, number, content } = record;
        delivery.reports.push({ number, at, content, answers: [], isDone: false });
        return;
      }
      case 'answered': {
        const report = delivery.reports.find(({ number }) => number === record.number);
        report?.answers.push(record.answer);
        if (report && record.answer === 'success') report.isDone = true;
      }
    }
  }
}

/** Units that have not left, per line. */
export const restOf = ({ lines, reports }: Delivery): BookedLine[] => {
  const left = new Map(lines.map((line) => [line.lineNo, line.quantity]));
  for (const { content } of reports)
    if (content.kind === 'confirm')
      for (const { lineNo, quantity } of content.parcels.flatMap(({ items }) => items))
        left.set(lineNo, (left.get(lineNo) ?? 0) - quantity);
  return lines.flatMap((line) => {
    const quantity = left.get(line.lineNo) ?? 0;
    return quantity > 0 ? [{ ...line, quantity }] : [];
  });
};
