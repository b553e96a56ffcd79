import type { Trade } from './trade.ts';

/** All trades of all sellers, with an order by time kept for each so that a page is cut out without a search. */
export class TradeBook {
  readonly #trades = new Map<string, Trade>();
  readonly #byModified = new Map<string, Ordered>();
  readonly #byCreated = new Map<string, Ordered>();

  get size(): number {
    return this.#trades.size;
  }

  all(): Iterable<Trade> {
    return this.#trades.values();
  }

  find(tid: string): Trade | undefined {
    return this.#trades.get(tid);
  }

  add(trade: Trade): void {
    this.#trades.set(trade.tid, trade);
    for (const [orders, key] of [[this.#byModified, 'modified'] as const, [this.#byCreated, 'created'] as const]) {
      const ordered = orders.get(trade.seller) ?? { trades: [], key, isSorted: true };
      orders.set(trade.seller, ordered);
      ordered.trades.push(trade);
      ordered.isSorted = false;
    }
  }

  /** Changes the trade in place. */
  patch(tid: string, changes: Partial<Trade>): void {
    const trade = this.#trades.get(tid);
    if (!trade) return;
    Object.assign(trade, changes);
    const ordered = this.#byModified.get(trade.seller);
    if (ordered) ordered.isSorted = false;
  }

  /** Latest first, both ends included, as the platform lists changed trades. */
  changed(seller: string, from: number, to: number): Trade[] {
    return within(this.#byModified.get(seller), from, to);
  }

  /** Latest first, both ends included. */
  created(seller: string, from: number, to: number): Trade[] {
    return within(this.#byCreated.get(seller), from, to);
  }
}

interface Ordered {
  trades: Trade[];
  key: 'modified' | 'created';
  isSorted: boolean;
}

const within = (ordered: Ordered | undefined, from: number, to: number): Trade[] => {
  if (!ordered) return [];
  const { trades, key } = ordered;
  if (!ordered.isSorted) trades.sort((a, b) => b[key] - a[key] || (a.tid < b.tid ? 1 : -1));
  ordered.isSorted = true;
  return trades.slice(
    firstWhere(trades, (trade) => trade[key] <= to),
    firstWhere(trades, (trade) => trade[key] < from),
  );
};

/** For a condition that holds from some place on to the end. */
const firstWhere = (trades: readonly Trade[], holds: (trade: Trade) => boolean): number => {
  let low = 0;
  let high = trades.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(trades[middle] as Trade)) high = middle;
    else low = middle + 1;
  }
  return low;
};
