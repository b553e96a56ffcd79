import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { orderWorkflowId } from '../domain/ids.ts';
import { backorderCollection } from '../models/stock-records.ts';
import { stockReservedSignal } from '../workflows/contract.ts';
import type { Logger } from '../runtime/logger.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** The order itself asks the queue every hour. */
const GIVE_UP_AFTER_MS = 3_600_000;

interface Filled {
  orderId: string;
  round: number;
}

/** Tells orders that the queue has served them, again and again while the engine is away. */
export const tellFilledOrders =
  (client: Pick<Client, 'workflow'>, logger: Pick<Logger, 'warn'>, { firstPauseMs = FIRST_PAUSE_MS } = {}) =>
  (filled: readonly Filled[]): void => {
    for (const { orderId, round } of filled) void tell({ orderId, round });

    async function tell({ orderId, round }: Filled): Promise<void> {
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
    }
  };

/** At start: whoever was served by a process that died before it could say so. */
export const tellForgottenOrders = async (
  connection: Connection,
  tell: ReturnType<typeof tellFilledOrders>,
): Promise<void> => {
  const filled = backorderCollection(connection).find({ state: 'filled' }, { projection: { round: 1 } });
  for await (const { _id, round } of filled) tell([{ orderId: _id, round }]);
};
