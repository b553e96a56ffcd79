import { setTimeout as sleep } from 'node:timers/promises';
import type { IntakeStore, UntakenOrder } from '../../models/intake-store.ts';
import type { RunningRole } from '../../runtime/app-context.ts';
import type { Logger } from '../../runtime/logger.ts';
import { BULK_PRIORITY } from '../../workflows/contract.ts';
import type { OrderStarter } from './order-starter.ts';

export interface UntakenOrdersDeps {
  intake: IntakeStore;
  starter: Pick<OrderStarter, 'start'>;
  logger: Logger;
}

const EVERY_MS = 10_000;
/** Who has just stored an order starts it itself. */
const LEAST_AGE_MS = 5000;
const WORTH_A_WARNING_MS = 60_000;
const AT_ONCE = 8;

/**
 * Starts the workflows of orders that were stored while Temporal was away, or by a process that died before it came to
 * that: once now, then every ten seconds. Any number of processes may do it, because an order starts once.
 */
export const startUntakenOrders = ({ intake, starter, logger }: UntakenOrdersDeps): RunningRole => {
  const stopping = new AbortController();
  const start = async (order: UntakenOrder): Promise<boolean> => {
    const isNew = await starter.start(order, BULK_PRIORITY);
    if (!isNew && Date.parse(order.updatedAt) < Date.now() - WORTH_A_WARNING_MS)
      logger.warn('An order was started and its first step is still not written', { orderId: order._id });
    return isNew;
  };
  const sweep = async (): Promise<void> => {
    let started = 0;
    let group: UntakenOrder[] = [];
    const startGroup = async () => {
      started += (await Promise.all(group.map(start))).filter(Boolean).length;
      group = [];
    };
    for await (const order of intake.untakenBefore(new Date(Date.now() - LEAST_AGE_MS).toISOString())) {
      if (stopping.signal.aborted) return;
      group.push(order);
      if (group.length === AT_ONCE) await startGroup();
    }
    await startGroup();
    if (started > 0) logger.info('Stored orders were handed to their workflows late', { started });
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sweep().catch((error: unknown) => logger.warn('Stored orders could not be started yet', { error }));
      await sleep(EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
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
