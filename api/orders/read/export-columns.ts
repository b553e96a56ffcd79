import type { OrderAnswer } from './order-answer.ts';

export type Cell = string | number | null;

interface Column {
  readonly name: string;
  readonly value: (order: OrderAnswer, line: OrderAnswer['lines'][number]) => Cell;
}

const joined = (texts: readonly string[]): string => [...new Set(texts)].join(' ');

/** One row per line, what belongs to the whole order on each of its rows. Amounts are minor units of the currency. */
export const EXPORT_COLUMNS: readonly Column[] = [
  { name: 'orderId', value: (order) => order.orderId },
  { name: 'platformOrderId', value: (order) => order.platformOrderId },
  { name: 'shopId', value: (order) => order.shopId },
  { name: 'channel', value: (order) => order.channel },
  { name: 'type', value: (order) => order.type },
  { name: 'status', value: (order) => order.status },
  { name: 'paymentStatus', value: (order) => order.paymentStatus },
  { name: 'fulfilmentStatus', value: (order) => order.fulfilmentStatus },
  { name: 'afterSaleStatus', value: (order) => order.afterSaleStatus },
  { name: 'holds', value: (order) => joined(order.holds.map(({ code }) => code)) },
  { name: 'placedAt', value: (order) => order.placedAt },
  { name: 'paidAt', value: (order) => order.paidAt },
  { name: 'deliveredAt', value: (order) => order.deliveredAt },
  { name: 'updatedAt', value: (order) => order.updatedAt },
  { name: 'currency', value: (order) => order.currency },
  { name: 'payableMinor', value: (order) => order.totals.payable },
  { name: 'paidMinor', value: (order) => order.totals.paid },
  { name: 'refundedMinor', value: (order) => order.totals.refunded },
  { name: 'discountMinor', value: (order) => order.totals.discount },
  { name: 'freightMinor', value: (order) => order.totals.freight },
  { name: 'receiverName', value: (order) => order.receiver.name },
  { name: 'receiverPhone', value: (order) => order.receiver.phone },
  { name: 'province', value: (order) => order.receiver.province },
  { name: 'city', value: (order) => order.receiver.city },
  { name: 'district', value: (order) => order.receiver.district },
  { name: 'assignee', value: (order) => order.assignee },
  { name: 'warehouses', value: (order) => joined(order.allocations.map(({ warehouseId }) => warehouseId)) },
  { name: 'couriers', value: (order) => joined(order.shipments.map(({ courier }) => courier)) },
  { name: 'trackingNos', value: (order) => joined(order.shipments.map(({ trackingNo }) => trackingNo)) },
  { name: 'lineId', value: (_, line) => line.lineId },
  { name: 'skuCode', value: (_, line) => line.skuCode },
  { name: 'title', value: (_, line) => line.title },
  { name: 'quantity', value: (_, line) => line.quantity },
  { name: 'unitPriceMinor', value: (_, line) => line.unitPrice },
  { name: 'paidShareMinor', value: (_, line) => line.paidShare },
  { name: 'shipped', value: (_, line) => line.shipped },
  { name: 'cancelled', value: (_, line) => line.cancelled },
  { name: 'refunded', value: (_, line) => line.refunded },
];

export const EXPORT_HEADER: readonly string[] = EXPORT_COLUMNS.map(({ name }) => name);

export const exportRows = (order: OrderAnswer): Cell[][] =>
  order.lines.map((line) => EXPORT_COLUMNS.map(({ value }) => value(order, line)));
