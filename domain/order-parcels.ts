import type { Shipment } from './order-model.ts';
import { unitsOf } from './order-quantities.ts';
import { happen, type Step } from './order-step.ts';

type Waybill = Pick<Shipment, 'courier' | 'trackingNo'>;
/** A courier's waybill is one parcel. */
export const isWaybill = (a: Waybill, b: Waybill): boolean => a.courier === b.courier && a.trackingNo === b.trackingNo;

export type SentParcel = Omit<Shipment, 'shipmentId' | 'status' | 'deliveredAt'>;

/** A parcel that is under way; its number counts within the order. */
export const addShipment = (step: Step, parcel: SentParcel): Shipment => {
  const { next } = step;
  const { warehouseId, courier, trackingNo, ...rest } = parcel;
  const shipmentId = `S${next.shipments.length + 1}`;
  const shipment: Shipment = { shipmentId, warehouseId, courier, trackingNo, status: 'shipped', ...rest };
  next.shipments = [...next.shipments, shipment];
  return shipment;
};

/** A parcel has left one of our warehouses. */
export const sendParcel = (step: Step, parcel: SentParcel): void => {
  const { shipmentId, courier, trackingNo, lines } = addShipment(step, parcel);
  happen(step, 'shipped', { shipmentId, courier, trackingNo, units: unitsOf(lines) });
};
