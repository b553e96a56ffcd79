import type { OrderState } from './order-model.ts';
import { recalled, withDeliveriesAsked } from './delivery-orders.ts';
import { hasUnknownSku } from './order-holds.ts';
import { followPlatform } from './platform-course.ts';
import { mayComplete } from './platform-told.ts';
import { isFullyPaid, remainingLines } from './order-quantities.ts';
import { happen, reserveIntent, type Decision, type Step, type StepContext } from './order-step.ts';

/** Ends a step: whatever follows from the new state without anybody asking happens here, in the same revision. */
export const finishStep = (step: Step, context: StepContext): Decision => {
  followPlatform(step, context);
  recallHeldGoods(step);
  askForStock(step);
  step.next = withDeliveriesAsked(step.next);
  noticeDelivery(step);
  completeWhenDue(step, context);
  return { kind: 'step', step };
};

const askForStock = (step: Step): void => {
  const { next } = step;
  if (next.ended || next.reservation.state !== 'none' || !isFullyPaid(next) || hasUnknownSku(next)) return;
  const remaining = remainingLines(next);
  if (remaining.length === 0) return;
  const round = next.reservation.round + 1;
  next.reservation = { ...next.reservation, round };
  step.stock.push(reserveIntent(next, round));
};

/** Nothing leaves while a hold stands: warehouses' systems that have the goods are asked to stop. */
const recallHeldGoods = ({ next }: Step): void => {
  if (next.ended || next.holds.length === 0) return;
  next.deliveryOrders = recalled(next, 'hold');
};

const noticeDelivery = (step: Step): void => {
  const { next } = step;
  if (next.deliveredAt || next.shipments.length === 0 || remainingLines(next).length > 0) return;
  if (!next.shipments.every((shipment) => shipment.status === 'delivered')) return;
  const times = next.shipments.map((shipment) => Date.parse(shipment.deliveredAt ?? shipment.shippedAt));
  next.deliveredAt = new Date(Math.max(...times)).toISOString();
  happen(step, 'delivered', {});
};

export const isCompletionDue = (state: OrderState, { now, timers }: StepContext): boolean =>
  state.deliveredAt !== null &&
  mayComplete(state) &&
  Date.parse(state.deliveredAt) + timers.autoCompleteMs <= Date.parse(now);

const completeWhenDue = (step: Step, context: StepContext): void => {
  const { next } = step;
  if (next.ended || !isCompletionDue(next, context)) return;
  next.ended = { status: 'completed', at: context.now };
  next.holds = [];
  happen(step, 'completed', {});
};
