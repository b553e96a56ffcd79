import type { ReceiverRecord } from './order-model.ts';
import { liveDeliveries } from './delivery-orders.ts';
import { holdIncompleteAddress } from './order-causes.ts';
import { dropHold, happen, type Step, type StepContext } from './order-step.ts';

/** The goods go to somebody or somewhere else; warehouses that have the old address are stopped and asked anew. */
export const moveTo = (step: Step, receiver: ReceiverRecord, context: StepContext): void => {
  const { next } = step;
  next.snapshot = { ...next.snapshot, receiver };
  // Another address is another parcel.
  next.parcelGroup = null;
  happen(step, 'address_changed', { district: receiver.district });
  if (receiver.missing.length === 0) dropHold(step, 'address_incomplete');
  else holdIncompleteAddress(step, context);
  // One that is being stopped already, and cannot be, goes to the old address too.
  const live = liveDeliveries(next).filter(({ state, stopFor }) => state !== 'stopping' || stopFor === 'hold');
  next.deliveryOrders = next.deliveryOrders.map((order) =>
    live.includes(order) ? { ...order, state: 'stopping', stopFor: 'address' } : order,
  );
};
