import type { BookedReport, Delivery } from './delivery-book.ts';
import { chinaTime, type Format, type Node } from './qimen-protocol.ts';

export const reportMethod = ({ content }: BookedReport): string =>
  content.kind === 'confirm' ? 'deliveryorder.confirm' : 'orderprocess.report';

/** The body of a report; the same report gives the same body, byte for byte. */
export const reportBody = (delivery: Delivery, report: BookedReport, format: Format): Node => {
  const { code, warehouseId, lines } = delivery;
  const { content, number, at } = report;
  const time = chinaTime(at);
  if (content.kind === 'progress')
    return {
      order: { orderCode: code, orderId: `W-${code}`, orderType: 'JYCK', warehouseCode: warehouseId },
      process: { processStatus: content.status, operatorName: '老王', operateTime: time },
    };
  const packages = content.parcels.map(({ logisticsCode, expressCode, items }) => ({
    logisticsCode,
    expressCode,
    ...inList(
      'items',
      'item',
      items.map(({ itemCode, quantity }) => ({ itemCode, quantity })),
      format,
    ),
  }));
  const sent = content.parcels.flatMap(({ items }) => items);
  const orderLines = [...new Map(sent.map((item) => [item.lineNo, item.itemCode]))].map(([lineNo, itemCode]) => ({
    orderLineNo: lineNo,
    itemCode,
    inventoryType: 'ZP',
    planQty: lines.find((line) => line.lineNo === lineNo)?.quantity ?? 0,
    actualQty: sent.reduce((sum, item) => sum + (item.lineNo === lineNo ? item.quantity : 0), 0),
  }));
  return {
    deliveryOrder: {
      deliveryOrderCode: code,
      deliveryOrderId: `W-${code}`,
      warehouseCode: warehouseId,
      orderType: 'JYCK',
      status: content.isFinal ? 'DELIVERED' : 'PARTDELIVERED',
      outBizCode: number,
      confirmType: content.isFinal ? 0 : 1,
      orderConfirmTime: time,
    },
    ...inList('packages', 'package', packages, format),
    ...inList('orderLines', 'orderLine', orderLines, format),
  };
};

const inList = (outer: string, inner: string, items: Node[], format: Format): Node => ({
  [outer]: format === 'xml' ? { [inner]: items } : items,
});
