import { ApplicationFailure } from '@temporalio/common';
import type { AuditDraft, AuditEntry } from '../models/audit-log.ts';
import type { OrderStepRequest, StepCommitter } from '../models/step-committer.ts';
import type { CaseStore } from '../models/case-store.ts';
import type { Origin } from '../domain/order-messages.ts';
import { auditFacets, changedFacets, orderViewOf, type OrderView } from '../domain/order-view.ts';
import { caseIdOf, orderEntity } from '../domain/ids.ts';
import { withOutcome, type ReservationOutcome, type Step } from '../domain/order-step.ts';

export interface CommitStepInput {
  step: Step;
  /** Type of the message that the step answers. */
  action: string;
  origin: Origin;
  at: string;
  /** Audit facets of the state before the step. */
  before: Record<string, unknown>;
  /** First run of the order's workflow. */
  runId: string;
}

export interface CommitStepAnswer {
  outcome?: ReservationOutcome;
  /** Of the step's audit entry; the next one is chained to it. */
  auditHash: string;
}

export interface ReportExhaustedInput {
  orderId: string;
  shopId: string;
  revision: number;
  detail: string;
}

export interface OrderActivityDeps {
  committer: Pick<StepCommitter, 'commit'>;
  cases: Pick<CaseStore, 'open'>;
  /** The next entry of an entity's hash chain. */
  chainEntry: (draft: AuditDraft, previous: { seq: number; hash: string } | null) => AuditEntry;
}

export const createOrderActivities = ({ committer, cases, chainEntry }: OrderActivityDeps) => ({
  /** Safe to repeat: order, revision and run name the step; one that was written before answers as it did then. */
  async commitStep(input: CommitStepInput): Promise<CommitStepAnswer> {
    try {
      const { outcome, auditHash } = await committer.commit(stepRequest(input, chainEntry));
      return outcome ? { outcome, auditHash } : { auditHash };
    } catch (error) {
      throw toFailure(error);
    }
  },

  /** Safe to repeat: the case's id is derived from order and revision. */
  async reportExhausted({ orderId, shopId, revision, detail }: ReportExhaustedInput): Promise<void> {
    const caseId = caseIdOf(orderId, 'activity_exhausted', revision);
    await cases.open({ caseId, code: 'activity_exhausted', orderId, shopId, detail });
  },
});

export type OrderActivities = ReturnType<typeof createOrderActivities>;

/** The store's request for a step; also used for steps on orders whose workflow has ended. */
export const stepRequest = (
  { step, action, origin, at, before, runId }: CommitStepInput,
  chainEntry: OrderActivityDeps['chainEntry'],
): OrderStepRequest => {
  const { snapshot, revision, auditHash } = step.next;
  return {
    kind: 'orderStep',
    orderId: snapshot.orderId,
    shopId: snapshot.shopId,
    revision,
    runId,
    takesOver: action === 'reinstated',
    actor: origin.actor,
    at: new Date(at),
    stock: step.stock,
    cases: step.cases,
    build(outcome) {
      const { next, happenings } = withOutcome(step, outcome);
      const audit = chainEntry(
        {
          entity: orderEntity(snapshot.orderId),
          at: new Date(at),
          actor: origin.actor,
          from: fromOf(origin),
          action: `order.${action}`,
          detail: { happened: happenings },
          ...changedFacets(before, auditFacets(next)),
        },
        revision > 1 ? { seq: revision - 1, hash: auditHash } : null,
      );
      const view = orderViewOf(next, at);
      const final = next.ended ? { ...next, auditHash: audit.hash } : null;
      return { fields: { ...view, ...searchFieldsOf(view), final }, audit };
    },
  };
};

/** What filters of the order list use; kept beside the view so that each is one index. */
const searchFieldsOf = (view: OrderView) => ({
  holdCodes: view.holds.map(({ code }) => code),
  skuCodes: [...new Set(view.lines.flatMap(({ skuCode }) => (skuCode === null ? [] : [skuCode])))],
  warehouseIds: [...new Set([...view.allocations, ...view.shipments].map(({ warehouseId }) => warehouseId))],
  waybills: view.shipments.map(({ trackingNo }) => trackingNo),
  phoneIndex: view.receiver.phoneIndex,
});

const fromOf = ({ ip, requestId }: Origin) => ({
  ...(ip === undefined ? {} : { ip }),
  ...(requestId === undefined ? {} : { requestId }),
});

/** What asking again cannot mend ends the tries: the ledger contradicts the step, or another run owns the order. */
const toFailure = (error: unknown): Error => {
  const { name, message } = error as Error;
  if (name === 'LedgerMismatch' || name === 'ForeignRun') return ApplicationFailure.nonRetryable(message, name);
  return ApplicationFailure.retryable(message, name);
};
