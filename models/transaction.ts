import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientSession, Connection } from 'mongoose';

const MAX_TRIES = 8;

const hasLabel = (error: unknown, label: string): boolean =>
  (error as { hasErrorLabel?: (name: string) => boolean }).hasErrorLabel?.(label) ?? false;

/** The server asks to run the transaction again. */
export const isTransient = (error: unknown): boolean =>
  hasLabel(error, 'TransientTransactionError') ||
  hasLabel(error, 'UnknownTransactionCommitResult') ||
  (error as { code?: number }).code === 112;

const OUTAGES =
  /^(Mongo(Network|ServerSelection|NotConnected|TopologyClosed|PoolCleared|PoolClosed|WaitQueueTimeout)|PoolClearedOnNetwork)/;
const SOCKET_ENDED = new Set(['EPIPE', 'ECONNRESET']);

/** The server is not there: who tries again at once only waits again, and makes others wait behind. */
export const isOutage = (error: unknown): boolean => {
  const { name, code } = error as { name?: string; code?: unknown };
  return name === 'BatchTimeout' || OUTAGES.test(name ?? '') || SOCKET_ENDED.has(String(code));
};

/**
 * Runs `work` in one transaction; `false` or a throw rolls back. What the server calls transient is run again a few
 * times, a commit of unknown outcome is repeated; after that, and in an outage at once, the error is the caller's, who
 * asks again by business key.
 */
export const runTransaction = async <T>(
  connection: Connection,
  work: (session: ClientSession) => Promise<T>,
): Promise<T> => {
  const session = await connection.startSession();
  try {
    for (let tries = 1; ; tries += 1) {
      session.startTransaction();
      try {
        const result = await work(session);
        if (result === false) {
          await session.abortTransaction();
          return result;
        }
        await commit(session);
        return result;
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
        if (!isTransient(error) || isOutage(error) || tries >= MAX_TRIES) throw error;
        await sleep(Math.random() * 5 * 2 ** tries);
      }
    }
  } finally {
    await session.endSession();
  }
};

const commit = async (session: ClientSession): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      if (!hasLabel(error, 'UnknownTransactionCommitResult') || isOutage(error) || tries >= 3) throw error;
    }
  }
};
