import { ApplicationFailure } from '@temporalio/common';
import type { AuditDraft, AuditEntry } from '../models/audit-log.ts';
import type { CommitAnswer, OrderStepRequest } from '../models/step-committer.ts';
import type { CaseStore } from '../models/case-store.ts';
import type { ReservationOutcome } from '../domain/order-step.ts';
import { exhaustedCaseId } from '../domain/ids.ts';
import { stepRequest, type CommitStepInput, type WrittenStep } from '../domain/step-request.ts';

export type { CommitStepInput } from '../domain/step-request.ts';

export interface CommitStepAnswer {
  outcome?: ReservationOutcome;
  /** Of the step's audit entry; the next one is chained to it. */
  auditHash: string;
  /** When the step was made: the workflow goes on with this time, for its own clock may be another at replay. */
  at?: string;
  /** The revision was written before: by this step, or by another one that the workflow's history does not know. */
  written?: WrittenStep;
}

export interface ReportExhaustedInput {
  orderId: string;
  shopId: string;
  revision: number;
  /** From 1; raised when a person has closed the case and the step still cannot be written. */
  occurrence: number;
  detail: string;
}

export interface OrderActivityDeps {
  committer: { commit(request: OrderStepRequest): Promise<CommitAnswer & { written?: WrittenStep }> };
  cases: Pick<CaseStore, 'open'>;
  /** The next entry of an entity's hash chain. */
  chainEntry: (draft: AuditDraft, previous: { seq: number; hash: string } | null) => AuditEntry;
}

export const createOrderActivities = ({ committer, cases, chainEntry }: OrderActivityDeps) => ({
  /** Safe to repeat: order, revision and run name the step; one that was written before answers as it did then. */
  async commitStep(input: CommitStepInput): Promise<CommitStepAnswer> {
    try {
      const { outcome, auditHash, written } = await committer.commit(stepRequest(input, chainEntry));
      return { auditHash, at: input.at, ...(outcome ? { outcome } : {}), ...(written ? { written } : {}) };
    } catch (error) {
      throw toFailure(error);
    }
  },

  /** Safe to repeat: the case's id is derived from order, revision and occurrence. */
  async reportExhausted({ orderId, shopId, revision, occurrence, detail }: ReportExhaustedInput): Promise<void> {
    const caseId = exhaustedCaseId(orderId, revision, occurrence);
    await cases.open({ caseId, code: 'activity_exhausted', orderId, shopId, detail });
  },
});

export type OrderActivities = ReturnType<typeof createOrderActivities>;

/** What asking again cannot mend ends the tries: the ledger contradicts the step, or another run owns the order. */
const toFailure = (error: unknown): Error => {
  const { name, message } = error as Error;
  if (name === 'LedgerMismatch' || name === 'ForeignRun') return ApplicationFailure.nonRetryable(message, name);
  return ApplicationFailure.retryable(message, name);
};
