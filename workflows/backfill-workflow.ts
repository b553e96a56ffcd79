import {
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { BackfillReport } from '../activities/channel-activities.ts';
import { addCounts, NO_COUNTS, type CollectCounts } from '../domain/collect-counts.ts';
import { countWindows } from '../domain/time-windows.ts';
import { collectWindowInsistently, planBackfill, reportBackfill, startDistribution } from './channel-proxies.ts';
import { shopPausedSignal, shopResumedSignal, type BackfillInput } from './channel-contract.ts';
import { reasonOf, showShop } from './shop-signs.ts';

/** A window costs about twelve events; a run stays far below the engine's limits. */
const WINDOWS_A_RUN = 100;
/** The wait has an end: what nobody resumes for so long is looked at again. */
const LONGEST_PAUSE = '30d';

/** Collects a span of the past, window after window, as a poll does; people see how far it has come and may pause it. */
export async function backfillWorkflow(input: BackfillInput): Promise<CollectCounts> {
  const { shopId, backfillId, from, to, carried } = input;
  let { windowsDone, counts, isPaused } = carried ?? { windowsDone: 0, counts: NO_COUNTS, isPaused: false };
  setHandler(shopPausedSignal, () => void (isPaused = true));
  setHandler(shopResumedSignal, () => void (isPaused = false));
  let windowsTotal = 0;
  const report = async (state: BackfillReport['state'], lastError: string | null = null) => {
    setCurrentDetails(`${state}: ${windowsDone} of ${windowsTotal} windows, ${counts.seen} orders seen`);
    await reportBackfill({ backfillId, shopId, from, to, state, windowsDone, windowsTotal, ...counts, lastError });
  };
  try {
    const { channel, windowMs } = await planBackfill({ shopId });
    showShop(shopId, channel);
    windowsTotal = countWindows({ from, to }, windowMs);
    for (let inRun = 0; windowsDone < windowsTotal; inRun += 1) {
      while (isPaused) {
        await report('paused');
        await condition(() => !isPaused, LONGEST_PAUSE);
      }
      if (inRun >= WINDOWS_A_RUN)
        await continueAsNew<typeof backfillWorkflow>({ ...input, carried: { windowsDone, counts, isPaused } });
      await report('running');
      const start = Date.parse(from) + windowsDone * windowMs;
      const window = {
        from: new Date(start).toISOString(),
        to: new Date(Math.min(start + windowMs, Date.parse(to))).toISOString(),
      };
      const found = await collectWindowInsistently({ shopId, ...window, source: 'backfill', backfillId });
      counts = addCounts(counts, found);
      windowsDone += 1;
      if (found.created + found.changed + found.failed > 0) await startDistribution({ shopId });
    }
    await report('done');
  } catch (error) {
    if (isCancellation(error) || error instanceof ContinueAsNew) throw error;
    await report('failed', reasonOf(error));
  }
  return counts;
}
