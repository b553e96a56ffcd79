import { isLineClosed, UNPAID_STATUSES, type Trade } from './trade.ts';
import { close, finish, pay, type TradeChange } from './trade-changes.ts';
import type { Platform } from './platform.ts';

/** How long buyers take; what is left out they do not do by themselves. Milliseconds. */
export interface BuyerLife {
  /** From ordering to paying; of a presale, to the deposit and again to the balance. */
  payAfterMs?: number | undefined;
  /** From the last parcel to confirming its receipt. */
  finishAfterMs?: number | undefined;
  /** From ordering, or from the deposit, to the platform's closing of what nobody paid. */
  closeUnpaidAfterMs?: number | undefined;
}

const TICK_MS = 250;

/** Lets time do what buyers and the platform would; ends with `stop`. */
export const startBuyers = (platform: Platform, life: BuyerLife): { stop(): void } => {
  const timer = setInterval(() => {
    const now = Date.now();
    for (const trade of platform.trades.all()) {
      const change = dueChange(trade, life, now);
      if (change) platform.change(trade.tid, change);
    }
  }, TICK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
};

const isOver = (since: number | undefined, afterMs: number | undefined, now: number): boolean =>
  since !== undefined && afterMs !== undefined && now - since >= afterMs;

const dueChange = (
  trade: Trade,
  life: BuyerLife,
  now: number,
): ((trade: Trade, at: number) => TradeChange) | undefined => {
  if (trade.isLeftAlone) return undefined;
  if (UNPAID_STATUSES.includes(trade.status)) {
    const since = trade.stepPayTime ?? trade.created;
    if (!trade.neverPays && isOver(since, life.payAfterMs, now)) return pay;
    return isOver(since, life.closeUnpaidAfterMs, now) ? close : undefined;
  }
  if (trade.status !== 'WAIT_BUYER_CONFIRM_GOODS' || trade.lines.some(hasOpenRefund)) return undefined;
  const lastParcel = Date.parse(trade.consigns.at(-1)?.at ?? '');
  return isOver(Number.isNaN(lastParcel) ? trade.consignTime : lastParcel, life.finishAfterMs, now)
    ? finish
    : undefined;
};

const hasOpenRefund = (line: Trade['lines'][number]): boolean =>
  !isLineClosed(line) && !['NO_REFUND', 'CLOSED', 'SUCCESS'].includes(line.refundStatus);
