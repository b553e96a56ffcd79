import type {
  AllocateCommand,
  DeliverCommand,
  JoinParcelCommand,
  OrderFact,
  ShipCommand,
  SplitCommand,
} from './order-messages.ts';
import type { Allocation, LineQuantity, OrderState } from './order-model.ts';
import { finishStep } from './order-finish.ts';
import { happen, refuse, reserveIntent, startStep, UNCHANGED, type Decision, type StepContext } from './order-step.ts';
import { isWorkedByRest } from './delivery-orders.ts';
import { allocatedRest, allocatedWarehouses, bySku, lineOf, reservedStock } from './order-quantities.ts';
import { isAllowed } from './order-actions.ts';
import { isWaybill, sendParcel } from './order-parcels.ts';

/** Clocks of warehouses and couriers may run ahead of ours by this much. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

const sameLines = (a: readonly LineQuantity[], b: readonly LineQuantity[]): boolean => {
  const units = new Map(b.map((line) => [line.lineId, line.quantity]));
  return a.length === b.length && a.every((line) => units.get(line.lineId) === line.quantity);
};

/** A courier's waybill is one parcel: the same again changes nothing, the same with other goods is a conflict. */
export const ship = (state: OrderState, command: ShipCommand, context: StepContext): Decision => {
  const { warehouseId, courier, trackingNo, lines } = command;
  const known = state.shipments.find((entry) => isWaybill(entry, command));
  if (known)
    return known.warehouseId === warehouseId && sameLines(known.lines, lines)
      ? UNCHANGED
      : refuse(state, 'conflict', `waybill ${trackingNo} is known with other goods`);
  if (!isAllowed(state, 'shipments')) return refuse(state, 'action_not_allowed', shipRefusal(state));
  const wrong = whyNotGoods(state, lines);
  if (wrong) return refuse(state, 'rule_violation', wrong);
  if (!isWorkedByRest(state, warehouseId) && allocatedWarehouses(state).includes(warehouseId))
    return refuse(state, 'rule_violation', `${warehouseId} is worked by its own system, which reports its parcels`);
  const rest = allocatedRest(state, warehouseId);
  for (const line of lines) {
    const left = rest.find(({ lineId }) => lineId === line.lineId)?.quantity ?? 0;
    if (line.quantity > left)
      return refuse(
        state,
        'rule_violation',
        `line ${line.lineId}: ${left} left to send from ${warehouseId}, not ${line.quantity}`,
      );
  }
  const step = startStep(state);
  sendParcel(step, { warehouseId, courier, trackingNo, lines, shippedAt: context.now });
  step.stock.push({ kind: 'ship', lines: bySku(state, lines).map((entry) => ({ warehouseId, ...entry })) });
  return finishStep(step, context);
};

/** What the API's schema says of lines, said again to whoever comes past the API. */
const whyNotGoods = (state: OrderState, lines: readonly LineQuantity[]): string | null => {
  if (lines.length === 0) return 'there are no goods in it';
  const seen = new Set<string>();
  for (const { lineId, quantity } of lines) {
    if (!lineOf(state, lineId)) return `the order has no line ${lineId}`;
    if (seen.has(lineId)) return `line ${lineId} is there twice`;
    if (!Number.isInteger(quantity) || quantity < 1) return `line ${lineId}: a quantity is a whole number, at least 1`;
    seen.add(lineId);
  }
  return null;
};

const shipRefusal = (state: OrderState): string =>
  state.holds.length > 0
    ? `nothing ships while a hold stands: ${state.holds.map((entry) => entry.code).join(', ')}`
    : 'nothing of this order is reserved and waiting to be sent';

type ParcelShipped = Extract<OrderFact, { type: 'parcelShipped' }>;

/** The other orders of a parcel group leave with it, whole, unless they have left the group or are held back. */
export const joinShipped = (state: OrderState, news: ParcelShipped, context: StepContext): Decision => {
  const { groupId, warehouseId, courier, trackingNo } = news;
  if (state.parcelGroup?.groupId !== groupId || !isAllowed(state, 'shipments')) return UNCHANGED;
  if (!isWorkedByRest(state, warehouseId)) return UNCHANGED;
  const lines = allocatedRest(state, warehouseId);
  if (lines.length === 0 || state.shipments.some((entry) => isWaybill(entry, news))) return UNCHANGED;
  return ship(state, { type: 'ship', warehouseId, courier, trackingNo, lines }, context);
};

export const deliver = (state: OrderState, command: DeliverCommand, context: StepContext): Decision => {
  const known = state.shipments.find((entry) => entry.shipmentId === command.shipmentId);
  if (known?.status === 'delivered') return UNCHANGED;
  if (!isAllowed(state, 'deliveries')) return refuse(state, 'action_not_allowed', 'no parcel is under way');
  if (!known) return refuse(state, 'rule_violation', `the order has no shipment ${command.shipmentId}`);
  const deliveredAt = command.deliveredAt ?? context.now;
  if (!(Date.parse(deliveredAt) <= Date.parse(context.now) + CLOCK_TOLERANCE_MS))
    return refuse(state, 'rule_violation', 'deliveredAt lies in the future');
  const step = startStep(state);
  step.next.shipments = state.shipments.map((entry) =>
    entry === known ? { ...entry, status: 'delivered' as const, deliveredAt } : entry,
  );
  happen(step, 'parcel_delivered', { shipmentId: known.shipmentId });
  return finishStep(step, context);
};

/** Parts the reserved goods into parcels; each leaves one warehouse that has its goods reserved. */
export const split = (state: OrderState, command: SplitCommand, context: StepContext): Decision => {
  const free = new Map(
    allocatedWarehouses(state).map((id) => [
      id,
      new Map(allocatedRest(state, id).map((line) => [line.lineId, line.quantity])),
    ]),
  );
  const allocations: Allocation[] = [];
  for (const group of command.groups) {
    const wrong = whyNotGoods(state, group.lines);
    if (wrong) return refuse(state, 'rule_violation', wrong);
    const fits = ([id, rest]: [string, Map<string, number>]) =>
      (group.warehouseId === undefined || group.warehouseId === id) &&
      group.lines.every((line) => (rest.get(line.lineId) ?? 0) >= line.quantity);
    const found = [...free].find(fits);
    if (!found) return refuse(state, 'rule_violation', 'no warehouse has all goods of a group reserved');
    const [warehouseId, rest] = found;
    for (const line of group.lines) rest.set(line.lineId, (rest.get(line.lineId) ?? 0) - line.quantity);
    allocations.push({ warehouseId, courier: null, lines: group.lines });
  }
  if ([...free.values()].some((rest) => [...rest.values()].some((left) => left > 0)))
    return refuse(state, 'rule_violation', 'the groups must cover every unit of the order');
  const step = startStep(state);
  step.next.reservation = { ...state.reservation, allocations };
  happen(step, 'split', { parcels: allocations.length });
  return finishStep(step, context);
};

/** Moves the reservation to another warehouse, all of it or nothing. */
export const allocate = (state: OrderState, command: AllocateCommand, context: StepContext): Decision => {
  const { warehouseId } = command;
  if (state.reservation.state === 'reserved' && allocatedWarehouses(state).every((id) => id === warehouseId))
    return UNCHANGED;
  const step = startStep(state);
  if (state.reservation.state === 'backordered') step.stock.push({ kind: 'withdraw', round: state.reservation.round });
  else step.stock.push({ kind: 'release', lines: reservedStock(state) });
  const round = state.reservation.round + 1;
  step.next.reservation = { round, state: 'reserved', allocations: [] };
  step.stock.push(reserveIntent(step.next, round, warehouseId));
  happen(step, 'reallocated', { warehouseId });
  return finishStep(step, context);
};

export const joinParcel = (state: OrderState, command: JoinParcelCommand, context: StepContext): Decision => {
  const { groupId, orderIds } = command;
  const isAlone = orderIds.every((orderId) => orderId === state.snapshot.orderId);
  if (isAlone ? state.parcelGroup === null : state.parcelGroup?.groupId === groupId) return UNCHANGED;
  const step = startStep(state);
  step.next.parcelGroup = isAlone ? null : { groupId, orderIds };
  happen(step, isAlone ? 'parcel_left' : 'parcel_joined', { orders: orderIds.join(', ') });
  return finishStep(step, context);
};
