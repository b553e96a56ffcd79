import type { Actor, OrderMessage } from '../domain/order-messages.ts';
import type { CaseChange, Happening, ReservationOutcome, StockIntent } from '../domain/order-step.ts';
import type { WrittenStep } from '../domain/step-request.ts';
import type { AuditEntry } from './audit-log.ts';
import type { OrderRecord } from './order-records.ts';
import type { StockChangeRequest } from './stock-change.ts';

/** The fields of an order's record that a step writes; everything else is intake's. */
export type OrderFields = Omit<
  OrderRecord,
  '_id' | 'snapshot' | 'contentHash' | 'origin' | 'heard' | 'untold' | 'runId' | 'lastStep'
>;

/** One step of one order: written whole or not at all, and only once however often it is asked for. */
export interface OrderStepRequest {
  kind: 'orderStep';
  orderId: string;
  shopId: string;
  /** Revision after the step. */
  revision: number;
  /** First run of the order's workflow; an order belongs to one. `null` = a step on an order that has ended. */
  runId: string | null;
  /** A reinstated order gets a new first run: the record changes hands. */
  takesOver: boolean;
  /** What caused the step; whoever meets it again learns what it was. */
  message?: OrderMessage;
  actor: Actor;
  at: Date;
  stock: StockIntent[];
  cases: CaseChange[];
  /** View and audit as the reservation's outcome makes them. */
  build(outcome: ReservationOutcome | undefined): { fields: OrderFields; audit: AuditEntry };
}

/** The rest of a queue that was too long for one transaction. */
export interface ServeQueueRequest {
  kind: 'serveQueue';
  skuCodes: string[];
  at: Date;
}

export type CommitRequest = OrderStepRequest | StockChangeRequest | ServeQueueRequest;

export interface CommitAnswer {
  /** Nothing was written when the outcome is `short`, or when the step had been written before. */
  isRepeat: boolean;
  outcome?: ReservationOutcome;
  auditHash: string;
  /** What was written of the order's record, when it was written now. */
  fields?: OrderFields;
  /** … and what happened, by codes. */
  happened?: Happening[];
  /** Of a repeat: the step that is written under this revision. */
  written?: WrittenStep;
}

/** What a listener learns of a step that was written. */
export interface WrittenStepNote {
  orderId: string;
  revision: number;
  actor: Actor;
  fields: OrderFields;
  happened: readonly Happening[];
}

/** The order belongs to another workflow run, or to nobody any more: a foreign write, never stale news. */
export class ForeignRun extends Error {
  override name = 'ForeignRun';
}
