import type { DeliveryOrder, DeliveryOrderLine } from '../adapters/wms/wms-port.ts';
import { sumMinor } from '../domain/money.ts';
import { paidShares } from '../domain/paid-share.ts';
import type { SealedReceiver } from '../domain/receiver-record.ts';
import type { HandOverInput, WmsWarehouse } from './fulfilment-activities.ts';

/** What a warehouse is asked to send; or why it cannot be asked. The only place where the receiver is in clear. */
export const deliveryOrderOf = (
  { code, snapshot, lines, courier, paidAt }: HandOverInput,
  { name, province, city, account }: WmsWarehouse,
  unseal: (sealed: string) => SealedReceiver,
): DeliveryOrder | string => {
  const { receiver, currency } = snapshot;
  const shares = paidShares(snapshot.lines, snapshot.orderDiscount);
  const isCny = currency === 'CNY';
  const wanted: DeliveryOrderLine[] = [];
  const amounts: number[] = [];
  for (const { lineId, quantity } of lines) {
    const index = snapshot.lines.findIndex((line) => line.lineId === lineId);
    const line = snapshot.lines[index];
    if (!line) return `the order has no line ${lineId}`;
    if (line.skuCode === null) return `line ${lineId} has no SKU`;
    const { skuCode, title } = line;
    const paid = shares[index]?.paidShare ?? 0;
    amounts.push(Math.round((paid * quantity) / line.quantity));
    wanted.push({ lineId, skuCode, title, quantity, unitPaid: isCny ? Math.round(paid / line.quantity) : null });
  }
  const { name: receiverName, phone, address, token } = unseal(receiver.sealed);
  return {
    code,
    warehouseId: account.warehouseId,
    shopId: snapshot.shopId,
    channel: snapshot.channel,
    platformOrderId: snapshot.platformOrderId,
    placedAt: snapshot.placedAt,
    paidAt,
    courier,
    totalAmount: isCny ? sumMinor(amounts) : null,
    sender: { name, province, city },
    receiver: {
      name: receiverName,
      phone,
      address,
      province: receiver.province,
      city: receiver.city,
      district: receiver.district,
      pickupStation: receiver.pickupStation,
      ...(token === undefined ? {} : { token }),
    },
    lines: wanted,
  };
};
