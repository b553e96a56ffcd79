import type { AmountMinor } from './money.ts';
import type { LineQuantity, OrderType, Payment } from './order-model.ts';

/** How far a platform says that its order has come, in words common to all platforms. */
export type PlatformPhase =
  | 'unpaid'
  /** A presale's deposit is paid, its balance not. */
  | 'deposit_paid'
  | 'paid'
  | 'partly_shipped'
  | 'shipped'
  /** The buyer has the goods; the trade is done. */
  | 'finished'
  /** Ended without having been paid. */
  | 'closed_unpaid'
  /** Ended because everything was paid back. */
  | 'closed_refunded'
  /** A status that no mapping knows: never guessed. */
  | 'unknown';

/** A parcel as the platform knows it. */
export interface PlatformParcel {
  /** In the platform's own code. */
  courier: string;
  trackingNo: string;
  lineIds: string[];
}

/** What the platform says of its order, beside what was ordered. Nothing personal. */
export interface PlatformWord {
  /** Verbatim. */
  status: string;
  phase: PlatformPhase;
  /** Why the platform forbids sending it for now, verbatim; null when it does not. */
  lockedBy: string | null;
  /** RFC 3339, UTC: the platform's own time of change, which orders its words. */
  modifiedAt: string;
  /** What the buyer has paid, subsidies apart; the platform's own figure. */
  paid: AmountMinor;
  /** Lines of which the buyer asks the money back, and of which it was given back by the platform. */
  refundOpen: string[];
  refunded: LineQuantity[];
  parcels: PlatformParcel[];
  /** When it finished or closed. */
  endedAt?: string;
}

/** The person that goods go to, as the platform gives it: often masked, with a token that the WMS can open. */
export interface PlatformReceiver {
  name: string;
  phone: string;
  province: string;
  city: string;
  district: string;
  address: string;
  pickupStation: boolean;
  /** The platform's address token (`oaid`). */
  token?: string;
}

export interface PlatformLine {
  /** The platform's line id, exact however many digits it has. */
  lineId: string;
  /** What a SKU mapping is made for. */
  platformSku?: string;
  /** The merchant's own code on the platform: the SKU where there is no mapping. */
  merchantCode?: string;
  title: string;
  quantity: number;
  unitPrice: AmountMinor;
  discount: AmountMinor;
  category?: string;
}

/** A platform's order in our own terms. Amounts add up as a contract order's do: `payable` follows from the lines. */
export interface PlatformOrderContent {
  type: OrderType;
  placedAt: string;
  currency: string;
  buyer: { id: string; firstOrder: boolean };
  receiver: PlatformReceiver;
  lines: PlatformLine[];
  orderDiscount: AmountMinor;
  freight: AmountMinor;
  payable: AmountMinor;
  presale?: { deposit: AmountMinor; balanceDueAt?: string; promisedShipAt?: string };
  payments: Payment[];
  platform: PlatformWord;
}

/** One order of a page, as received and as understood. */
export interface CollectedOrder {
  platformOrderId: string;
  /** The platform's text of this one order. */
  raw: string;
  /** RFC 3339, UTC. */
  modifiedAt: string;
  /** Null when it could not be understood; then `problem` says why, without anything personal. */
  content: PlatformOrderContent | null;
  problem: string | null;
}
