import type { mongo } from 'mongoose';
import type { CaseChange, ReservationOutcome } from '../domain/order-step.ts';
import type { CaseRecord } from './case-records.ts';
import { ForeignRun, type CommitAnswer, type CommitRequest, type OrderStepRequest } from './commit-requests.ts';
import type { OrderRecord } from './order-records.ts';

export type KnownOrder = Pick<OrderRecord, 'revision' | 'runId' | 'lastStep'>;

/** As `settledAnswer` tells it from the record: what comes second is the first again, whatever time it says. */
export const isSameStep = (request: CommitRequest, known: CommitRequest): known is OrderStepRequest =>
  request.kind === 'orderStep' &&
  known.kind === 'orderStep' &&
  request.orderId === known.orderId &&
  request.revision === known.revision &&
  request.runId === known.runId;

/** The answer to a repetition that was asked for together with the original. */
export const repeatedAnswer = (
  { message, at }: OrderStepRequest,
  answer: CommitAnswer | Error | undefined,
): CommitAnswer | Error => {
  if (!answer || answer instanceof Error) return answer ?? new Error('no answer');
  const { outcome, auditHash, isRepeat } = answer;
  if (isRepeat || outcome?.state === 'short') return answer;
  const written = message ? { written: { message, at: at.toISOString() } } : {};
  return { isRepeat: true, auditHash, ...(outcome ? { outcome } : {}), ...written };
};

/** The answer when the step was written before, or may never be; `null` when it is to be written now. */
export const settledAnswer = (step: OrderStepRequest, known: KnownOrder | null): CommitAnswer | Error | null => {
  if (!known) return null;
  if (known.lastStep && known.revision === step.revision && known.runId === step.runId) {
    const { outcome, auditHash, written } = known.lastStep;
    return { isRepeat: true, auditHash, ...(outcome ? { outcome } : {}), ...(written ? { written } : {}) };
  }
  if (known.runId !== null && known.runId !== step.runId && !step.takesOver)
    return new ForeignRun(`order ${step.orderId} belongs to another workflow run`);
  if (known.revision >= step.revision)
    return new ForeignRun(`order ${step.orderId} is at revision ${known.revision}, beyond ${step.revision}`);
  return null;
};

export const orderWrite = (
  step: OrderStepRequest,
  built: ReturnType<OrderStepRequest['build']> | undefined,
  outcome: ReservationOutcome | undefined,
  isNew: boolean,
): mongo.AnyBulkWriteOperation<OrderRecord> => {
  if (!built) throw new Error('nothing was built');
  const lastStep = {
    revision: step.revision,
    auditHash: built.audit.hash,
    ...(outcome ? { outcome } : {}),
    ...(step.message ? { written: { message: step.message, at: step.at.toISOString() } } : {}),
  };
  const filter: mongo.Filter<OrderRecord> = { _id: step.orderId, revision: { $lt: step.revision } };
  if (!step.takesOver) filter.runId = { $in: [null, step.runId] };
  return { updateOne: { filter, update: { $set: { ...built.fields, runId: step.runId, lastStep } }, upsert: isNew } };
};

export const caseWrite = (
  step: OrderStepRequest,
  change: CaseChange,
  assignee: string | null,
): mongo.AnyBulkWriteOperation<CaseRecord> => {
  if (change.kind === 'resolve')
    return {
      updateOne: {
        filter: { _id: change.caseId, state: 'open' },
        update: {
          $set: { state: 'resolved', resolvedAt: step.at, resolvedBy: step.actor.id, note: change.note },
          $inc: { revision: 1 },
        },
      },
    };
  const { caseId, code, detail } = change;
  return {
    updateOne: {
      filter: { _id: caseId },
      update: {
        $setOnInsert: {
          code,
          state: 'open',
          orderId: step.orderId,
          shopId: step.shopId,
          assignee,
          detail,
          openedAt: step.at,
          resolvedAt: null,
          resolvedBy: null,
          note: null,
          revision: 1,
        },
      },
      upsert: true,
    },
  };
};
