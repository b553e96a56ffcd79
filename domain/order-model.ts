import type { AmountMinor } from './money.ts';
import type { PlatformWord } from './platform-order.ts';

export type Channel = 'taobao' | 'tmall' | 'jd' | 'pinduoduo' | 'douyin' | 'kuaishou' | 'youzan' | 'wechat' | 'own';
export type OrderType = 'normal' | 'presale' | 'custom';

/** Personal data never appears in clear: `sealed` opens only with the field key, the indexes serve equality search. */
export interface ReceiverRecord {
  province: string;
  city: string;
  district: string;
  pickupStation: boolean;
  masked: { name: string; phone: string; address: string };
  sealed: string;
  phoneIndex: string;
  addressIndex: string;
  /** What a parcel cannot go without and the buyer left out, e.g. `phone`; none means complete. */
  missing: string[];
  /** Of everything that a platform says of the receiver, its address token included: another one is another receiver. */
  identity?: string;
}

export interface OrderLine {
  lineId: string;
  /** `null` while neither a mapping nor a merchant code is known. */
  skuCode: string | null;
  platformSku?: string;
  title: string;
  quantity: number;
  unitPrice: AmountMinor;
  discount: AmountMinor;
  category?: string;
}

export interface Settlement {
  currency: string;
  amount: AmountMinor;
}

export interface Payment {
  paymentId: string;
  method: string;
  transactionId?: string;
  amount: AmountMinor;
  paidAt: string;
  settlement?: Settlement;
  /** Where a `bank` refund goes; sealed. */
  accountSealed?: string;
}

/** A platform does not always say the times; it then ends the order itself. */
export interface Presale {
  deposit: AmountMinor;
  balanceDueAt?: string;
  promisedShipAt?: string;
}

/** The unified order as intake took it in; the workflow changes nothing in it but the receiver and unknown SKUs. */
export interface OrderSnapshot {
  orderId: string;
  shopId: string;
  channel: Channel;
  platformOrderId: string;
  type: OrderType;
  placedAt: string;
  /** When intake stored it. */
  receivedAt: string;
  currency: string;
  buyer: { id: string; firstOrder: boolean };
  receiver: ReceiverRecord;
  lines: OrderLine[];
  orderDiscount: AmountMinor;
  freight: AmountMinor;
  payable: AmountMinor;
  presale?: Presale;
  payments: Payment[];
  /** What the platform says of it; absent for orders of the own shop. */
  platform?: PlatformWord;
  /** Why the platform's order could not be understood; it is held, with nothing but its id known. */
  unmapped?: string;
}

export type HoldCode =
  | 'platform_hold'
  | 'risk_review'
  | 'phone_confirmation'
  | 'unknown_sku'
  | 'address_incomplete'
  | 'manual'
  | 'refund_open'
  | 'overpaid'
  | 'amount_mismatch'
  | 'unknown_status';

export interface Hold {
  code: HoldCode;
  since: string;
  detail: string;
  until?: string;
}

export interface LineQuantity {
  lineId: string;
  quantity: number;
}

/** Goods of one warehouse that leave as one parcel; an order has several when no one warehouse has all, or when split. */
export interface Allocation {
  warehouseId: string;
  courier: string | null;
  lines: LineQuantity[];
}

export interface Shipment {
  shipmentId: string;
  warehouseId: string;
  courier: string;
  trackingNo: string;
  status: 'shipped' | 'delivered';
  lines: LineQuantity[];
  shippedAt: string;
  deliveredAt?: string;
  /** The delivery of a warehouse's system that it belongs to. */
  deliveryOrderCode?: string;
}

export type OrderStatus =
  | 'pending_payment'
  | 'on_hold'
  | 'processing'
  | 'backordered'
  | 'awaiting_shipment'
  | 'partially_shipped'
  | 'shipped'
  | 'delivered'
  | 'completed'
  | 'cancelled'
  | 'closed';
export type PaymentStatus = 'unpaid' | 'partially_paid' | 'paid' | 'partially_refunded' | 'refunded';
export type FulfilmentStatus = 'unfulfilled' | 'partial' | 'fulfilled' | 'delivered';
export type AfterSaleStatus = 'none' | 'open' | 'closed';

/** `asked` = the ledger has a claim of this round, filled or waiting; a new round begins after each release. */
export interface Reservation {
  round: number;
  state: 'none' | 'reserved' | 'backordered';
  allocations: Allocation[];
}

/** Why the order ended, or why its unshipped rest will not be sent. */
export interface Cancellation {
  at: string;
  reason: string;
  /** Units that will not be sent, per line. */
  lines: LineQuantity[];
  /** What stood when the whole order was cancelled; it stands again if the order is brought back. */
  holds: Hold[];
}

/**
 * Goods that a warehouse's system was asked to send. `asked` until it has answered, `accepted` until they have left or were
 * stopped; `stopping` while it is asked to stop them, which may be too late.
 */
export interface DeliveryOrderState {
  /** Ours, unique for ever; a new attempt has a new one. */
  code: string;
  warehouseId: string;
  lines: LineQuantity[];
  state: 'asked' | 'accepted' | 'stopping' | 'stopped' | 'refused' | 'sent';
  /** Why it is to be stopped. */
  stopFor?: 'hold' | 'address' | 'cancel' | 'refund';
  /** The warehouse has refused to stop it; it is not asked again but for a cancel. */
  isPacked?: boolean;
  detail?: string;
}

/** Everything that the order workflow knows; the view, the holds and the legal actions are computed from it. */
export interface OrderState {
  snapshot: OrderSnapshot;
  revision: number;
  holds: Hold[];
  reservation: Reservation;
  /** Warehouses that have accepted the goods list; a warehouse without a WMS accepts by having it. */
  handedOver: string[];
  /** What warehouses' systems were asked to send, oldest first. */
  deliveryOrders: DeliveryOrderState[];
  /** `outBizCode`s of the reports that are booked: the same report again changes nothing. */
  reports: string[];
  /** A cancel that waits for warehouses to stop. */
  cancelRequest: { reason: string; at: string } | null;
  /** Parcels by what the platform was told of them. */
  told: { shipmentId: string; state: 'told' | 'refused' }[];
  /** What the platform last said of the receiver, by `identity`; the order's own may have been changed here since. */
  heardReceiver: string | null;
  /** Finance has accepted that the platform's amounts differ from ours. */
  mismatchAccepted: boolean;
  shipments: Shipment[];
  cancellation: Cancellation | null;
  /** Set when the order ended without being cancelled: `closed` for a kept deposit or a full refund. */
  ended: { status: 'completed' | 'closed' | 'cancelled'; at: string } | null;
  deliveredAt: string | null;
  assignee: string | null;
  /** Orders that leave in the same parcel. */
  parcelGroup: { groupId: string; orderIds: string[] } | null;
  phoneConfirmed: boolean;
  /** Case codes opened by this order and not known to be resolved, with their ids. */
  cases: { caseId: string; code: CaseCode }[];
  /** Hash of the newest audit entry of this order; the next one is chained to it. */
  auditHash: string;
}

export type CaseCode =
  | 'unknown_sku'
  | 'unknown_status'
  | 'mapping_failed'
  | 'amount_mismatch'
  | 'overpaid'
  | 'late_payment'
  | 'phone_refused'
  | 'address_changed_late'
  | 'wms_refused'
  | 'activity_exhausted'
  | 'no_signer'
  | 'payout_failed'
  | 'refunded_by_platform'
  | 'amount_differs'
  | 'cancelled_not_refunded'
  | 'return_to_buyer'
  | 'deposit_kept'
  | 'shop_token_dead'
  | 'reconciliation_difference'
  | 'foreign_write'
  | 'dead_letter'
  | 'refund_due';
