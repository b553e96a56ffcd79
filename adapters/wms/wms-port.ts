import type { PlatformReceiver } from '../../domain/platform-order.ts';

/** A warehouse's system, secrets in clear. */
export interface WmsAccount {
  warehouseId: string;
  /** The whole URL that is posted to. */
  baseUrl: string;
  appKey: string;
  secret: string;
  customerId: string;
}

export interface DeliveryOrderLine {
  /** The order's line id. */
  lineId: string;
  skuCode: string;
  title: string;
  quantity: number;
  /** Paid for one unit on average, minor units of CNY; null when the order is in another currency. */
  unitPaid: number | null;
}

/** What a warehouse is asked to send as one delivery. */
export interface DeliveryOrder {
  /** Ours and unique for ever: the same again is the same delivery. */
  code: string;
  warehouseId: string;
  shopId: string;
  channel: string;
  platformOrderId: string;
  placedAt: string;
  paidAt: string;
  courier: string | null;
  /** Minor units of CNY; null when the order is in another currency. */
  totalAmount: number | null;
  /** The warehouse's own place. */
  sender: { name: string; province: string; city: string };
  receiver: PlatformReceiver;
  lines: DeliveryOrderLine[];
}

export type WmsAnswer = { state: 'done' } | { state: 'refused'; detail: string };

/** Throws `AdapterError` only; `unknownOutcome` when the call may have taken effect. */
export interface WmsClient {
  /** Safe to repeat: a code that the WMS has is done. */
  create(order: DeliveryOrder, signal?: AbortSignal): Promise<WmsAnswer>;
  /** Safe to repeat: what was stopped is done. `refused` when it is packed or gone. */
  stop(code: string, reason: string, signal?: AbortSignal): Promise<WmsAnswer>;
}

export type CreateWmsClient = (account: WmsAccount) => WmsClient;
