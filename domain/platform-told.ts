import type { OrderState } from './order-model.ts';
import type { PlatformPhase } from './platform-order.ts';

/** For these it is over: there is nothing left to tell, and they would refuse it. */
const OVER: readonly PlatformPhase[] = ['finished', 'closed_refunded'];

export const isOverOnPlatform = ({ snapshot: { platform } }: OrderState): boolean =>
  platform !== undefined && OVER.includes(platform.phase);

/** Parcels that the platform is still to be told of, the first one first. */
export const untoldParcels = (state: OrderState): string[] =>
  state.snapshot.platform === undefined || isOverOnPlatform(state)
    ? []
    : state.shipments
        .filter(({ shipmentId }) => !state.told.some((entry) => entry.shipmentId === shipmentId))
        .map(({ shipmentId }) => shipmentId);

/** An order does not end before its platform knows of every parcel, or has finished it itself. */
export const mayComplete = (state: OrderState): boolean =>
  state.deliveredAt !== null && untoldParcels(state).length === 0;
