import type {
  AssignCommand,
  CancelCommand,
  ChangeAddressCommand,
  HoldCommand,
  PhoneConfirmationCommand,
  ReleaseCommand,
} from './order-messages.ts';
import type { Hold, HoldCode, OrderSnapshot, OrderState } from './order-model.ts';
import {
  addHold,
  dropHold,
  happen,
  openCase,
  refuse,
  resolveCases,
  startStep,
  UNCHANGED,
  type Decision,
  type StepContext,
} from './order-step.ts';
import { hasHold, hasUnknownSku, isReleasable, mayRelease, SETTABLE_HOLDS } from './order-holds.ts';
import { isCashOnDelivery, isFullyPaid, paidTotal } from './order-quantities.ts';
import { moveTo } from './order-address.ts';
import { holdForCauses } from './order-causes.ts';
import { cancelNow } from './order-cancel.ts';
import { liveDeliveries } from './delivery-orders.ts';
import { finishStep } from './order-finish.ts';
import { holdCashOnDelivery } from './order-payment.ts';

/** The state of an order that intake has stored and no workflow has looked at; revision 0. */
export const initialState = (snapshot: OrderSnapshot): OrderState => ({
  snapshot,
  revision: 0,
  holds: [],
  reservation: { round: 0, state: 'none', allocations: [] },
  handedOver: [],
  deliveryOrders: [],
  reports: [],
  cancelRequest: null,
  told: [],
  heardReceiver: snapshot.receiver.identity ?? null,
  mismatchAccepted: false,
  shipments: [],
  cancellation: null,
  ended: null,
  deliveredAt: null,
  assignee: null,
  parcelGroup: null,
  phoneConfirmed: false,
  cases: [],
  auditHash: '',
});

export const open = (state: OrderState, context: StepContext): Decision => {
  if (state.revision > 0) return UNCHANGED;
  const step = startStep(state);
  const { snapshot } = state;
  happen(step, 'order_received', { payable: snapshot.payable, paid: paidTotal(state) });
  holdForCauses(step, context);
  if (snapshot.payments.some(isCashOnDelivery)) holdCashOnDelivery(step, context);
  return finishStep(step, context);
};

/** These are found out afresh when an order comes back. */
const FOUND_OUT: readonly HoldCode[] = ['unknown_sku', 'overpaid'];

/** Brings a cancelled order back to life after a late payment; stock is asked for anew, what held it holds it again. */
export const reinstate = (state: OrderState, context: StepContext): Decision => {
  if (state.ended?.status !== 'cancelled' || state.shipments.length > 0)
    return refuse(state, 'action_not_allowed', 'only a cancelled order of which nothing was sent can be reinstated');
  if (!isFullyPaid(state)) return refuse(state, 'rule_violation', 'the order is not paid in full');
  if (['closed_unpaid', 'closed_refunded', 'finished'].includes(state.snapshot.platform?.phase ?? ''))
    return refuse(state, 'rule_violation', 'the order is over on its platform');
  const step = startStep(state);
  step.next.ended = null;
  step.next.cancellation = null;
  step.next.reservation = { ...state.reservation, state: 'none', allocations: [] };
  step.next.handedOver = [];
  step.next.parcelGroup = null;
  happen(step, 'reinstated', {});
  resolveCases(step, 'late_payment', 'the order was reinstated');
  resolveCases(step, 'refund_due', 'the order was reinstated');
  for (const stood of state.cancellation?.holds ?? [])
    if (!FOUND_OUT.includes(stood.code) && !isOver(stood, context)) addHold(step, stood);
  holdForCauses(step, context);
  return finishStep(step, context);
};

export const hold = (state: OrderState, command: HoldCommand, context: StepContext): Decision => {
  if (!SETTABLE_HOLDS.some((code) => code === command.code))
    return refuse(state, 'rule_violation', `a hold ${command.code} comes and goes with its cause`);
  const known = state.holds.find(({ code }) => code === command.code);
  if (known && known.detail === command.detail && known.until === command.until) return UNCHANGED;
  if (command.until !== undefined && !(Date.parse(command.until) > Date.parse(context.now)))
    return refuse(state, 'rule_violation', 'until lies in the past');
  const step = startStep(state);
  addHold(step, {
    code: command.code,
    since: known?.since ?? context.now,
    detail: command.detail,
    ...(command.until === undefined ? {} : { until: command.until }),
  });
  return finishStep(step, context);
};

export const release = (state: OrderState, command: ReleaseCommand, context: StepContext): Decision => {
  const { code } = command;
  if (!hasHold(state, code)) return refuse(state, 'action_not_allowed', `no hold ${code} stands`);
  if (!isReleasable(code)) return refuse(state, 'action_not_allowed', `a hold ${code} ends with its cause`);
  if (!mayRelease(code, command.roles))
    return refuse(state, 'action_not_allowed', `a hold ${code} is not released by these roles`);
  const step = startStep(state);
  dropHold(step, code);
  if (code === 'overpaid' || code === 'amount_mismatch') resolveCases(step, code, 'released by finance');
  if (code === 'amount_mismatch') step.next.mismatchAccepted = true;
  return finishStep(step, context);
};

const isOver = ({ until }: Hold, { now }: StepContext): boolean =>
  until !== undefined && Date.parse(until) <= Date.parse(now);

export const expireHolds = (state: OrderState, context: StepContext): Decision => {
  const over = state.holds.filter((entry) => isOver(entry, context));
  if (over.length === 0) return UNCHANGED;
  const step = startStep(state);
  for (const { code } of over) dropHold(step, code);
  return finishStep(step, context);
};

export const changeAddress = (state: OrderState, command: ChangeAddressCommand, context: StepContext): Decision => {
  const step = startStep(state);
  moveTo(step, command.receiver, context);
  return finishStep(step, context);
};

export const confirmByPhone = (
  state: OrderState,
  command: PhoneConfirmationCommand,
  context: StepContext,
): Decision => {
  const step = startStep(state);
  happen(step, 'phone_confirmation', { outcome: command.outcome, note: command.note });
  if (command.outcome === 'refused') openCase(step, 'phone_refused', 'the buyer did not confirm the order by phone');
  else {
    step.next.phoneConfirmed = true;
    dropHold(step, 'phone_confirmation');
    resolveCases(step, 'phone_refused', 'confirmed by phone');
  }
  return finishStep(step, context);
};

export const assign = (state: OrderState, command: AssignCommand, context: StepContext): Decision => {
  if (state.assignee === command.username) return UNCHANGED;
  const step = startStep(state);
  step.next.assignee = command.username;
  happen(step, 'assigned', { username: command.username });
  return finishStep(step, context);
};

export const mapSku = (state: OrderState, platformSku: string, skuCode: string, context: StepContext): Decision => {
  const isThis = (line: OrderSnapshot['lines'][number]) =>
    line.skuCode === null && (line.platformSku ?? '') === platformSku;
  if (state.ended || !skuCode || !state.snapshot.lines.some(isThis)) return UNCHANGED;
  const step = startStep(state);
  step.next.snapshot = {
    ...state.snapshot,
    lines: state.snapshot.lines.map((line) => (isThis(line) ? { ...line, skuCode } : line)),
  };
  happen(step, 'sku_mapped', { platformSku, skuCode });
  if (!hasUnknownSku(step.next)) {
    dropHold(step, 'unknown_sku');
    resolveCases(step, 'unknown_sku', 'mapped');
  }
  return finishStep(step, context);
};

/** Cancels what has not been sent. Where warehouses' systems have it, they are first asked to stop; one that cannot, ends the attempt. */
export const cancel = (state: OrderState, { reason }: CancelCommand, context: StepContext): Decision => {
  if (state.cancelRequest) return UNCHANGED;
  const step = startStep(state);
  const live = liveDeliveries(state);
  if (live.length === 0) cancelNow(step, reason, context);
  else {
    step.next.cancelRequest = { reason, at: context.now };
    step.next.deliveryOrders = state.deliveryOrders.map((order) =>
      live.includes(order) ? { ...order, state: 'stopping', stopFor: 'cancel', isPacked: false } : order,
    );
    happen(step, 'cancel_requested', { reason });
  }
  return finishStep(step, context);
};
