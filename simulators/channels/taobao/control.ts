import type { CallBook, CallRecord } from './call-book.ts';
import type { CallLimits } from './call-limits.ts';
import type { Fault, FaultInput, Faults } from './faults.ts';
import type { Movement, MovingRows } from './moving-rows.ts';
import type { TradeInput } from './new-trade.ts';
import type { Platform } from './platform.ts';
import { oaidOf, otherReceiver, someReceiver, type ReceiverInput } from './receivers.ts';
import type { RawFields, Receiver, Trade } from './trade.ts';
import * as changes from './trade-changes.ts';

export interface BulkInput extends TradeInput {
  count: number;
  /** Spread evenly over this time, both ends RFC 3339; without it all change now. */
  spread?: { from: string; to: string } | undefined;
}

/** A trade with all that the platform knows of it; times RFC 3339, the receiver in clear. */
export interface TradeEntry {
  tid: string;
  seller: string;
  status: string;
  stepStatus: string | null;
  created: string;
  modified: string;
  payTime: string | null;
  endTime: string | null;
  payment: number;
  memo: string;
  flag: number;
  oaid: string;
  receiver: Receiver;
  lines: { oid: string; num: number; status: string; refundStatus: string; outSid: string | null }[];
  consigns: Trade['consigns'];
}

export interface Books {
  trades: TradeEntry[];
  calls: Record<string, Record<string, number>>;
  messagesWaiting: number;
  touched: number;
}

interface Parts {
  platform: Platform;
  faults: Faults;
  limits: CallLimits;
  calls: CallBook;
  moving: MovingRows;
}

/** What tests and the demo steer the platform with, in process or over `/_control`. */
export class TaobaoControl {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  createTrade(input: TradeInput = {}): TradeEntry {
    return toEntry(this.#parts.platform.create([input])[0] as Trade);
  }

  /** Returns the ids. */
  createTrades({ count, spread, ...input }: BulkInput): string[] {
    const times = spread && { from: Date.parse(spread.from), to: Date.parse(spread.to) };
    const inputs = Array.from({ length: count }, (_, index) => {
      if (!times) return input;
      const at = new Date(times.from + ((times.to - times.from) * index) / Math.max(1, count - 1)).toISOString();
      return { created: at, ...input, modified: at };
    });
    return this.#parts.platform.create(inputs).map(({ tid }) => tid);
  }

  pay = (tid: string): TradeEntry => this.#change(tid, changes.pay);
  close = (tid: string): TradeEntry => this.#change(tid, changes.close);
  finish = (tid: string): TradeEntry => this.#change(tid, changes.finish);
  lock = (tid: string): TradeEntry => this.#change(tid, changes.lock);
  unlock = (tid: string): TradeEntry => this.#change(tid, changes.unlock);

  setStatus(tid: string, status: string): TradeEntry {
    return this.#change(tid, (trade) => changes.setStatus(trade, status));
  }

  /** What the platform says of the trade, whatever it is; nothing given, it answers rightly again. */
  setRaw(tid: string, raw: RawFields = {}): TradeEntry {
    return this.#change(tid, () => changes.setRaw(raw));
  }

  /** Of all lines; `SUCCESS` unless told otherwise, so that the trade closes. */
  refund(tid: string, status = 'SUCCESS'): TradeEntry {
    return this.#change(tid, (trade, at) => changes.refund(trade, at, { status }));
  }

  refundLine(tid: string, oid: string, status: string): TradeEntry {
    return this.#change(tid, (trade, at) => changes.refund(trade, at, { oid, status }));
  }

  /** What is not said of the new receiver stays; nothing said, somebody else somewhere else. */
  changeAddress(tid: string, receiver: ReceiverInput = {}): TradeEntry {
    const isOther = Object.keys(receiver).length === 0;
    return this.#change(tid, (trade) =>
      changes.changeAddress(isOther ? someReceiver(Math.random) : otherReceiver(trade.receiver, receiver)),
    );
  }

  /** Moves `modified` on and nothing that an order is made of; of some trades by chance, or of those that are named. */
  touch(count: number, tids?: readonly string[]): string[] {
    return this.#parts.moving.touch(count, tids);
  }

  startMoving(movement: Movement): void {
    this.#parts.moving.start(movement);
  }

  stopMoving(): void {
    this.#parts.moving.stop();
  }

  addFault(input: FaultInput): Fault {
    return this.#parts.faults.add(input);
  }

  faults(): readonly Fault[] {
    return this.#parts.faults.all();
  }

  /** One by its id, or all of them; then bans that throttling left behind are lifted as well. */
  clearFaults(id?: number): void {
    this.#parts.faults.clear(id);
    if (id === undefined) this.#parts.limits.lift();
  }

  trade(tid: string): TradeEntry | undefined {
    const trade = this.#parts.platform.trades.find(tid);
    return trade && toEntry(trade);
  }

  books(seller?: string): Books {
    const trades = [...this.#parts.platform.trades.all()].filter((trade) => (seller ?? trade.seller) === trade.seller);
    return {
      trades: trades.map(toEntry),
      calls: this.#parts.calls.byMethod(),
      messagesWaiting: this.#parts.platform.messages.size,
      touched: this.#parts.moving.touched,
    };
  }

  calls(): { byMethod: Record<string, Record<string, number>>; recent: readonly CallRecord[] } {
    return { byMethod: this.#parts.calls.byMethod(), recent: this.#parts.calls.recent() };
  }

  #change(tid: string, decide: (trade: Trade, at: number) => changes.TradeChange): TradeEntry {
    return toEntry(this.#parts.platform.change(tid, decide));
  }
}

const instant = (at: number): string => new Date(at).toISOString();
const maybe = (at: number | undefined): string | null => (at === undefined ? null : instant(at));

const toEntry = (trade: Trade): TradeEntry => ({
  tid: trade.tid,
  seller: trade.seller,
  status: trade.status,
  stepStatus: trade.stepStatus ?? null,
  created: instant(trade.created),
  modified: instant(trade.modified),
  payTime: maybe(trade.payTime),
  endTime: maybe(trade.endTime),
  payment: trade.payment,
  memo: trade.memo,
  flag: trade.flag,
  oaid: oaidOf(trade),
  receiver: trade.receiver,
  lines: trade.lines.map(({ oid, num, status, refundStatus, outSid }) => ({
    oid,
    num,
    status,
    refundStatus,
    outSid: outSid ?? null,
  })),
  consigns: trade.consigns,
});
