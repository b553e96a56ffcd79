import type { AddPaymentCommand } from './order-messages.ts';
import type { OrderSnapshot, OrderState, Payment } from './order-model.ts';
import {
  addHold,
  finishStep,
  happen,
  openCase,
  refuse,
  startStep,
  UNCHANGED,
  type Decision,
  type StepContext,
} from './order-step.ts';
import { paidTotal } from './order-quantities.ts';
import { statusOf } from './order-status.ts';

/** Key order does not matter, `undefined` is absent. */
const samePayment = (a: Payment, b: Payment): boolean => {
  const { settlement: settlementA, accountSealed: _a, ...restA } = a;
  const { settlement: settlementB, accountSealed: _b, ...restB } = b;
  const flat = (rest: object, settlement: Payment['settlement']) =>
    JSON.stringify(Object.entries({ ...rest, c: settlement?.currency, s: settlement?.amount }).filter(([, v]) => v !== undefined).sort());
  return flat(restA, settlementA) === flat(restB, settlementB);
};

/** Methods by which nothing has been paid yet; such an order is held for a person. */
export const isCashOnDelivery = (payment: Payment): boolean => payment.method === 'cod';

export const refusePayment = (snapshot: OrderSnapshot, command: AddPaymentCommand): string | null =>
  command.currency !== undefined && command.currency !== snapshot.currency
    ? `a payment in ${command.currency} cannot pay an order in ${snapshot.currency}`
    : null;

export const addPayment = (state: OrderState, command: AddPaymentCommand, context: StepContext): Decision => {
  const { payment } = command;
  const wrong = refusePayment(state.snapshot, command);
  if (wrong) return refuse(state, 'rule_violation', wrong);
  const known = state.snapshot.payments.find(({ paymentId }) => paymentId === payment.paymentId);
  if (known)
    return samePayment(known, payment)
      ? UNCHANGED
      : refuse(state, 'conflict', `payment ${payment.paymentId} is known with other content`);
  const step = startStep(state);
  step.next.snapshot = { ...state.snapshot, payments: [...state.snapshot.payments, payment] };
  happen(step, 'payment_added', { paymentId: payment.paymentId, amount: payment.amount });
  if (state.ended && state.ended.status !== 'completed') {
    const detail = `${payment.amount} was paid after the order was ${statusOf(state)}`;
    openCase(step, 'late_payment', detail);
    openCase(step, 'refund_due', `${paidTotal(step.next)} was paid for an order that is ${statusOf(state)}`);
  } else if (state.ended) openCase(step, 'overpaid', `${payment.amount} was paid after the order was completed`);
  return finishStep(step, context);
};

/** Nobody paid in time: the order ends, nothing was reserved; what was paid in part is due back. */
export const expirePayment = (state: OrderState, context: StepContext): Decision => {
  const step = startStep(state);
  const paid = paidTotal(state);
  step.next.holds = [];
  step.next.cancellation = { at: context.now, reason: 'payment_timeout', lines: allLines(state) };
  step.next.ended = { status: 'cancelled', at: context.now };
  happen(step, 'payment_timeout', {});
  if (paid > 0) openCase(step, 'refund_due', `${paid} was paid for an order that was never paid in full`);
  return finishStep(step, context);
};

/** The balance of a presale is overdue: the order closes, the deposit is kept, a person looks at it. */
export const expireBalance = (state: OrderState, context: StepContext): Decision => {
  const step = startStep(state);
  step.next.holds = [];
  step.next.cancellation = { at: context.now, reason: 'balance_overdue', lines: allLines(state) };
  step.next.ended = { status: 'closed', at: context.now };
  happen(step, 'balance_overdue', {});
  openCase(step, 'deposit_kept', `the balance was not paid by ${state.snapshot.presale?.balanceDueAt ?? ''}; ${paidTotal(state)} is kept`);
  return finishStep(step, context);
};

export const holdCashOnDelivery = (step: ReturnType<typeof startStep>, context: StepContext): void => {
  addHold(step, { code: 'manual', since: context.now, detail: 'cash on delivery is not supported' });
  openCase(step, 'mapping_failed', 'cash on delivery is not supported');
};

const allLines = (state: OrderState) => state.snapshot.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
