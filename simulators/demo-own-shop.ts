import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';
import { refill, type DemoCast } from './demo-cast.ts';
import { DEMO_WAREHOUSES } from './demo-setup.ts';
import { finishLeftovers, openOrders, STORIES } from './demo-stories.ts';

/** A new order this often; with stories of about half a minute some eight orders are under way at once. */
const SECONDS_BETWEEN_ORDERS = 4;
const GOODS = ['DEMO-TEE', 'DEMO-MUG'];
const LEAST_STOCK = 200;

/** Traffic of the shop whose orders are posted over REST, until the signal. */
export const runOwnShop = async (cast: DemoCast, logger: Logger, signal: AbortSignal): Promise<void> => {
  const left = await openOrders(cast);
  finishLeftovers(cast, left).catch((error: unknown) => {
    if (!signal.aborted) logger.warn('Orders of the last demo stay open', { error });
  });
  const stories = Object.entries(STORIES);
  for (let turn = 0; !signal.aborted; turn += 1) {
    const [name, story] = stories[turn % stories.length] ?? [];
    if (name && story)
      story(cast).catch((error: unknown) => {
        if (!signal.aborted) logger.warn('A demo story ended early', { story: name, error });
      });
    if (turn % stories.length === 0)
      for (const warehouseId of Object.keys(DEMO_WAREHOUSES))
        await refill(cast, warehouseId, GOODS, LEAST_STOCK).catch((error: unknown) => {
          if (!signal.aborted) logger.warn('No goods for the demo', { error });
        });
    await sleep(SECONDS_BETWEEN_ORDERS * 1000, undefined, { signal }).catch(() => undefined);
  }
};
