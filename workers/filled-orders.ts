import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { orderWorkflowId } from '../domain/ids.ts';
import { backorderCollection } from '../models/stock-records.ts';
import { stockReservedSignal } from '../workflows/contract.ts';
import type { RunningRole } from '../runtime/app-context.ts';
import type { Logger } from '../runtime/logger.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** The order itself asks the queue every hour. */
const GIVE_UP_AFTER_MS = 3_600_000;
const LOOK_EVERY_MS = 15_000;

interface Filled {
  orderId: string;
  round: number;
}

type Tell = (filled: readonly Filled[]) => void;

/** Tells orders that the queue has served them, again and again while the engine is away; each once at a time. */
export const tellFilledOrders = (
  client: Pick<Client, 'workflow'>,
  logger: Pick<Logger, 'warn'>,
  { firstPauseMs = FIRST_PAUSE_MS } = {},
): Tell => {
  const underWay = new Set<string>();
  const tell = async ({ orderId, round }: Filled): Promise<void> => {
    const handle = client.workflow.getHandle(orderWorkflowId(orderId));
    const since = Date.now();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS))
      try {
        return await handle.signal(stockReservedSignal, { round });
      } catch (error) {
        const isOver = error instanceof WorkflowNotFoundError || Date.now() - since > GIVE_UP_AFTER_MS;
        logger.warn('an order could not be told of its goods', { orderId, error });
        if (isOver) return;
        await sleep(pauseMs, undefined, { ref: false });
      }
  };
  return (filled) => {
    for (const order of filled) {
      const key = keyOf(order);
      if (underWay.has(key)) continue;
      underWay.add(key);
      void tell(order).finally(() => underWay.delete(key));
    }
  };
};

/**
 * Whoever was served by a process that died before it could say so, or that could not reach the engine: told now, and from
 * then on whenever somebody has not picked up for a while. Told twice, an order knows it as old.
 */
export const watchForgottenOrders = (
  connection: Connection,
  tell: Tell,
  logger: Pick<Logger, 'warn'>,
  { everyMs = LOOK_EVERY_MS } = {},
): RunningRole => {
  const stopping = new AbortController();
  const look = async (known: ReadonlySet<string> | undefined): Promise<Set<string>> => {
    const seen = new Set<string>();
    const filled = backorderCollection(connection).find({ state: 'filled' }, { projection: { round: 1 } });
    for await (const { _id: orderId, round } of filled) {
      seen.add(keyOf({ orderId, round }));
      // Whoever has just been served is being told by who served it.
      if (!known || known.has(keyOf({ orderId, round }))) tell([{ orderId, round }]);
    }
    return seen;
  };
  const run = async (): Promise<void> => {
    let known: Set<string> | undefined;
    while (!stopping.signal.aborted) {
      known = await look(known).catch((error: unknown) => {
        logger.warn('forgotten orders could not be looked for', { error });
        return known;
      });
      await sleep(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
};

const keyOf = ({ orderId, round }: Filled): string => `${orderId} ${round}`;
