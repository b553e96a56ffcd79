import type { OrderView } from '../../../domain/order-view.ts';
import { orderWorkflowId } from '../../../domain/ids.ts';

/** An order as callers see it: masked, and nothing of what is stored beside the view. An `OrderRecord` is one. */
export type AnswerableOrder = Omit<OrderView, 'buyerId'>;

export type OrderAnswer = ReturnType<typeof orderAnswer>;

/** Lists every field by name, so that a new field of the record never reaches a caller by accident. */
export const orderAnswer = (order: AnswerableOrder) => ({
  orderId: order.orderId,
  shopId: order.shopId,
  channel: order.channel,
  platformOrderId: order.platformOrderId,
  type: order.type,
  status: order.status,
  paymentStatus: order.paymentStatus,
  fulfilmentStatus: order.fulfilmentStatus,
  afterSaleStatus: order.afterSaleStatus,
  holds: order.holds.map(({ code, since, detail, until }) => ({ code, since, detail, ...(until ? { until } : {}) })),
  currency: order.currency,
  totals: totalsAnswer(order.totals),
  lines: order.lines.map(lineAnswer),
  payments: order.payments.map(paymentAnswer),
  allocations: order.allocations.map(({ warehouseId, courier, lines }) => ({
    warehouseId,
    courier,
    lines: quantities(lines),
  })),
  shipments: order.shipments.map(shipmentAnswer),
  receiver: receiverAnswer(order.receiver),
  assignee: order.assignee,
  parcelGroup: order.parcelGroup && { groupId: order.parcelGroup.groupId, orderIds: order.parcelGroup.orderIds },
  allowedActions: order.allowedActions,
  workflowId: orderWorkflowId(order.orderId),
  revision: order.revision,
  placedAt: order.placedAt,
  paidAt: order.paidAt,
  deliveredAt: order.deliveredAt,
  updatedAt: order.updatedAt,
});

const totalsAnswer = ({ goods, discount, freight, payable, paid, refunded, refundable }: OrderView['totals']) => ({
  goods,
  discount,
  freight,
  payable,
  paid,
  refunded,
  refundable,
});

const lineAnswer = (line: OrderView['lines'][number]) => ({
  lineId: line.lineId,
  skuCode: line.skuCode,
  title: line.title,
  quantity: line.quantity,
  unitPrice: line.unitPrice,
  paidShare: line.paidShare,
  unitPaidShares: line.unitPaidShares,
  shipped: line.shipped,
  cancelled: line.cancelled,
  refunded: line.refunded,
  ...(line.category === undefined ? {} : { category: line.category }),
});

const paymentAnswer = ({
  paymentId,
  method,
  amount,
  paidAt,
  transactionId,
  settlement,
}: OrderView['payments'][number]) => ({
  paymentId,
  method,
  amount,
  paidAt,
  ...(transactionId === undefined ? {} : { transactionId }),
  ...(settlement ? { settlement: { currency: settlement.currency, amount: settlement.amount } } : {}),
});

const shipmentAnswer = (shipment: OrderView['shipments'][number]) => ({
  shipmentId: shipment.shipmentId,
  warehouseId: shipment.warehouseId,
  courier: shipment.courier,
  trackingNo: shipment.trackingNo,
  status: shipment.status,
  lines: quantities(shipment.lines),
  shippedAt: shipment.shippedAt,
  ...(shipment.deliveredAt === undefined ? {} : { deliveredAt: shipment.deliveredAt }),
});

const receiverAnswer = ({ masked, province, city, district, pickupStation }: OrderView['receiver']) => ({
  name: masked.name,
  phone: masked.phone,
  province,
  city,
  district,
  address: masked.address,
  pickupStation,
});

const quantities = (lines: readonly { lineId: string; quantity: number }[]) =>
  lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
