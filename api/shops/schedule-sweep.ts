import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningRole } from '../../runtime/app-context.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collecting } from './collecting.ts';
import { areAsNeeded } from './shop-schedules.ts';
import { isCollected, scheduleNeedsOf } from './wanted-schedules.ts';

const EVERY_MS = 60_000;
const PAGE = 200;
/** One shop's trouble is not the others'; when several fail, it is not the shop. */
const MOST_FAILURES = 3;

/**
 * Brings schedules and backfills in line with what shops' records say: Temporal may have been away, or a process may have
 * died, when a shop was written. Any number of processes may do it. Schedules of shops that are not known stay alone.
 */
export const sweepShops = async (
  collecting: Collecting,
  logger: Pick<Logger, 'warn'>,
  isStopping: () => boolean = () => false,
): Promise<void> => {
  const { shops, sync, schedules, backfills } = collecting;
  const seen = await schedules.seen();
  let failures = 0;
  const inLine = async (shopId: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures += 1;
      if (failures >= MOST_FAILURES) throw error;
      logger.warn("A shop's schedules could not be brought in line yet", { shopId, error });
    }
  };
  for (let after: string | undefined, isLast = false; !isLast;) {
    const page = await shops.list({ scope: {}, after, limit: PAGE });
    const collected = page.filter(isCollected);
    const cursors = await sync.cursors(collected.map(({ shopId }) => shopId));
    for (const shop of collected) {
      if (isStopping()) return;
      const isPaused = cursors.get(shop.shopId)?.pausedAt != null;
      if (areAsNeeded(scheduleNeedsOf(shop, isPaused), seen)) continue;
      await inLine(shop.shopId, () => collecting.schedule(shop.shopId));
    }
    after = page.at(-1)?.shopId;
    isLast = page.length < PAGE;
  }
  for (const shopId of new Set((await backfills.unfinished()).map((backfill) => backfill.shopId))) {
    if (isStopping()) return;
    await inLine(shopId, async () => collecting.tellBackfills(shopId, (await sync.cursor(shopId)).pausedAt !== null));
  }
};

/** Once now, then every minute. */
export const startScheduleSweep = (collecting: Collecting, logger: Logger): RunningRole => {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sweepShops(collecting, logger, () => stopping.signal.aborted).catch((error: unknown) =>
        logger.warn("Shops' schedules could not be checked yet", { error }),
      );
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
