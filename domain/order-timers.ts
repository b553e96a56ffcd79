import type { OrderState } from './order-model.ts';
import type { OrderFact } from './order-messages.ts';
import { mayComplete } from './platform-told.ts';
import { isCashOnDelivery, isFullyPaid, paidTotal, remainingLines } from './order-quantities.ts';

/** The version of the timers document that an order runs with, in milliseconds. */
export interface OrderTimers {
  paymentTimeoutMs: number;
  autoCompleteMs: number;
}

/** An unpaid order is never cancelled sooner than this after intake, however late it arrived. */
const LEAST_PAYMENT_WAIT_MS = 60_000;
/** A parcel that nobody sends or nobody reports is brought to attention this often. */
const SHIPMENT_REMINDER_MS = 3 * 86_400_000;
const DELIVERY_REMINDER_MS = 15 * 86_400_000;
/** The queue tells when it has filled an order; a lost word costs at most this. */
const BACKORDER_RECHECK_MS = 3_600_000;

export interface Deadline {
  at: number;
  fact: OrderFact;
}

/** Until when money is waited for; `null` when it is there, or when a person decides, as with cash on delivery. */
export const paymentDeadline = (state: OrderState, timers: OrderTimers): Deadline | null => {
  const { presale, placedAt, receivedAt, payments, platform, unmapped } = state.snapshot;
  // A platform ends its unpaid orders itself, by its own and longer times; ended here, each late payer were a case.
  if (isFullyPaid(state) || payments.some(isCashOnDelivery) || platform || unmapped !== undefined) return null;
  if (presale?.balanceDueAt !== undefined && paidTotal(state) >= presale.deposit)
    return { at: Date.parse(presale.balanceDueAt), fact: { type: 'balanceOverdue' } };
  const at = Math.max(Date.parse(placedAt) + timers.paymentTimeoutMs, Date.parse(receivedAt) + LEAST_PAYMENT_WAIT_MS);
  return { at, fact: { type: 'paymentTimeout' } };
};

/** When the present wait ends by itself and what that means; `since` is when the present stage began. */
export const stageDeadline = (state: OrderState, timers: OrderTimers, since: number): Deadline => {
  const payment = paymentDeadline(state, timers);
  if (payment) return payment;
  if (state.reservation.state === 'backordered')
    return { at: since + BACKORDER_RECHECK_MS, fact: { type: 'stockReserved', round: state.reservation.round } };
  if (state.deliveredAt && mayComplete(state))
    return { at: Date.parse(state.deliveredAt) + timers.autoCompleteMs, fact: { type: 'autoComplete' } };
  const reminder = remainingLines(state).length > 0 ? SHIPMENT_REMINDER_MS : DELIVERY_REMINDER_MS;
  return { at: since + reminder, fact: { type: 'stillWaiting' } };
};

/** The stage's deadline, or the end of a timed hold if that comes first. */
export const nextDeadline = (state: OrderState, timers: OrderTimers, since: number): Deadline => {
  const stage = stageDeadline(state, timers, since);
  const ends = state.holds.flatMap((hold) => (hold.until ? [Date.parse(hold.until)] : []));
  const firstEnd = Math.min(...ends);
  return firstEnd < stage.at ? { at: firstEnd, fact: { type: 'holdExpired' } } : stage;
};
