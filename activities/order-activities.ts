import { ApplicationFailure } from '@temporalio/common';
import type { AuditDraft, AuditEntry } from '../models/audit-log.ts';
import type { StepCommitter } from '../models/step-committer.ts';
import type { CaseStore } from '../models/case-store.ts';
import type { ReservationOutcome } from '../domain/order-step.ts';
import { caseIdOf } from '../domain/ids.ts';
import { stepRequest, type CommitStepInput } from '../domain/step-request.ts';

export type { CommitStepInput } from '../domain/step-request.ts';

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

/** What asking again cannot mend ends the tries: the ledger contradicts the step, or another run owns the order. */
const toFailure = (error: unknown): Error => {
  const { name, message } = error as Error;
  if (name === 'LedgerMismatch' || name === 'ForeignRun') return ApplicationFailure.nonRetryable(message, name);
  return ApplicationFailure.retryable(message, name);
};
