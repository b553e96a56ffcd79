import type { Channel } from '../../domain/order-model.ts';
import type { CollectedOrder } from '../../domain/platform-order.ts';

/** What an adapter needs of a shop; credentials in clear, as `PUT /v1/shops` takes them. */
export interface ChannelShop {
  shopId: string;
  channel: Channel;
  currency: string;
  /** Origin in place of the platform's own. */
  baseUrl: string | null;
  credentials: Readonly<Record<string, string>>;
}

/** Half open, RFC 3339, UTC, on the platform's time of change. */
export interface TimeWindow {
  from: string;
  to: string;
}

export interface OrderPage {
  orders: CollectedOrder[];
  /** Pages of the window that are done with this one, and how many there are as far as known. */
  pagesDone: number;
  pagesTotal: number;
}

/** A platform's message: a hint that an order has changed, never the change itself. */
export interface PlatformMessage {
  messageId: string;
  topic: string;
  /** Null when the message is about something else. */
  platformOrderId: string | null;
  /** RFC 3339, UTC. */
  sentAt: string;
}

/** One parcel that the platform is to be told of. */
export interface ParcelNotice {
  platformOrderId: string;
  /** In the platform's own code. */
  courier: string;
  trackingNo: string;
  /** Lines in the parcel. */
  lineIds: string[];
  /** Whether other lines of the order are not in it. */
  isPartial: boolean;
}

/** `refused`: the platform will never take it, and why. */
export type TellAnswer = { state: 'told' } | { state: 'refused'; detail: string };

export interface RefreshedToken {
  /** Fields of the shop's credentials that changed. */
  credentials: Record<string, string>;
  /** RFC 3339, UTC; absent when the platform does not say. */
  expiresAt?: string;
}

/** Statuses of the platform by the phase that they mean, from the document `status-mappings.<channel>`. */
export type StatusMapping = Readonly<Record<string, string>>;

/**
 * One shop on one platform. Every call throws `AdapterError` only: `throttled` with the wait that the platform asks for,
 * `unauthorised` for a session that a refresh may mend, `unavailable` for what may be asked again, `unknownOutcome` when a
 * call that changes something may have taken effect, `invalid` when our own request is wrong.
 */
export interface ChannelClient {
  /**
   * Every order that changed in the window, page by page, in an order in which rows that move while one pages are not
   * missed. An order may come more than once.
   */
  changedOrders(window: TimeWindow, signal?: AbortSignal): AsyncIterable<OrderPage>;
  /** Null when the platform does not know it. */
  order(platformOrderId: string, signal?: AbortSignal): Promise<CollectedOrder | null>;
  /** Safe to repeat: what was told before is recognised as told. */
  tellParcel(notice: ParcelNotice, signal?: AbortSignal): Promise<TellAnswer>;
  writeMemo(platformOrderId: string, memo: string, signal?: AbortSignal): Promise<void>;
  /** Messages that wait; they come again until confirmed. */
  messages(limit: number, signal?: AbortSignal): Promise<PlatformMessage[]>;
  confirmMessages(messageIds: readonly string[], signal?: AbortSignal): Promise<void>;
  /** A new session for the one that is no longer taken; `unauthorised` when there is none to be had. */
  refreshToken(signal?: AbortSignal): Promise<RefreshedToken>;
}

export interface ChannelClientOptions {
  statusMapping: StatusMapping;
  /** Of one call, in milliseconds. */
  timeoutMs?: number;
}

export type CreateChannelClient = (shop: ChannelShop, options: ChannelClientOptions) => ChannelClient;
