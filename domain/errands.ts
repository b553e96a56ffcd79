import type { DeliveryOrderState, LineQuantity, OrderState, Shipment } from './order-model.ts';
import { untoldParcels } from './platform-told.ts';
import { paidAtOf, unitsOf } from './order-quantities.ts';

/** Something that an outside system is still to be told; it follows from the state, so that none is forgotten or told twice. */
export type Errand =
  | { kind: 'handOver'; key: string; code: string; warehouseId: string; lines: LineQuantity[]; paidAt: string }
  | { kind: 'stop'; key: string; code: string; warehouseId: string; reason: string }
  | {
      kind: 'tellPlatform';
      key: string;
      shipmentId: string;
      courier: string;
      trackingNo: string;
      lineIds: string[];
      isPartial: boolean;
    };

export const handOverKey = (code: string): string => `handOver/${code}`;

/** At most one of a kind for the same thing; the platform hears of parcels one after the other. */
export const errandsOf = (state: OrderState): Errand[] => {
  const [untold] = untoldParcels(state);
  const parcel = state.shipments.find(({ shipmentId }) => shipmentId === untold);
  return [
    ...state.deliveryOrders.flatMap((order): Errand[] => {
      if (order.state === 'asked') return [handOver(state, order)];
      return order.state === 'stopping' ? [stop(state, order)] : [];
    }),
    ...(parcel ? [tellPlatform(state, parcel)] : []),
  ];
};

const handOver = (state: OrderState, { code, warehouseId, lines }: DeliveryOrderState): Errand => ({
  kind: 'handOver',
  key: handOverKey(code),
  code,
  warehouseId,
  lines,
  paidAt: paidAtOf(state) ?? state.snapshot.placedAt,
});

const stop = ({ cancelRequest }: OrderState, { code, warehouseId, stopFor }: DeliveryOrderState): Errand => ({
  kind: 'stop',
  key: `stop/${code}`,
  code,
  warehouseId,
  reason: cancelRequest?.reason ?? stopFor ?? 'hold',
});

const tellPlatform = ({ snapshot }: OrderState, { shipmentId, courier, trackingNo, lines }: Shipment): Errand => ({
  kind: 'tellPlatform',
  key: `tell/${shipmentId}`,
  shipmentId,
  courier,
  trackingNo,
  lineIds: lines.map(({ lineId }) => lineId),
  isPartial: unitsOf(lines) < unitsOf(snapshot.lines),
});
