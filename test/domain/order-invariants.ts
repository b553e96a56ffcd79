import { decide } from '../../domain/order-decide.ts';
import { deliveryRest, isLive } from '../../domain/delivery-orders.ts';
import { ACTION_OF, allowedActions } from '../../domain/order-actions.ts';
import { auditFacets, orderViewOf } from '../../domain/order-view.ts';
import {
  allocatedRest,
  allocatedWarehouses,
  cancelledUnits,
  isFullyPaid,
  remainingLines,
  reservedStock,
  shippedUnits,
} from '../../domain/order-quantities.ts';
import { nextDeadline } from '../../domain/order-timers.ts';
import { fulfilmentStatusOf, ORDER_TRANSITIONS, statusOf } from '../../domain/order-status.ts';
import { mayMove } from '../../domain/transitions.ts';
import { waitingFor } from '../../domain/order-waits.ts';
import {
  withOutcome,
  type Decision,
  type ReservationOutcome,
  type Step,
  type StepContext,
} from '../../domain/order-step.ts';
import type { OrderMessage } from '../../domain/order-messages.ts';
import type { OrderState } from '../../domain/order-model.ts';

/** What may still come to an order that has ended. */
const AFTER_THE_END: readonly OrderMessage['type'][] = [
  'addPayment',
  'assign',
  'caseResolved',
  'reinstated',
  'stepRecovered',
  'platformChanged',
  'platformTold',
  'tellRefused',
  'errandStuck',
  'reportParcels',
  'handedOver',
  'deliveryStopped',
  'stillWaiting',
];

const check = (condition: boolean, rule: string, about: unknown): void => {
  if (!condition) throw new Error(`${rule}: ${JSON.stringify(about)}`);
};

/** What holds in every state of every order. Throws the rule that is broken. */
export const assertState = (state: OrderState, context: StepContext): void => {
  const status = statusOf(state);
  const about = { status, ...auditFacets(state), ended: state.ended, reservation: state.reservation };
  for (const { lineId, quantity } of state.snapshot.lines) {
    const left = remainingLines(state).find((line) => line.lineId === lineId)?.quantity ?? 0;
    check(
      shippedUnits(state, lineId) + cancelledUnits(state, lineId) + left === quantity,
      'shipped + cancelled + remaining = quantity',
      about,
    );
  }
  for (const warehouseId of allocatedWarehouses(state))
    for (const { lineId } of state.snapshot.lines) {
      const allocated = sum(state.reservation.allocations, warehouseId, lineId);
      const sent = sum(state.shipments, warehouseId, lineId);
      check(allocated >= sent, 'no more is sent from a warehouse than was allocated there', about);
    }
  const reserved = allocatedWarehouses(state).flatMap((warehouseId) => allocatedRest(state, warehouseId));
  if (state.reservation.state === 'reserved' && !state.ended)
    for (const { lineId, quantity } of remainingLines(state))
      check(
        reserved.filter((line) => line.lineId === lineId).reduce((units, line) => units + line.quantity, 0) ===
          quantity,
        'what remains to be sent is reserved, all of it',
        about,
      );
  if (state.ended) {
    check(reservedStock(state).length === 0, 'nothing stays reserved for an order that has ended', about);
    check(state.reservation.state !== 'backordered', 'no order that has ended waits for goods', about);
    check(state.holds.length === 0, 'no hold stands on an order that has ended', about);
  }
  assertDeliveries(state, about);
  if (!isFullyPaid(state)) check(state.reservation.state === 'none', 'nothing is reserved for what is not paid', about);
  if (state.holds.length > 0 && state.shipments.length === 0)
    check(status === 'on_hold', 'a hold goes before all', about);
  check((status === 'delivered') === (state.deliveredAt !== null && !state.ended), 'delivered has its time', about);
  if (fulfilmentStatusOf(state) === 'delivered') check(state.deliveredAt !== null, 'delivered has its time', about);
  check(new Set(state.cases.map(({ code }) => code)).size === state.cases.length, 'one open case of a kind', about);
  check(new Set(state.holds.map(({ code }) => code)).size === state.holds.length, 'one hold of a kind', about);
  orderViewOf(state, context.now);
  waitingFor(state, null);
  assertDeadline(state, context);
};

/** What warehouses' systems are asked for. */
const assertDeliveries = (state: OrderState, about: unknown): void => {
  const live = state.deliveryOrders.filter(isLive);
  const codes = state.deliveryOrders.map(({ code }) => code);
  check(new Set(codes).size === codes.length, 'no delivery code is used twice', codes);
  check(!state.cancelRequest || live.length > 0, 'whoever waits for warehouses to stop is answered by the last', about);
  if (state.ended) check(live.length === 0, 'no warehouse still has goods of an order that has ended', about);
  if (state.holds.length > 0)
    check(
      live.every((order) => order.state === 'stopping' || order.isPacked === true),
      'what a hold stands on is called back, unless it is packed',
      { about, live },
    );
  for (const warehouseId of allocatedWarehouses(state))
    for (const { lineId } of state.snapshot.lines) {
      const asked = live
        .filter((order) => order.warehouseId === warehouseId)
        .flatMap((order) => deliveryRest(state, order))
        .reduce((units, line) => (line.lineId === lineId ? units + line.quantity : units), 0);
      const reserved = allocatedRest(state, warehouseId).find((line) => line.lineId === lineId)?.quantity ?? 0;
      check(asked <= reserved, 'no warehouse is asked for more than is reserved there', { about, live });
    }
};

/** The desk would go round and round on a deadline that has passed and changes nothing. */
const assertDeadline = (state: OrderState, context: StepContext): void => {
  if (state.ended || state.revision === 0) return;
  const { at, fact } = nextDeadline(state, context.timers, Date.parse(context.now));
  check(Number.isFinite(at), 'every wait has an end', { status: statusOf(state), fact });
  const due = Math.max(at, Date.parse(context.now));
  const decision = decide(state, fact, { ...context, now: new Date(due).toISOString() });
  check(decision.kind === 'step', 'a deadline that has come changes something', {
    status: statusOf(state),
    fact,
    decision,
  });
};

const sum = (
  entries: readonly { warehouseId: string; lines: readonly { lineId: string; quantity: number }[] }[],
  warehouseId: string,
  lineId: string,
): number =>
  entries
    .filter((entry) => entry.warehouseId === warehouseId)
    .flatMap(({ lines }) => lines)
    .reduce((units, line) => (line.lineId === lineId ? units + line.quantity : units), 0);

/** A decision that changes the state it is given throws. */
export const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
};

/** What holds for every message to every order. Gives the states that may follow, one for each answer of the ledger. */
export const assertMove = (
  state: OrderState,
  message: OrderMessage,
  context: StepContext,
  ledgers: readonly ((step: Step) => ReservationOutcome)[],
): OrderState[] => {
  const decision = decide(state, message, context);
  assertAgreement(state, message, decision);
  if (decision.kind !== 'step') return [];
  const { step } = decision;
  const about = { message, from: statusOf(state), to: statusOf(step.next) };
  check(step.next.revision === state.revision + 1, 'a step raises the revision by one', about);
  if (state.ended) check(AFTER_THE_END.includes(message.type), 'after its end an order changes no more', about);
  assertStock(state, step);
  const isAsked = step.stock.some(({ kind }) => kind === 'reserve');
  return (isAsked ? ledgers.map((ledger) => ledger(step)) : [undefined]).flatMap((outcome) => {
    if (outcome?.state === 'short') return [];
    const { next, happenings } = withOutcome(step, outcome);
    const [from, to] = [statusOf(state), statusOf(next)];
    check(happenings.length > 0, 'every step says what happened', { ...about, to });
    const isSaid = (code: string) => happenings.some((happening) => happening.code === code);
    check(isSaid('delivered') === (!state.deliveredAt && next.deliveredAt !== null), 'an arrival is told once', about);
    check(isSaid('completed') === (to === 'completed' && from !== 'completed'), 'an end is told once', about);
    // Before it is opened, an order has no status that anybody relies on.
    if (state.revision > 0)
      check(mayMove(ORDER_TRANSITIONS, from, to), 'the status moves as the table says', { ...about, to });
    return [frozen(next)];
  });
};

/** What the API offers is what the rules do. */
const assertAgreement = (state: OrderState, message: OrderMessage, decision: Decision): void => {
  // A warehouse's system is not offered anything: it reports what has happened.
  if (!(message.type in ACTION_OF) || message.type === 'reportParcels') return;
  const action = ACTION_OF[message.type as keyof typeof ACTION_OF];
  const isOffered = allowedActions(state).includes(action);
  const about = { message, status: statusOf(state), decision };
  if (decision.kind === 'step') check(isOffered, 'only what is offered is done', about);
  if (decision.kind === 'refused' && decision.refusal.code === 'action_not_allowed' && message.type !== 'release')
    check(!isOffered, 'what is offered is not called impossible', about);
  if (decision.kind === 'refused' && decision.refusal.code === 'action_not_allowed')
    check(
      JSON.stringify(decision.refusal.allowedActions) === JSON.stringify(allowedActions(state)),
      'a refusal says what is possible',
      about,
    );
};

/** A step gives back or sends exactly what was reserved, and asks for goods only when it has none. */
const assertStock = (state: OrderState, step: Step): void => {
  const before = new Map(reservedStock(state).map((line) => [`${line.warehouseId}/${line.skuCode}`, line.quantity]));
  for (const intent of step.stock) {
    const about = { intent, reservation: state.reservation };
    if (intent.kind === 'withdraw')
      check(state.reservation.state === 'backordered', 'only who queues leaves the queue', about);
    if (intent.kind === 'release' || intent.kind === 'ship')
      for (const line of intent.lines) {
        const key = `${line.warehouseId}/${line.skuCode}`;
        const left = (before.get(key) ?? 0) - line.quantity;
        check(left >= 0 && line.quantity > 0, 'reserved units never go below zero', about);
        before.set(key, left);
      }
    if (intent.kind === 'reserve') {
      const isFree = [...before.values()].every((quantity) => quantity === 0);
      check(isFree, 'goods are asked for when none are reserved', about);
      check(intent.round === step.next.reservation.round, 'each request has its round', about);
    }
  }
  const isGivenBack = step.stock.some(({ kind }) => kind === 'release');
  // All of it, unless units were taken out of an order that goes on.
  if (isGivenBack && !step.happenings.some(({ code }) => code === 'units_withdrawn'))
    check(
      [...before.values()].every((quantity) => quantity === 0),
      'all is given back at once',
      step.stock,
    );
};
