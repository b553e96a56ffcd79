import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Channel } from '../domain/order-model.ts';
import type { CollectedOrderStore } from '../models/collected-orders.ts';
import type { ShopStore } from '../models/shop-records.ts';
import type { RunningRole } from '../runtime/app-context.ts';
import type { Logger } from '../runtime/logger.ts';
import {
  DISTRIBUTE_WORKFLOW,
  distributeWorkflowId,
  newsArrivedSignal,
  type ShopWorkflowInput,
} from '../workflows/channel-contract.ts';
import { BULK_PRIORITY, CHANNELS_QUEUE, searchAttributes } from '../workflows/contract.ts';

const optionsOf = (shopId: string, channel: Channel | undefined) => ({
  workflowId: distributeWorkflowId(shopId),
  taskQueue: CHANNELS_QUEUE,
  args: [{ shopId }] as [ShopWorkflowInput],
  priority: { priorityKey: BULK_PRIORITY, fairnessKey: shopId },
  typedSearchAttributes: [
    { key: searchAttributes.shopId, value: shopId },
    ...(channel === undefined ? [] : [{ key: searchAttributes.channel, value: channel }]),
  ],
  staticSummary: `${shopId}: tell orders what their platform says`,
});

/** Has a shop's news distributed; a distribution that is under way looks once more when it comes to its end. */
export const startDistribution =
  (client: Client, shops: Pick<ShopStore, 'byId'>) =>
  async (shopId: string): Promise<void> => {
    const shop = await shops.byId(shopId);
    await client.workflow.signalWithStart(DISTRIBUTE_WORKFLOW, {
      ...optionsOf(shopId, shop?.channel),
      signal: newsArrivedSignal,
    });
  };

const EVERY_MS = 60_000;
const SHOPS_AT_ONCE = 200;

/** News that nobody distributes, because whoever collected them died or the engine was away: looked for now and then. */
export const watchLeftNews = (
  client: Client,
  { shops, orders }: { shops: Pick<ShopStore, 'list'>; orders: Pick<CollectedOrderStore, 'hasUntold'> },
  logger: Pick<Logger, 'warn'>,
  { everyMs = EVERY_MS } = {},
): RunningRole => {
  const stopping = new AbortController();
  const look = async (): Promise<void> => {
    for (let after: string | undefined; ;) {
      const some = await shops.list({ scope: { channel: { $ne: 'own' } }, after, limit: SHOPS_AT_ONCE });
      for (const { shopId, channel } of some)
        if (!stopping.signal.aborted && (await orders.hasUntold(shopId)))
          await client.workflow.start(DISTRIBUTE_WORKFLOW, {
            ...optionsOf(shopId, channel),
            workflowIdConflictPolicy: 'USE_EXISTING',
          });
      after = some.at(-1)?.shopId;
      if (some.length < SHOPS_AT_ONCE) return;
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => logger.warn('News that are left could not be looked for', { error }));
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
