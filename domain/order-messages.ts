import type { HoldCode, LineQuantity, OrderSnapshot, Payment, ReceiverRecord } from './order-model.ts';

/** Who caused a change; `id` is a username, an API key's name or a component of ours, never personal data of a buyer. */
export interface Actor {
  kind: 'user' | 'service' | 'system';
  id: string;
}

/** Through which door a message came; written to the audit beside what it changed. */
export interface Origin {
  actor: Actor;
  requestId?: string;
  ip?: string;
}

export interface AddPaymentCommand {
  type: 'addPayment';
  payment: Payment;
  /** When given, must be the order's. */
  currency?: string;
}
export interface HoldCommand {
  type: 'hold';
  code: HoldCode;
  detail: string;
  until?: string;
}
export interface ReleaseCommand {
  type: 'release';
  code: HoldCode;
  /** Roles of the caller: some holds end only by finance, some not by an agent. */
  roles: string[];
}
export interface ChangeAddressCommand {
  type: 'changeAddress';
  receiver: ReceiverRecord;
}
export interface PhoneConfirmationCommand {
  type: 'phoneConfirmation';
  outcome: 'confirmed' | 'refused';
  note: string;
}
export interface AssignCommand {
  type: 'assign';
  username: string;
}
export interface CancelCommand {
  type: 'cancel';
  reason: string;
}
export interface ShipCommand {
  type: 'ship';
  warehouseId: string;
  courier: string;
  trackingNo: string;
  lines: LineQuantity[];
}
export interface DeliverCommand {
  type: 'deliver';
  shipmentId: string;
  deliveredAt?: string;
}
export interface SplitCommand {
  type: 'split';
  groups: { warehouseId?: string; lines: LineQuantity[] }[];
}
export interface AllocateCommand {
  type: 'allocate';
  warehouseId: string;
}
export interface JoinParcelCommand {
  type: 'joinParcel';
  groupId: string;
  orderIds: string[];
}

/** Goods in a parcel as a warehouse names them: by our line, or by SKU alone. */
export interface ReportedLine {
  lineId?: string;
  skuCode?: string;
  quantity: number;
}
export interface ReportedParcel {
  courier: string;
  trackingNo: string;
  lines: ReportedLine[];
}
/** A warehouse's system says what has left. Its word stands above holds: the goods are gone. */
export interface ReportParcelsCommand {
  type: 'reportParcels';
  warehouseId: string;
  deliveryOrderCode: string;
  /** The report's own number; the same again is the same report. */
  outBizCode: string;
  /** Nothing more comes for this delivery. */
  isFinal: boolean;
  parcels: ReportedParcel[];
}

/** What callers ask for; each is answered. */
export type OrderCommand =
  | AddPaymentCommand
  | HoldCommand
  | ReleaseCommand
  | ChangeAddressCommand
  | PhoneConfirmationCommand
  | AssignCommand
  | CancelCommand
  | ShipCommand
  | DeliverCommand
  | SplitCommand
  | AllocateCommand
  | JoinParcelCommand
  | ReportParcelsCommand;

/** What happened outside or by the passing of time; never refused, only recognised as old. */
export type OrderFact =
  | { type: 'opened' }
  | { type: 'reinstated' }
  | { type: 'stockReserved'; round: number }
  | { type: 'skuMapped'; platformSku: string; skuCode: string }
  | { type: 'caseResolved'; caseId: string }
  | { type: 'parcelShipped'; groupId: string; warehouseId: string; courier: string; trackingNo: string }
  | { type: 'stepRecovered'; caseId: string }
  /** The platform's order as it is now; an older one than is known changes nothing. */
  | { type: 'platformChanged'; snapshot: OrderSnapshot }
  | { type: 'handedOver'; code: string }
  | { type: 'handOverRefused'; code: string; detail: string }
  | { type: 'deliveryStopped'; code: string }
  | { type: 'stopRefused'; code: string; detail: string }
  | { type: 'platformTold'; shipmentId: string }
  | { type: 'tellRefused'; shipmentId: string; detail: string }
  /** A call to the outside has failed for all its time; it is tried again. */
  | { type: 'errandStuck'; errand: string; detail: string }
  | { type: 'paymentTimeout' }
  | { type: 'balanceOverdue' }
  | { type: 'holdExpired' }
  | { type: 'autoComplete' }
  | { type: 'stillWaiting' };

export type OrderMessage = OrderCommand | OrderFact;
export type OrderMessageType = OrderMessage['type'];
