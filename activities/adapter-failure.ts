import { ApplicationFailure } from '@temporalio/common';
import { AdapterError, RETRYABLE_KINDS } from '../domain/failures.ts';

/**
 * What a failed call to an outside system is to the engine: its kind as the type, tried again only where asking again
 * can help, and no sooner than the system asks for. Anything else stays what it is.
 */
export const failureOf = (error: unknown): unknown => {
  if (!(error instanceof AdapterError)) return error;
  const { system, kind, message, retryAfterMs } = error;
  return ApplicationFailure.create({
    message: `${system}: ${message}`,
    type: kind,
    nonRetryable: !RETRYABLE_KINDS.includes(kind),
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
};
