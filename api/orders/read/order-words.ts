import { ORDER_TRANSITIONS } from '../../../domain/order-status.ts';
import type { Channel, FulfilmentStatus, HoldCode, OrderStatus, PaymentStatus } from '../../../domain/order-model.ts';

export const ORDER_STATUSES = Object.keys(ORDER_TRANSITIONS) as [OrderStatus, ...OrderStatus[]];

export const PAYMENT_STATUSES = [
  'unpaid',
  'partially_paid',
  'paid',
  'partially_refunded',
  'refunded',
] as const satisfies readonly PaymentStatus[];

export const FULFILMENT_STATUSES = [
  'unfulfilled',
  'partial',
  'fulfilled',
  'delivered',
] as const satisfies readonly FulfilmentStatus[];

export const CHANNELS = [
  'taobao',
  'tmall',
  'jd',
  'pinduoduo',
  'douyin',
  'kuaishou',
  'youzan',
  'wechat',
  'own',
] as const satisfies readonly Channel[];

export const HOLD_CODES = [
  'platform_hold',
  'risk_review',
  'phone_confirmation',
  'unknown_sku',
  'address_incomplete',
  'manual',
  'refund_open',
  'overpaid',
  'amount_mismatch',
  'unknown_status',
] as const satisfies readonly HoldCode[];
