import type { LineQuantity } from '../../../domain/order-model.ts';
import type { PlatformParcel } from '../../../domain/platform-order.ts';
import type { TopTrade } from './trade-schema.ts';

/** Any other status of a line's refund, known or not, means that it is not settled. */
const SETTLED: readonly string[] = ['', 'NO_REFUND', 'CLOSED', 'SUCCESS'];

/** Lines of which the buyer asks the money back, and those that were paid back. */
export const tradeRefunds = (trade: TopTrade): { refundOpen: string[]; refunded: LineQuantity[] } => {
  const lines = trade.orders.order;
  return {
    refundOpen: lines.filter((line) => !SETTLED.includes(line.refund_status)).map(({ oid }) => oid),
    refunded: lines
      .filter((line) => line.refund_status === 'SUCCESS')
      .map(({ oid, num }) => ({ lineId: oid, quantity: num })),
  };
};

/** Parcels that the platform has been told of, in the order of their first lines. */
export const tradeParcels = (trade: TopTrade): PlatformParcel[] => {
  const parcels = new Map<string, PlatformParcel>();
  for (const { oid, logistics_company: courier, invoice_no: trackingNo } of trade.orders.order) {
    if (!trackingNo) continue;
    const key = `${courier}\n${trackingNo}`;
    const parcel = parcels.get(key) ?? { courier, trackingNo, lineIds: [] };
    parcel.lineIds.push(oid);
    parcels.set(key, parcel);
  }
  return [...parcels.values()];
};
