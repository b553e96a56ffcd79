import type { AddPaymentCommand } from './order-messages.ts';
import type { OrderState, Payment } from './order-model.ts';
import { finishStep } from './order-finish.ts';
import {
  addHold,
  closeCases,
  happen,
  openCase,
  refuse,
  startStep,
  UNCHANGED,
  type Decision,
  type Step,
  type StepContext,
} from './order-step.ts';
import { isAmountMinor } from './money.ts';
import { noticeSurplus } from './order-surplus.ts';
import { isCashOnDelivery, paidTotal } from './order-quantities.ts';
import { statusOf } from './order-status.ts';

/** Key order does not matter, `undefined` is absent, a sealed account is never the same twice. */
const samePayment = (a: Payment, b: Payment): boolean => {
  const { settlement: settlementA, accountSealed: _a, ...restA } = a;
  const { settlement: settlementB, accountSealed: _b, ...restB } = b;
  const isSame = (x: object, y: object) => {
    const [left, right] = [new Map(Object.entries(x)), new Map(Object.entries(y))];
    return [...left.keys(), ...right.keys()].every((key) => left.get(key) === right.get(key));
  };
  return isSame(restA, restB) && isSame(settlementA ?? {}, settlementB ?? {});
};

export { isCashOnDelivery };

const whyRefused = (state: OrderState, payment: Payment): string | null => {
  if (!isAmountMinor(payment.amount) || payment.amount === 0)
    return 'a payment is a whole number of minor units, at least 1';
  if (!isAmountMinor(paidTotal(state) + payment.amount)) return 'the sum would be beyond the exact integers';
  if (isCashOnDelivery(payment)) return 'cash on delivery is not a payment: nothing has been paid yet';
  return null;
};

export const addPayment = (state: OrderState, command: AddPaymentCommand, context: StepContext): Decision => {
  const { payment, currency } = command;
  const { snapshot } = state;
  if (currency !== undefined && currency !== snapshot.currency)
    return refuse(state, 'rule_violation', `a payment in ${currency} cannot pay an order in ${snapshot.currency}`);
  if (snapshot.platform)
    return refuse(state, 'action_not_allowed', 'the payments of this order come from its platform');
  const known = snapshot.payments.find(({ paymentId }) => paymentId === payment.paymentId);
  if (known)
    return samePayment(known, payment)
      ? UNCHANGED
      : refuse(state, 'conflict', `payment ${payment.paymentId} is known with other content`);
  const wrong = whyRefused(state, payment);
  if (wrong) return refuse(state, 'rule_violation', wrong);
  const step = startStep(state);
  step.next.snapshot = { ...snapshot, payments: [...snapshot.payments, payment] };
  happen(step, 'payment_added', { paymentId: payment.paymentId, amount: payment.amount });
  if (state.ended && state.ended.status !== 'completed') {
    openCase(step, 'late_payment', `${payment.amount} was paid after the order was ${statusOf(state)}`);
    openCase(step, 'refund_due', `${payment.amount} was paid for an order that is ${statusOf(state)}`);
  } else if (state.ended) openCase(step, 'overpaid', `${payment.amount} was paid after the order was completed`);
  noticeSurplus(step, context);
  return finishStep(step, context);
};

/** Nobody paid in time: the order ends, nothing was reserved; what was paid in part is due back. */
export const expirePayment = (state: OrderState, context: StepContext): Decision => {
  const step = endUnpaid(state, context, 'payment_timeout', 'cancelled');
  const paid = paidTotal(state);
  if (paid > 0) openCase(step, 'refund_due', `${paid} was paid for an order that was never paid in full`);
  return finishStep(step, context);
};

/** The balance of a presale is overdue: the order closes, the deposit is kept, a person looks at it. */
export const expireBalance = (state: OrderState, context: StepContext): Decision => {
  const step = endUnpaid(state, context, 'balance_overdue', 'closed');
  openCase(
    step,
    'deposit_kept',
    `the balance was not paid by ${state.snapshot.presale?.balanceDueAt ?? ''}; ${paidTotal(state)} is kept`,
  );
  return finishStep(step, context);
};

export const holdCashOnDelivery = (step: ReturnType<typeof startStep>, context: StepContext): void => {
  addHold(step, { code: 'manual', since: context.now, detail: 'cash on delivery is not supported' });
  openCase(step, 'mapping_failed', 'cash on delivery is not supported');
};

const endUnpaid = (state: OrderState, { now }: StepContext, reason: string, status: 'cancelled' | 'closed'): Step => {
  const step = startStep(state);
  const lines = state.snapshot.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
  step.next.cancellation = { at: now, reason, lines, holds: state.holds };
  step.next.holds = [];
  step.next.ended = { status, at: now };
  happen(step, reason, {});
  closeCases(step, `the order was ${status}`, () => true);
  return step;
};
