import type { Client } from '@temporalio/client';
import type { Connection } from 'mongoose';
import { orderWorkflowId } from '../domain/ids.ts';
import { backorderCollection } from '../models/stock-records.ts';
import { stockReservedSignal } from '../workflows/contract.ts';
import type { Logger } from '../runtime/logger.ts';

/** Tells orders that the queue has served them. A lost word costs time only: the order asks the queue every hour. */
export const tellFilledOrders =
  (client: Client, logger: Logger) =>
  (filled: readonly { orderId: string; round: number }[]): void => {
    for (const { orderId, round } of filled)
      void client.workflow
        .getHandle(orderWorkflowId(orderId))
        .signal(stockReservedSignal, { round })
        .catch((error: unknown) => logger.warn('an order could not be told of its goods', { orderId, error }));
  };

/** At start: whoever was served by a process that died before it could say so. */
export const tellForgottenOrders = async (
  connection: Connection,
  tell: ReturnType<typeof tellFilledOrders>,
): Promise<void> => {
  const filled = backorderCollection(connection).find({ state: 'filled' }, { projection: { round: 1 } });
  for await (const { _id, round } of filled) tell([{ orderId: _id, round }]);
};
