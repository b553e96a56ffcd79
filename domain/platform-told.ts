import type { OrderState } from './order-model.ts';

/** Parcels that the platform is still to be told of, the first one first. */
export const untoldParcels = (state: OrderState): string[] =>
  state.snapshot.platform === undefined
    ? []
    : state.shipments
        .filter(({ shipmentId }) => !state.told.some((entry) => entry.shipmentId === shipmentId))
        .map(({ shipmentId }) => shipmentId);

/** An order does not end before its platform knows of every parcel, or has finished it itself. */
export const mayComplete = (state: OrderState): boolean =>
  state.deliveredAt !== null && (state.snapshot.platform?.phase === 'finished' || untoldParcels(state).length === 0);
