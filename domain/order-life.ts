import type {
  AssignCommand,
  CancelCommand,
  ChangeAddressCommand,
  HoldCommand,
  PhoneConfirmationCommand,
  ReleaseCommand,
} from './order-messages.ts';
import type { OrderSnapshot, OrderState } from './order-model.ts';
import {
  addHold,
  dropHold,
  finishStep,
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
import { isFullyPaid, paidTotal, remainingLines, reservedStock } from './order-quantities.ts';
import { holdCashOnDelivery, isCashOnDelivery } from './order-payment.ts';

/** The state of an order that intake has stored and no workflow has looked at; revision 0. */
export const initialState = (snapshot: OrderSnapshot): OrderState => ({
  snapshot,
  revision: 0,
  holds: [],
  reservation: { round: 0, state: 'none', allocations: [] },
  handedOver: [],
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
  if (snapshot.receiver.missing.length > 0)
    addHold(step, { code: 'address_incomplete', since: context.now, detail: `missing: ${snapshot.receiver.missing.join(', ')}` });
  if (hasUnknownSku(state)) {
    const lines = snapshot.lines.filter((line) => line.skuCode === null).map((line) => line.platformSku ?? line.lineId);
    addHold(step, { code: 'unknown_sku', since: context.now, detail: `no SKU for: ${lines.join(', ')}` });
    openCase(step, 'unknown_sku', `no SKU for: ${lines.join(', ')}`);
  }
  if (snapshot.payments.some(isCashOnDelivery)) holdCashOnDelivery(step, context);
  return finishStep(step, context);
};

/** Brings a cancelled order back to life after a late payment; stock is asked for anew. */
export const reinstate = (state: OrderState, context: StepContext): Decision => {
  if (state.ended?.status !== 'cancelled' || state.shipments.length > 0)
    return refuse(state, 'action_not_allowed', 'only a cancelled order of which nothing was sent can be reinstated');
  if (!isFullyPaid(state)) return refuse(state, 'rule_violation', 'the order is not paid in full');
  const step = startStep(state);
  step.next.ended = null;
  step.next.cancellation = null;
  step.next.reservation = { ...state.reservation, state: 'none', allocations: [] };
  happen(step, 'reinstated', {});
  resolveCases(step, 'late_payment', 'the order was reinstated');
  resolveCases(step, 'refund_due', 'the order was reinstated');
  return finishStep(step, context);
};

export const hold = (state: OrderState, command: HoldCommand, context: StepContext): Decision => {
  if (!SETTABLE_HOLDS.some((code) => code === command.code))
    return refuse(state, 'rule_violation', `a hold ${command.code} comes and goes with its cause`);
  const known = state.holds.find(({ code }) => code === command.code);
  if (known && known.detail === command.detail && known.until === command.until) return UNCHANGED;
  if (command.until !== undefined && command.until <= context.now)
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
  return finishStep(step, context);
};

export const expireHolds = (state: OrderState, context: StepContext): Decision => {
  const over = state.holds.filter((entry) => entry.until !== undefined && entry.until <= context.now);
  if (over.length === 0) return UNCHANGED;
  const step = startStep(state);
  for (const { code } of over) dropHold(step, code);
  return finishStep(step, context);
};

export const changeAddress = (state: OrderState, command: ChangeAddressCommand, context: StepContext): Decision => {
  const step = startStep(state);
  step.next.snapshot = { ...state.snapshot, receiver: command.receiver };
  happen(step, 'address_changed', { district: command.receiver.district });
  if (command.receiver.missing.length === 0) dropHold(step, 'address_incomplete');
  else
    addHold(step, { code: 'address_incomplete', since: context.now, detail: `missing: ${command.receiver.missing.join(', ')}` });
  return finishStep(step, context);
};

export const confirmByPhone = (state: OrderState, command: PhoneConfirmationCommand, context: StepContext): Decision => {
  const step = startStep(state);
  happen(step, 'phone_confirmation', { outcome: command.outcome });
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
  const isThis = (line: OrderSnapshot['lines'][number]) => line.skuCode === null && (line.platformSku ?? '') === platformSku;
  if (state.ended || !state.snapshot.lines.some(isThis)) return UNCHANGED;
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

/** Cancels what has not been sent: stock is free at once, what was paid for it is due back. */
export const cancel = (state: OrderState, command: CancelCommand, context: StepContext): Decision => {
  const step = startStep(state);
  const rest = remainingLines(state);
  step.next.cancellation = { at: context.now, reason: command.reason, lines: rest };
  const reserved = reservedStock(state);
  if (state.reservation.state === 'backordered') step.stock.push({ kind: 'withdraw', round: state.reservation.round });
  else if (reserved.length > 0) step.stock.push({ kind: 'release', lines: reserved });
  step.next.reservation = { ...state.reservation, state: state.shipments.length > 0 ? 'reserved' : 'none', allocations: sentOnly(state) };
  step.next.holds = [];
  happen(step, 'cancelled', { reason: command.reason, partly: state.shipments.length > 0 });
  for (const { code } of state.cases) resolveCases(step, code, 'the order was cancelled');
  if (state.shipments.length === 0) step.next.ended = { status: 'cancelled', at: context.now };
  const paid = paidTotal(state);
  if (paid > 0) openCase(step, 'refund_due', `the order was cancelled after ${paid} was paid`);
  return finishStep(step, context);
};

/** Allocations cut down to what has left, so that nothing is shown as still reserved. */
const sentOnly = (state: OrderState) =>
  state.shipments.map(({ warehouseId, courier, lines }) => ({ warehouseId, courier, lines }));
