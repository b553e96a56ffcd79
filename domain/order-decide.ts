import type { OrderCommand, OrderFact, OrderMessage } from './order-messages.ts';
import type { OrderState } from './order-model.ts';
import { ACTION_OF, allowedActions, isAllowed } from './order-actions.ts';
import { finishStep, isCompletionDue } from './order-finish.ts';
import {
  assign,
  cancel,
  changeAddress,
  confirmByPhone,
  expireHolds,
  hold,
  mapSku,
  open,
  reinstate,
  release,
} from './order-life.ts';
import { addPayment, expireBalance, expirePayment } from './order-payment.ts';
import {
  bookReport,
  noteErrandStuck,
  noteHandedOver,
  noteHandOverRefused,
  notePlatformTold,
  noteStopped,
  noteStopRefused,
  noteTellRefused,
} from './order-fulfilment.ts';
import { hearPlatform } from './order-platform.ts';
import { allocate, deliver, joinParcel, joinShipped, ship, split } from './order-shipping.ts';
import { paymentDeadline } from './order-timers.ts';
import { happen, startStep, UNCHANGED, type Decision, type StepContext } from './order-step.ts';

/** Commands that recognise a repetition of themselves even when the state no longer allows them. */
const SELF_CHECKING: readonly OrderCommand['type'][] = [
  'ship',
  'deliver',
  'addPayment',
  'release',
  'assign',
  'reportParcels',
];

const isCommand = (message: OrderMessage): message is OrderCommand => message.type in ACTION_OF;

/**
 * The rules of an order's life: what a message changes, or why it is refused, or that it is old. Pure; validators call
 * it to refuse, the story calls it to act, so that both always agree.
 */
export const decide = (state: OrderState, message: OrderMessage, context: StepContext): Decision => {
  if (isCommand(message) && !SELF_CHECKING.includes(message.type) && !isAllowed(state, ACTION_OF[message.type]))
    return {
      kind: 'refused',
      refusal: {
        code: 'action_not_allowed',
        detail: `${ACTION_OF[message.type]} is not possible now`,
        allowedActions: allowedActions(state),
      },
    };
  switch (message.type) {
    case 'opened':
      return open(state, context);
    case 'reinstated':
      return reinstate(state, context);
    case 'addPayment':
      return addPayment(state, message, context);
    case 'hold':
      return hold(state, message, context);
    case 'release':
      return release(state, message, context);
    case 'changeAddress':
      return changeAddress(state, message, context);
    case 'phoneConfirmation':
      return confirmByPhone(state, message, context);
    case 'assign':
      return assign(state, message, context);
    case 'cancel':
      return cancel(state, message, context);
    case 'ship':
      return ship(state, message, context);
    case 'deliver':
      return deliver(state, message, context);
    case 'split':
      return split(state, message, context);
    case 'allocate':
      return allocate(state, message, context);
    case 'joinParcel':
      return joinParcel(state, message, context);
    case 'reportParcels':
      return bookReport(state, message, context);
    case 'platformChanged':
      return hearPlatform(state, message, context);
    case 'handedOver':
      return noteHandedOver(state, message, context);
    case 'handOverRefused':
      return noteHandOverRefused(state, message, context);
    case 'deliveryStopped':
      return noteStopped(state, message, context);
    case 'stopRefused':
      return noteStopRefused(state, message, context);
    case 'platformTold':
      return notePlatformTold(state, message, context);
    case 'tellRefused':
      return noteTellRefused(state, message, context);
    case 'errandStuck':
      return noteErrandStuck(state, message, context);
    case 'parcelShipped':
      return joinShipped(state, message, context);
    case 'skuMapped':
      return mapSku(state, message.platformSku, message.skuCode, context);
    case 'stockReserved':
      return collectReservation(state, message.round, context);
    case 'caseResolved':
      return forgetCase(state, message.caseId, context);
    case 'stepRecovered':
      return closeExhausted(state, message.caseId, context);
    case 'paymentTimeout':
      return isOverdue(state, message, context) ? expirePayment(state, context) : UNCHANGED;
    case 'balanceOverdue':
      return isOverdue(state, message, context) ? expireBalance(state, context) : UNCHANGED;
    case 'holdExpired':
      return expireHolds(state, context);
    case 'autoComplete':
      return complete(state, context);
    case 'stillWaiting':
      return remind(state, context);
  }
};

const isOverdue = (state: OrderState, fact: OrderFact, { now, timers }: StepContext): boolean => {
  const deadline = state.ended ? null : paymentDeadline(state, timers);
  return deadline?.fact.type === fact.type && deadline.at <= Date.parse(now);
};

/** The queue of backorders has filled this round: the ledger is asked for what it gave. */
const collectReservation = (state: OrderState, round: number, context: StepContext): Decision => {
  if (state.ended || state.reservation.state !== 'backordered' || state.reservation.round !== round) return UNCHANGED;
  const step = startStep(state);
  step.next.reservation = { ...state.reservation, round: round - 1, state: 'none' };
  return finishStep(step, context);
};

const forgetCase = (state: OrderState, caseId: string, context: StepContext): Decision => {
  if (!state.cases.some((open) => open.caseId === caseId)) return UNCHANGED;
  const step = startStep(state);
  const code = state.cases.find((open) => open.caseId === caseId)?.code;
  step.next.cases = state.cases.filter((open) => open.caseId !== caseId);
  happen(step, 'case_resolved', { caseId });
  // What the platform refused is put to it again.
  if (code === 'activity_exhausted') step.next.told = state.told.filter((entry) => entry.state === 'told');
  return finishStep(step, context);
};

/** The case was opened while no step could be written, so that the state does not know it. */
const closeExhausted = (state: OrderState, caseId: string, context: StepContext): Decision => {
  const step = startStep(state);
  step.cases.push({ kind: 'resolve', caseId, note: 'the step was written after all' });
  happen(step, 'case_resolved', { caseId });
  return finishStep(step, context);
};

const complete = (state: OrderState, context: StepContext): Decision => {
  if (state.ended || !isCompletionDue(state, context)) return UNCHANGED;
  return finishStep(startStep(state), context);
};

const remind = (state: OrderState, context: StepContext): Decision => {
  if (state.ended) return UNCHANGED;
  const step = startStep(state);
  happen(step, 'still_waiting', {});
  return finishStep(step, context);
};
