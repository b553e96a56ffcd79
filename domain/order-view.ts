import type {
  AfterSaleStatus,
  Allocation,
  Channel,
  FulfilmentStatus,
  Hold,
  OrderState,
  OrderStatus,
  OrderType,
  PaymentStatus,
  ReceiverRecord,
  Shipment,
} from './order-model.ts';
import { goodsTotal, paidShares } from './paid-share.ts';
import { allowedActions, type OrderAction } from './order-actions.ts';
import { cancelledUnits, paidAtOf, paidTotal, shippedUnits } from './order-quantities.ts';
import { fulfilmentStatusOf, paymentStatusOf, statusOf } from './order-status.ts';
import { orderWorkflowId } from './ids.ts';
import { sumMinor } from './money.ts';

export interface OrderLineView {
  lineId: string;
  skuCode: string | null;
  title: string;
  quantity: number;
  unitPrice: number;
  paidShare: number;
  unitPaidShares: number[];
  shipped: number;
  cancelled: number;
  refunded: number;
  category?: string;
}

/** What callers see of an order, except that `receiver` is still the record with its sealed part. */
export interface OrderView {
  orderId: string;
  shopId: string;
  channel: Channel;
  platformOrderId: string;
  type: OrderType;
  status: OrderStatus;
  paymentStatus: PaymentStatus;
  fulfilmentStatus: FulfilmentStatus;
  afterSaleStatus: AfterSaleStatus;
  holds: Hold[];
  currency: string;
  totals: {
    goods: number;
    discount: number;
    freight: number;
    payable: number;
    paid: number;
    refunded: number;
    refundable: number;
  };
  lines: OrderLineView[];
  payments: {
    paymentId: string;
    method: string;
    amount: number;
    paidAt: string;
    transactionId?: string;
    settlement?: { currency: string; amount: number };
  }[];
  allocations: Allocation[];
  shipments: Shipment[];
  receiver: ReceiverRecord;
  buyerId: string;
  assignee: string | null;
  parcelGroup: { groupId: string; orderIds: string[] } | null;
  allowedActions: OrderAction[];
  workflowId: string;
  revision: number;
  placedAt: string;
  paidAt: string | null;
  deliveredAt: string | null;
  updatedAt: string;
}

export const orderViewOf = (state: OrderState, updatedAt: string): OrderView => {
  const { snapshot } = state;
  const shares = paidShares(snapshot.lines, snapshot.orderDiscount);
  const paid = paidTotal(state);
  return {
    orderId: snapshot.orderId,
    shopId: snapshot.shopId,
    channel: snapshot.channel,
    platformOrderId: snapshot.platformOrderId,
    type: snapshot.type,
    status: statusOf(state),
    paymentStatus: paymentStatusOf(state),
    fulfilmentStatus: fulfilmentStatusOf(state),
    afterSaleStatus: 'none',
    holds: state.holds,
    currency: snapshot.currency,
    totals: {
      goods: goodsTotal(snapshot.lines),
      discount: sumMinor([snapshot.orderDiscount, ...snapshot.lines.map((line) => line.discount)]),
      freight: snapshot.freight,
      payable: snapshot.payable,
      paid,
      refunded: 0,
      refundable: paid,
    },
    lines: snapshot.lines.map((line, index) => ({
      lineId: line.lineId,
      skuCode: line.skuCode,
      title: line.title,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      paidShare: shares[index]?.paidShare ?? 0,
      unitPaidShares: shares[index]?.unitPaidShares ?? [],
      shipped: shippedUnits(state, line.lineId),
      cancelled: cancelledUnits(state, line.lineId),
      refunded: 0,
      ...(line.category === undefined ? {} : { category: line.category }),
    })),
    payments: snapshot.payments.map(({ accountSealed: _sealed, ...payment }) => payment),
    allocations: state.reservation.allocations,
    shipments: state.shipments,
    receiver: snapshot.receiver,
    buyerId: snapshot.buyer.id,
    assignee: state.assignee,
    parcelGroup: state.parcelGroup,
    allowedActions: allowedActions(state),
    workflowId: orderWorkflowId(snapshot.orderId),
    revision: state.revision,
    placedAt: snapshot.placedAt,
    paidAt: paidAtOf(state),
    deliveredAt: state.deliveredAt,
    updatedAt,
  };
};

/** What the audit compares before and after a step: everything that people and callers can change, nothing personal. */
export const auditFacets = (state: OrderState): Record<string, unknown> => ({
  status: statusOf(state),
  paymentStatus: paymentStatusOf(state),
  fulfilmentStatus: fulfilmentStatusOf(state),
  paid: paidTotal(state),
  holds: state.holds.map((hold) => hold.code),
  allocations: state.reservation.allocations,
  shipments: state.shipments.map(({ shipmentId, courier, trackingNo, status, lines }) => ({
    shipmentId,
    courier,
    trackingNo,
    status,
    lines,
  })),
  receiver: { ...state.snapshot.receiver.masked, district: state.snapshot.receiver.district },
  skus: state.snapshot.lines.map((line) => line.skuCode),
  assignee: state.assignee,
  parcelGroup: state.parcelGroup?.groupId ?? null,
  cases: state.cases.map(({ code }) => code),
});

/** The fields that differ, each side cut down to them. */
export const changedFacets = (before: Record<string, unknown>, after: Record<string, unknown>) => {
  const changed = Object.keys(after).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  const pick = (from: Record<string, unknown>) => Object.fromEntries(changed.map((key) => [key, from[key] ?? null]));
  return { before: pick(before), after: pick(after) };
};
