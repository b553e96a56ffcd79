import type { OrderState } from './order-model.ts';
import type { OrderCommand } from './order-messages.ts';
import { hasHold, isReleasable } from './order-holds.ts';
import { isWorkedByRest, liveDeliveries } from './delivery-orders.ts';
import { allocatedRest, allocatedWarehouses, isFullyPaid, remainingLines } from './order-quantities.ts';

/** The words of the REST paths under `/v1/orders/{orderId}/`. */
export type OrderAction =
  | 'payments'
  | 'cancel'
  | 'hold'
  | 'release'
  | 'address'
  | 'phone-confirmation'
  | 'assign'
  | 'shipments'
  | 'deliveries'
  | 'split'
  | 'allocate'
  | 'merge';

export const ACTION_OF: Record<OrderCommand['type'], OrderAction> = {
  addPayment: 'payments',
  cancel: 'cancel',
  hold: 'hold',
  release: 'release',
  changeAddress: 'address',
  phoneConfirmation: 'phone-confirmation',
  assign: 'assign',
  ship: 'shipments',
  deliver: 'deliveries',
  split: 'split',
  allocate: 'allocate',
  joinParcel: 'merge',
  // By a warehouse's system, which is not asked whether it may.
  reportParcels: 'shipments',
};

/** Goods in warehouses that are worked through REST; the others report by their own systems. */
const canShip = (state: OrderState): boolean =>
  state.holds.length === 0 &&
  isFullyPaid(state) &&
  allocatedWarehouses(state).some(
    (warehouseId) => isWorkedByRest(state, warehouseId) && allocatedRest(state, warehouseId).length > 0,
  );

/** Parcels can be made anew only where no warehouse's system packs them; a hold calls them back. */
const canRearrange = (state: OrderState): boolean =>
  !state.ended && isUnshipped(state) && liveDeliveries(state).length === 0;

const isUnshipped = (state: OrderState): boolean => state.shipments.length === 0;

const CHECKS: Record<OrderAction, (state: OrderState) => boolean> = {
  // Also of an order that has ended: the money is there and must be seen to. A platform tells its payments itself.
  payments: (state) => !state.snapshot.platform,
  cancel: (state) => !state.ended && remainingLines(state).length > 0,
  hold: (state) => !state.ended && remainingLines(state).length > 0,
  release: (state) => !state.ended && state.holds.some((hold) => isReleasable(hold.code)),
  address: (state) => !state.ended && isUnshipped(state),
  'phone-confirmation': (state) => !state.ended && hasHold(state, 'phone_confirmation'),
  assign: () => true,
  shipments: (state) => !state.ended && canShip(state),
  deliveries: (state) => !state.ended && state.shipments.some((shipment) => shipment.status === 'shipped'),
  split: (state) => canRearrange(state) && state.reservation.state === 'reserved',
  allocate: (state) => canRearrange(state) && state.reservation.state !== 'none',
  merge: (state) => canRearrange(state) && state.reservation.state === 'reserved',
};

export const isAllowed = (state: OrderState, action: OrderAction): boolean => CHECKS[action](state);

/** What may be asked of the order now, by anybody with the right to; validators and the API's answers both come from here. */
export const allowedActions = (state: OrderState): OrderAction[] =>
  (Object.keys(CHECKS) as OrderAction[]).filter((action) => CHECKS[action](state));
