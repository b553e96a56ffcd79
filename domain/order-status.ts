import type { FulfilmentStatus, OrderState, OrderStatus, PaymentStatus } from './order-model.ts';
import { isFullyPaid, paidTotal, remainingLines } from './order-quantities.ts';
import { isHandedOver } from './delivery-orders.ts';
import type { Transitions } from './transitions.ts';

/**
 * Which status may follow which; a hold may come before anything is shipped, so `on_hold` returns to any of those. Goods may
 * leave although a hold stands, when a warehouse could not stop them; and a platform may call finished what was sent by
 * somebody else.
 */
export const ORDER_TRANSITIONS: Transitions<OrderStatus> = {
  pending_payment: ['on_hold', 'processing', 'backordered', 'awaiting_shipment', 'completed', 'cancelled', 'closed'],
  on_hold: [
    'pending_payment',
    'processing',
    'backordered',
    'awaiting_shipment',
    'partially_shipped',
    'shipped',
    'delivered',
    'completed',
    'cancelled',
    'closed',
  ],
  backordered: ['on_hold', 'processing', 'awaiting_shipment', 'completed', 'cancelled', 'closed'],
  processing: ['on_hold', 'awaiting_shipment', 'partially_shipped', 'shipped'],
  awaiting_shipment: [
    'on_hold',
    'processing',
    'partially_shipped',
    'shipped',
    'delivered',
    'completed',
    'cancelled',
    'closed',
  ],
  partially_shipped: ['shipped', 'delivered', 'completed', 'closed'],
  shipped: ['delivered', 'completed', 'closed'],
  delivered: ['completed', 'closed'],
  completed: ['closed'],
  // A late payment may bring a cancelled order back to life, by an operator's choice.
  cancelled: ['backordered', 'processing', 'awaiting_shipment', 'on_hold'],
  closed: [],
};

export const statusOf = (state: OrderState): OrderStatus => {
  if (state.ended) return state.ended.status;
  const remaining = remainingLines(state);
  if (state.shipments.length > 0) {
    if (remaining.length > 0) return 'partially_shipped';
    return state.shipments.every((shipment) => shipment.status === 'delivered') ? 'delivered' : 'shipped';
  }
  if (state.holds.length > 0) return 'on_hold';
  if (!isFullyPaid(state)) return 'pending_payment';
  if (state.reservation.state !== 'reserved') return 'backordered';
  return isHandedOver(state) ? 'awaiting_shipment' : 'processing';
};

export const paymentStatusOf = (state: OrderState): PaymentStatus => {
  if (isFullyPaid(state)) return 'paid';
  return paidTotal(state) > 0 ? 'partially_paid' : 'unpaid';
};

export const fulfilmentStatusOf = (state: OrderState): FulfilmentStatus => {
  if (state.shipments.length === 0) return 'unfulfilled';
  if (remainingLines(state).length > 0) return 'partial';
  return state.shipments.every((shipment) => shipment.status === 'delivered') ? 'delivered' : 'fulfilled';
};
