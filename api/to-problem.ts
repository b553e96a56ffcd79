import { isGrpcServiceError } from '@temporalio/client';
import { Problem } from './errors.ts';

/**
 * gRPC statuses that say "not now": cancelled, unknown (a connection that broke off while the call was under way),
 * deadline exceeded, resource exhausted, aborted, unavailable.
 */
const GRPC_NOT_NOW = new Set([1, 2, 4, 8, 10, 14]);
/** Replica set without a primary, shutting down, interrupted, out of time. */
const MONGO_NOT_NOW = new Set([6, 7, 50, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
const MONGO_OUTAGES =
  /^(Mongo(Network|ServerSelection|NotConnected|TopologyClosed|PoolClosed|PoolCleared|WaitQueueTimeout|ClientClosed|ServerClosed|OperationTimeout|ExpiredSession)|PoolClearedOnNetwork)/;
/** The driver hands a connection that the server has just ended on as the socket's own error. */
const SOCKET_OUTAGES = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT']);
const TEMPORAL_OUTAGES = /^(TransportError|WorkflowUpdateRPCTimeoutOrCancelledError)$/;

const RETRY_AFTER_SEC = 2;

/** What the caller is told of an error; never its message or stack unless it is a `Problem`. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return parserProblem(error) ?? outage(error) ?? new Problem('internal_error', { cause: error });
}

/** What express and its body parser throw carries a status; the message may quote the body, so none is passed on. */
function parserProblem(error: unknown): Problem | undefined {
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  if (status === 413) return new Problem('payload_too_large');
  if (status === 415) return new Problem('unsupported_media_type');
  if (type === 'entity.parse.failed') return new Problem('invalid_request', { detail: 'The body is not valid JSON' });
  if (type === 'request.aborted' || type === 'request.size.invalid')
    return new Problem('invalid_request', { detail: 'The body did not arrive whole' });
  return new Problem('invalid_request', { detail: 'The request cannot be read' });
}

function outage(error: unknown): Problem | undefined {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 6; cause = cause.cause, depth += 1)
    if (isMongoOutage(cause) || isTemporalOutage(cause) || isSocketOutage(cause))
      return new Problem('unavailable', { retryAfterSec: RETRY_AFTER_SEC, cause: error });
  return undefined;
}

const isSocketOutage = (error: Error): boolean => SOCKET_OUTAGES.has((error as NodeJS.ErrnoException).code ?? '');

function isMongoOutage(error: Error): boolean {
  if (MONGO_OUTAGES.test(error.name)) return true;
  if (error.name === 'MongooseError')
    return /buffering timed out|before initial connection|not connected/i.test(error.message);
  if (error.name === 'BatchTimeout') return true;
  if (!error.name.startsWith('Mongo')) return false;
  const { code } = error as { code?: unknown };
  const hasLabel = (label: string) =>
    (error as { hasErrorLabel?: (l: string) => boolean }).hasErrorLabel?.(label) ?? false;
  return (
    (typeof code === 'number' && MONGO_NOT_NOW.has(code)) ||
    hasLabel('TransientTransactionError') ||
    hasLabel('RetryableWriteError')
  );
}

function isTemporalOutage(error: Error): boolean {
  if (TEMPORAL_OUTAGES.test(error.name)) return true;
  if (error.name === 'IllegalStateError') return /clos(ed|ing)|shut ?down/i.test(error.message);
  return isGrpcServiceError(error) && GRPC_NOT_NOW.has(error.code);
}
