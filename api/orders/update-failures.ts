import {
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcServiceError,
} from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import type { Refusal, RefusalCode } from '../../domain/failures.ts';

const REFUSALS: readonly string[] = [
  'action_not_allowed',
  'rule_violation',
  'conflict',
  'stale_revision',
  'not_found',
] satisfies RefusalCode[];

/** What the engine itself says of an update that no workflow has looked at. */
const NOT_LOOKED_AT = 'UnprocessedUpdate';
/** …and of one that the workflow's end cut short. */
const CUT_SHORT = 'AcceptedUpdateCompletedWorkflow';

/**
 * gRPC: cancelled, unknown (a connection that broke off while the call was under way), deadline exceeded, resource
 * exhausted, failed precondition, aborted, unavailable.
 */
const NOT_NOW = [1, 2, 4, 8, 9, 10, 14];

const applicationFailureOf = (error: unknown): ApplicationFailure | undefined =>
  error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure ? error.cause : undefined;

/** The order's own answer when its validator has refused a command. */
export const refusalOf = (error: unknown): { refusal: Refusal } | undefined => {
  const failure = applicationFailureOf(error);
  if (!failure?.type || !REFUSALS.includes(failure.type)) return undefined;
  const [refusal] = (failure.details ?? []) as (Refusal | undefined)[];
  return { refusal: refusal ?? { code: failure.type as RefusalCode, detail: failure.message } };
};

/** There is no running workflow to ask. */
export const isEnded = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || applicationFailureOf(error)?.type === CUT_SHORT;

/** Worth asking again, as the same update: the order moves on, the engine is busy, or nobody works its queue just now. */
export const isNotNow = (error: unknown): boolean => {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const type = applicationFailureOf(error)?.type;
  if (type) return type === NOT_LOOKED_AT;
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth += 1) {
    if (cause.name === 'TransportError') return true;
    if (isGrpcServiceError(cause)) return NOT_NOW.includes(cause.code);
  }
  return false;
};
