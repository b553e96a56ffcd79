import type { OrderFact, ReportParcelsCommand, ReportedParcel } from './order-messages.ts';
import type { DeliveryOrderState, LineQuantity, OrderState, Shipment } from './order-model.ts';
import { deliveryRest, isLive, liveDeliveries, without } from './delivery-orders.ts';
import { bySku, lineOf, remainingLines } from './order-quantities.ts';
import { finishStep } from './order-finish.ts';
import {
  addHold,
  happen,
  openCase,
  refuse,
  resolveCases,
  startStep,
  UNCHANGED,
  type Decision,
  type Step,
  type StepContext,
} from './order-step.ts';
import { cancelNow } from './order-cancel.ts';
import { isWaybill, sendParcel } from './order-parcels.ts';
import { isOverOnPlatform } from './platform-told.ts';

type Fact<T extends OrderFact['type']> = Extract<OrderFact, { type: T }>;

const deliveryOf = (state: OrderState, code: string): DeliveryOrderState | undefined =>
  state.deliveryOrders.find((order) => order.code === code);

const replaceDelivery = (step: Step, changed: DeliveryOrderState): void => {
  step.next.deliveryOrders = step.next.deliveryOrders.map((order) => (order.code === changed.code ? changed : order));
};

/** Whoever could not be reached has answered. A parcel that the platform refuses stays a person's business. */
const endTrouble = (step: Step, note: string): void => {
  if (step.next.told.every(({ state }) => state === 'told')) resolveCases(step, 'activity_exhausted', note);
};

/** The warehouse's system has taken the delivery; one that is meanwhile to be stopped stays so. */
export const noteHandedOver = (state: OrderState, { code }: Fact<'handedOver'>, context: StepContext): Decision => {
  const order = deliveryOf(state, code);
  if (order?.state !== 'asked') return UNCHANGED;
  const step = startStep(state);
  replaceDelivery(step, { ...order, state: 'accepted' });
  happen(step, 'handed_over', { code, warehouseId: order.warehouseId });
  endTrouble(step, 'the warehouse has taken the delivery');
  return finishStep(step, context);
};

/** The warehouse will not send it: a person decides, and until then nothing goes on. */
export const noteHandOverRefused = (
  state: OrderState,
  { code, detail }: Fact<'handOverRefused'>,
  context: StepContext,
): Decision => {
  const order = deliveryOf(state, code);
  if (!order || (order.state !== 'asked' && order.state !== 'stopping')) return UNCHANGED;
  const step = startStep(state);
  replaceDelivery(step, { ...order, state: 'refused', detail });
  happen(step, 'hand_over_refused', { code, warehouseId: order.warehouseId, detail });
  endTrouble(step, 'the warehouse has answered');
  if (order.state === 'asked') {
    const why = `${order.warehouseId} refuses ${code}: ${detail}`;
    addHold(step, { code: 'manual', since: context.now, detail: why });
    openCase(step, 'wms_refused', why);
  }
  carryOutCancel(step, context);
  return finishStep(step, context);
};

export const noteStopped = (state: OrderState, { code }: Fact<'deliveryStopped'>, context: StepContext): Decision => {
  const order = deliveryOf(state, code);
  if (!order || !isLive(order)) return UNCHANGED;
  const step = startStep(state);
  replaceDelivery(step, { ...order, state: 'stopped' });
  happen(step, 'delivery_stopped', { code, warehouseId: order.warehouseId });
  endTrouble(step, 'the warehouse has stopped it');
  carryOutCancel(step, context);
  return finishStep(step, context);
};

/** Too late to stop: the goods go out, whatever stood against it, and whoever wanted to stop them is told. */
export const noteStopRefused = (
  state: OrderState,
  { code, detail }: Fact<'stopRefused'>,
  context: StepContext,
): Decision => {
  const order = deliveryOf(state, code);
  if (order?.state !== 'stopping') return UNCHANGED;
  const step = startStep(state);
  const { stopFor: _, ...rest } = order;
  replaceDelivery(step, { ...rest, state: 'accepted', isPacked: true, detail });
  happen(step, 'stop_refused', { code, warehouseId: order.warehouseId, detail });
  endTrouble(step, 'the warehouse has answered');
  const why = sayTooLate(step, order, detail);
  // The order goes on; what other warehouses have stopped is asked for again.
  if (step.next.cancelRequest) {
    step.next.cancelRequest = null;
    happen(step, 'cancel_refused', { detail: why });
  }
  return finishStep(step, context);
};

/** Goods that were to be stopped go out: whoever wanted to stop them hears of it. */
const sayTooLate = (step: Step, { code, warehouseId, stopFor }: DeliveryOrderState, detail: string): string => {
  const why = `${warehouseId} could not stop ${code}: ${detail}`;
  if (stopFor === 'address') openCase(step, 'address_changed_late', why);
  else if (stopFor !== 'cancel') openCase(step, 'wms_refused', why);
  return why;
};

/** A cancel that waited for warehouses is carried out as soon as none of them has goods any more; what has left, has left. */
const carryOutCancel = (step: Step, context: StepContext): void => {
  const { cancelRequest } = step.next;
  if (!cancelRequest || liveDeliveries(step.next).length > 0) return;
  step.next.cancelRequest = null;
  if (remainingLines(step.next).length > 0) cancelNow(step, cancelRequest.reason, context);
  else happen(step, 'cancel_refused', { detail: 'the goods have left' });
};

/** Goods that have left, parcel by parcel, on the word of the warehouse's system: it stands above holds. */
export const bookReport = (state: OrderState, command: ReportParcelsCommand, context: StepContext): Decision => {
  const { warehouseId, deliveryOrderCode: code, outBizCode, isFinal, parcels } = command;
  const order = deliveryOf(state, code);
  if (!order || order.warehouseId !== warehouseId)
    return refuse(state, 'not_found', `there is no delivery ${code} of ${warehouseId}`);
  if (state.reports.includes(outBizCode)) return UNCHANGED;
  const read = readParcels(state, order, parcels);
  if (typeof read === 'string') return refuse(state, 'rule_violation', read);
  const isOpen = !state.ended && isLive(order);
  if (read.length === 0 && !(isFinal && isOpen)) return UNCHANGED;
  if (!isOpen) return refuse(state, 'action_not_allowed', `delivery ${code} is ${state.ended ? 'over' : order.state}`);
  const step = startStep(state);
  step.next.reports = [...state.reports, outBizCode];
  for (const parcel of read)
    sendParcel(step, { warehouseId, ...parcel, shippedAt: context.now, deliveryOrderCode: code });
  const sent = read.flatMap(({ lines }) => lines);
  if (sent.length > 0)
    step.stock.push({ kind: 'ship', lines: bySku(state, sent).map((entry) => ({ warehouseId, ...entry })) });
  const rest = deliveryRest(step.next, order);
  if (isFinal || rest.length === 0) {
    replaceDelivery(step, { ...order, state: 'sent' });
    // The answer to our asking to stop comes after it and says nothing new then.
    if (order.state === 'stopping') sayTooLate(step, order, 'its goods have left');
  } else if (order.state === 'asked') replaceDelivery(step, { ...order, state: 'accepted' });
  if (isFinal && rest.length > 0) {
    const missing = rest.map(({ lineId, quantity }) => `${quantity} of line ${lineId}`).join(', ');
    const why = `${warehouseId} has ended ${code} without ${missing}`;
    addHold(step, { code: 'manual', since: context.now, detail: why });
    openCase(step, 'wms_refused', why);
  }
  carryOutCancel(step, context);
  return finishStep(step, context);
};

type ReadParcel = Pick<Shipment, 'courier' | 'trackingNo'> & { lines: LineQuantity[] };

/** The parcels that are new, in our lines; or why the report cannot be. */
const readParcels = (
  state: OrderState,
  order: DeliveryOrderState,
  parcels: readonly ReportedParcel[],
): ReadParcel[] | string => {
  const read: ReadParcel[] = [];
  let left = deliveryRest(state, order);
  for (const { courier, trackingNo, lines } of parcels) {
    const known = [...state.shipments, ...read].find((entry) => isWaybill(entry, { courier, trackingNo }));
    const taken = take(state, lines, known ? known.lines : left);
    if (typeof taken === 'string') return known ? `waybill ${trackingNo} is known with other goods` : taken;
    if (known) {
      if (without(known.lines, taken).length > 0) return `waybill ${trackingNo} is known with other goods`;
      continue;
    }
    if (taken.length === 0) return `parcel ${trackingNo} has no goods`;
    left = without(left, taken);
    read.push({ courier, trackingNo, lines: taken });
  }
  return read;
};

/** What is reported, of the units that may leave; by our line, or by SKU from the first line that has it on. */
const take = (
  state: OrderState,
  lines: ReportedParcel['lines'],
  from: readonly LineQuantity[],
): LineQuantity[] | string => {
  const left = new Map(from.map(({ lineId, quantity }) => [lineId, quantity]));
  const taken = new Map<string, number>();
  for (const { lineId, skuCode, quantity } of lines) {
    if (!Number.isInteger(quantity) || quantity < 1) return 'a quantity is a whole number, at least 1';
    let open = quantity;
    for (const [id, free] of left) {
      if (lineId === undefined ? lineOf(state, id)?.skuCode !== skuCode : id !== lineId) continue;
      const units = Math.min(open, free);
      left.set(id, free - units);
      if (units > 0) taken.set(id, (taken.get(id) ?? 0) + units);
      open -= units;
    }
    if (open > 0) return `${lineId ?? skuCode ?? 'a line'}: ${quantity - open} left to send, not ${quantity}`;
  }
  return [...taken].map(([lineId, quantity]) => ({ lineId, quantity }));
};

/** The platform has been told of a parcel. */
export const notePlatformTold = (
  state: OrderState,
  { shipmentId }: Fact<'platformTold'>,
  context: StepContext,
): Decision => {
  if (state.told.some((entry) => entry.shipmentId === shipmentId && entry.state === 'told')) return UNCHANGED;
  if (!state.shipments.some((shipment) => shipment.shipmentId === shipmentId)) return UNCHANGED;
  const step = startStep(state);
  step.next.told = [
    ...state.told.filter((entry) => entry.shipmentId !== shipmentId),
    { shipmentId, state: 'told' as const },
  ];
  happen(step, 'platform_told', { shipmentId });
  endTrouble(step, 'the platform was told');
  return finishStep(step, context);
};

export const noteTellRefused = (
  state: OrderState,
  { shipmentId, detail }: Fact<'tellRefused'>,
  context: StepContext,
): Decision => {
  if (state.told.some((entry) => entry.shipmentId === shipmentId)) return UNCHANGED;
  const step = startStep(state);
  step.next.told = [...state.told, { shipmentId, state: 'refused' }];
  happen(step, 'platform_refused', { shipmentId, detail });
  if (!isOverOnPlatform(step.next))
    openCase(step, 'activity_exhausted', `the platform refuses parcel ${shipmentId}: ${detail}`);
  return finishStep(step, context);
};

export const noteErrandStuck = (
  state: OrderState,
  { errand, detail }: Fact<'errandStuck'>,
  context: StepContext,
): Decision => {
  if (state.cases.some(({ code }) => code === 'activity_exhausted')) return UNCHANGED;
  const step = startStep(state);
  openCase(step, 'activity_exhausted', `${errand}: ${detail}`);
  return finishStep(step, context);
};
