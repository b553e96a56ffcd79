import type { DeliveryOrderState, LineQuantity, OrderState, Shipment } from './order-model.ts';
import { allocatedRest, allocatedWarehouses, isFullyPaid } from './order-quantities.ts';

/** `<orderId>.D<n>`: the order is found from a delivery's code, and no code is used twice. */
export const deliveryCodeOf = (orderId: string, number: number): string => `${orderId}.D${number}`;

export const orderOfDelivery = (code: string): string | null => /^(.+)\.D\d{1,6}$/.exec(code)?.[1] ?? null;

const LIVE: readonly DeliveryOrderState['state'][] = ['asked', 'accepted', 'stopping'];

/** Goods that a warehouse's system has been asked for and that may still leave. */
export const isLive = ({ state }: DeliveryOrderState): boolean => LIVE.includes(state);
export const liveDeliveries = (state: OrderState): DeliveryOrderState[] => state.deliveryOrders.filter(isLive);

/** As they are when warehouses' systems are asked to stop whatever they can still stop; who has been asked is not asked again. */
export const recalled = (
  { deliveryOrders }: Pick<OrderState, 'deliveryOrders'>,
  stopFor: NonNullable<DeliveryOrderState['stopFor']>,
): DeliveryOrderState[] =>
  deliveryOrders.map((order) =>
    isLive(order) && order.state !== 'stopping' && !order.isPacked ? { ...order, state: 'stopping', stopFor } : order,
  );

/** Units of a delivery that have not left, per line. */
export const deliveryRest = (
  { shipments }: Pick<OrderState, 'shipments'>,
  { code, lines }: Pick<DeliveryOrderState, 'code' | 'lines'>,
): LineQuantity[] => without(lines, sentBy(shipments, code));

const sentBy = (shipments: readonly Shipment[], code: string): LineQuantity[] =>
  shipments.flatMap((shipment) => (shipment.deliveryOrderCode === code ? shipment.lines : []));

/** `lines` less `taken`; what is nothing then is left out. */
export const without = (lines: readonly LineQuantity[], taken: readonly LineQuantity[]): LineQuantity[] => {
  const left = new Map<string, number>();
  for (const { lineId, quantity } of taken) left.set(lineId, (left.get(lineId) ?? 0) + quantity);
  return lines.flatMap(({ lineId, quantity }) => {
    const minus = Math.min(quantity, left.get(lineId) ?? 0);
    left.set(lineId, (left.get(lineId) ?? 0) - minus);
    return quantity > minus ? [{ lineId, quantity: quantity - minus }] : [];
  });
};

/** Units that `lines` and `others` have both. */
export const common = (lines: readonly LineQuantity[], others: readonly LineQuantity[]): LineQuantity[] =>
  without(lines, without(lines, others));

const coveredAt = (state: OrderState, warehouseId: string, isCounted: (order: DeliveryOrderState) => boolean) =>
  state.deliveryOrders
    .filter((order) => order.warehouseId === warehouseId && isCounted(order))
    .flatMap((order) => deliveryRest(state, order));

/** Units that a warehouse is to send and that its system has not taken, or not been asked for when `isCounted` says so. */
const uncovered = (
  state: OrderState,
  warehouseId: string,
  isCounted: (order: DeliveryOrderState) => boolean,
): LineQuantity[] => without(allocatedRest(state, warehouseId), coveredAt(state, warehouseId, isCounted));

export const isWorkedByRest = ({ handedOver }: OrderState, warehouseId: string): boolean =>
  handedOver.includes(warehouseId);

/** Every warehouse has its goods list: worked through REST and so without a hand-over, or taken by its system. */
export const isHandedOver = (state: OrderState): boolean =>
  allocatedWarehouses(state).every(
    (warehouseId) =>
      isWorkedByRest(state, warehouseId) ||
      uncovered(state, warehouseId, (order) => isLive(order) && order.state !== 'asked').length === 0,
  );

const mayAsk = (state: OrderState): boolean =>
  !state.ended &&
  !state.cancelRequest &&
  state.holds.length === 0 &&
  state.reservation.state === 'reserved' &&
  isFullyPaid(state);

/** Asks the systems of warehouses for whatever is reserved there and nobody has asked them for; one delivery a parcel. */
export const withDeliveriesAsked = (state: OrderState): OrderState => {
  if (!mayAsk(state)) return state;
  const asked: DeliveryOrderState[] = [];
  for (const warehouseId of allocatedWarehouses(state)) {
    if (isWorkedByRest(state, warehouseId)) continue;
    let open = uncovered(state, warehouseId, isLive);
    for (const parcel of state.reservation.allocations) {
      if (parcel.warehouseId !== warehouseId) continue;
      const lines = common(parcel.lines, open);
      if (lines.length === 0) continue;
      open = without(open, lines);
      const code = deliveryCodeOf(state.snapshot.orderId, state.deliveryOrders.length + asked.length + 1);
      asked.push({ code, warehouseId, lines, state: 'asked' });
    }
  }
  return asked.length === 0 ? state : { ...state, deliveryOrders: [...state.deliveryOrders, ...asked] };
};
