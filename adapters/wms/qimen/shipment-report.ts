import { createHash } from 'node:crypto';
import type { ReportParcelsCommand, ReportedLine, ReportedParcel } from '../../../domain/order-messages.ts';
import { FieldRefused, childOf, listOf, neededText, textOf, wholeOf, type Fields } from './fields.ts';

export type ShipmentReport = Omit<ReportParcelsCommand, 'type' | 'warehouseId'>;

/** A warehouse may confirm in bulk; one message is one piece of work all the same. */
const MOST_REPORTS = 500;
const MOST_LINES = 2000;
/** Words of the status that go with parcels; every other says that none have left. */
const SENT = ['', 'DELIVERED', 'PARTDELIVERED'];

/** Of `deliveryorder.confirm`. */
export const shipmentReportOf = (request: Fields): ShipmentReport => {
  const head = childOf(request, 'deliveryOrder');
  const deliveryOrderCode = neededText(head, 'deliveryOrderCode', 200);
  const status = textOf(head, 'status', 40).toUpperCase();
  const parcels = parcelsOf(head, listOf(request, 'packages', 'package'), listOf(request, 'orderLines', 'orderLine'));
  if (parcels.length > 0 && !SENT.includes(status)) throw new FieldRefused('packages do not go with this status');
  const report = { deliveryOrderCode, isFinal: isFinal(head, status), parcels };
  // Needed where a delivery is confirmed in parts; else the content is its own number.
  const outBizCode = textOf(head, 'outBizCode', 128) || `content-${contentHash(report)}`;
  return { ...report, outBizCode };
};

/** Of `deliveryorder.batchconfirm`. */
export const shipmentReportsOf = (request: Fields): ShipmentReport[] => {
  const orders = listOf(request, 'orders', 'order');
  if (orders.length === 0) throw new FieldRefused('orders are missing');
  if (orders.length > MOST_REPORTS) throw new FieldRefused(`there are more than ${MOST_REPORTS} orders`);
  return orders.map(shipmentReportOf);
};

/** 1: more comes; 0 or none: nothing more comes, unless the status says that it was a part. */
const isFinal = (head: Fields, status: string): boolean => {
  const confirmType = textOf(head, 'confirmType', 20);
  if (!['', '0', '1'].includes(confirmType)) throw new FieldRefused('confirmType must be 0 or 1');
  return confirmType === '' ? status !== 'PARTDELIVERED' : confirmType === '0';
};

const parcelsOf = (head: Fields, packages: Fields[], orderLines: Fields[]): ReportedParcel[] => {
  if (packages.length + orderLines.length > MOST_LINES) throw new FieldRefused(`more than ${MOST_LINES} lines`);
  const sent = mergeLines(orderLines.map(lineOf));
  // Warehouses that send one parcel may name its waybill beside the order.
  const bare = packages.length === 0 && textOf(head, 'expressCode') !== '' ? [head] : packages;
  const parcels = mergeParcels(bare.map(parcelOf));
  const [only] = parcels;
  if (!only) {
    if (sent.length > 0) throw new FieldRefused('packages are missing: without a waybill nothing has left');
    return [];
  }
  if (parcels.length === 1 && sent.length > 0) {
    // Lines name ours, items of a package the SKU only.
    if (only.lines.length > 0) assertSameGoods(only.lines, sent);
    return [{ ...only, lines: sent }];
  }
  if (parcels.some(({ lines }) => lines.length === 0)) throw new FieldRefused('a package does not say what is in it');
  if (sent.length > 0)
    assertSameGoods(
      parcels.flatMap(({ lines }) => lines),
      sent,
    );
  return parcels;
};

const parcelOf = (fields: Fields): ReportedParcel => ({
  courier: neededText(fields, 'logisticsCode', 64),
  trackingNo: neededText(fields, 'expressCode', 64),
  lines: mergeLines(listOf(fields, 'items', 'item').map(itemOf)),
});

const itemOf = (item: Fields): ReportedLine => ({
  skuCode: neededText(item, 'itemCode', 128),
  quantity: wholeOf(item, 'quantity') ?? missing('quantity'),
});

const lineOf = (line: Fields): ReportedLine => {
  const lineId = textOf(line, 'orderLineNo', 128);
  const skuCode = textOf(line, 'itemCode', 128);
  if (lineId === '' && skuCode === '') throw new FieldRefused('orderLine names neither orderLineNo nor itemCode');
  return {
    ...(lineId === '' ? {} : { lineId }),
    ...(skuCode === '' ? {} : { skuCode }),
    quantity: wholeOf(line, 'actualQty') ?? missing('actualQty'),
  };
};

const missing = (name: string): never => {
  throw new FieldRefused(`${name} is missing`);
};

/** The same goods named twice, batch by batch, are the sum; of what is nothing, nothing has left. */
const mergeLines = (lines: readonly ReportedLine[]): ReportedLine[] => {
  const merged = new Map<string, ReportedLine>();
  for (const line of lines) {
    const key = JSON.stringify([line.lineId, line.skuCode]);
    merged.set(key, { ...line, quantity: line.quantity + (merged.get(key)?.quantity ?? 0) });
  }
  return [...merged.values()].filter(({ quantity }) => quantity > 0);
};

/** A waybill is one parcel, however often it is named. */
const mergeParcels = (parcels: readonly ReportedParcel[]): ReportedParcel[] => {
  const merged = new Map<string, ReportedParcel>();
  for (const parcel of parcels) {
    const key = JSON.stringify([parcel.courier, parcel.trackingNo]);
    const lines = mergeLines([...(merged.get(key)?.lines ?? []), ...parcel.lines]);
    merged.set(key, { ...parcel, lines });
  }
  return [...merged.values()];
};

/** Where both name SKUs; which of two that contradict each other is right is nobody's guess. */
const assertSameGoods = (items: readonly ReportedLine[], sent: readonly ReportedLine[]): void => {
  if (sent.some(({ skuCode }) => skuCode === undefined)) return;
  const units = new Map<string, number>();
  for (const { skuCode = '', quantity } of items) units.set(skuCode, (units.get(skuCode) ?? 0) + quantity);
  for (const { skuCode = '', quantity } of sent) units.set(skuCode, (units.get(skuCode) ?? 0) - quantity);
  if ([...units.values()].some((left) => left !== 0))
    throw new FieldRefused('items of packages and orderLines contradict each other');
};

const contentHash = (report: object): string =>
  createHash('sha256').update(JSON.stringify(report)).digest('hex').slice(0, 32);
