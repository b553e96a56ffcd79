import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outside } from '../../../bench/simulator-process.ts';
import type { Books } from '../../../simulators/channels/taobao/control.ts';
import type { WmsBooks } from '../../../simulators/wms/wms-control.ts';
import { CallTally, type CarefulCaller } from '../careful-caller.ts';
import { readCommitTally } from '../commit-tally.ts';
import {
  proveAnswers,
  startFaulty,
  tallyFile,
  USUAL_RECOVERY_MS,
  type FaultReport,
  type FaultRunOptions,
} from '../fault-run.ts';
import { describeOpen } from '../open-orders.ts';
import { planOutages, suffer, type OutageRecord, type Target } from '../outages.ts';
import { proveRun } from '../run-proofs.ts';
import { seeded } from '../seeded.ts';
import { startBadWeather, type WeatherOptions } from './bad-weather.ts';
import { DrivenTrades } from './driven-trades.ts';
import { OutsideCaller } from './outside-caller.ts';
import { figuresOf, provePlatform, type OutsideBooks } from './platform-proofs.ts';
import { setUpPlatform, startOutsideOf } from './platform-setup.ts';
import { TAOBAO_SHOP } from './trade-story.ts';

export interface PlatformRunOptions extends FaultRunOptions {
  targets: readonly Target[];
  weather: WeatherOptions;
  only?: string | undefined;
}

const PROGRESS_EVERY_MS = 10_000;
const NUDGE_EVERY_MS = 2500;
const SETTLED_WITHIN_MS = 60_000;

/**
 * Takes a platform's trades through their lives, from the buyer's order to the buyer's receipt, while every process, the
 * platform's and the warehouse's among them, is killed and started again, and while calls fail in every way; then
 * compares the books of all sides.
 */
export const platformFaultRun = async (options: PlatformRunOptions): Promise<FaultReport> => {
  const { say, withinMs, seed } = options;
  const startedAt = Date.now();
  const run = new AbortController();
  setMaxListeners(0, run.signal);
  const giveUp = setTimeout(() => run.abort(new Error(`the run did not end within ${withinMs / 1000} s`)), withinMs);
  const instance = await startFaulty(options);
  let outside: Outside | undefined;
  let trades: DrivenTrades | undefined;
  try {
    outside = await startOutsideOf(instance, options.env);
    const tally = new CallTally();
    say(`MongoDB is ${instance.mongo.kind}; preparing a platform's shop, warehouses and people`);
    const { admin, cast, received } = await setUpPlatform(instance, outside, tally, run.signal);
    const caller = new OutsideCaller(outside, run.signal);
    trades = new DrivenTrades({ seed, cast, outside: caller, signal: run.signal, only: options.only });
    const weather = startBadWeather(outside, seeded(seed + 1), options.weather, run.signal);
    const drivingSince = Date.now();
    const outages = await driveThrough(options, { instance, outside, trades, admin, signal: run.signal });
    const drivingSec = (Date.now() - drivingSince) / 1000;
    await weather.clear();
    await settle(admin, run.signal);
    const books = await booksOf(outside);
    say('every trade is where it should be; looking at the books and the data');
    const expected = trades.expected(new Map(books.taobao.trades.map((trade) => [trade.tid, trade])));
    const left = { expected, planted: trades.planted, received };
    const driven = trades.all;
    const { proofs, engine } = await proveRun(instance, left, (data) => provePlatform(data, driven, books));
    const commits = readCommitTally(['api', 'worker'].map((name) => tallyFile(options, name)));
    return {
      proofs: [trades.prove(), proveAnswers(tally), ...proofs, commits.proof],
      mongo: instance.mongo.kind,
      outages,
      endedByItself: Object.fromEntries(
        [...instance.members, ['outside', outside.member] as const].map(([name, one]) => [name, one.endedByItself]),
      ),
      commits: commits.counts,
      tally,
      engine,
      seconds: { driving: drivingSec, all: (Date.now() - startedAt) / 1000 },
      orders: trades.byPath,
      more: figuresOf(books, weather.counts),
    };
  } catch (error) {
    if (!run.signal.aborted) throw error;
    const open = trades ? await describeOpen(instance, trades.open) : 'no trade had begun';
    throw new Error(`${(run.signal.reason as Error).message}; still open:\n${open}`, { cause: error });
  } finally {
    clearTimeout(giveUp);
    run.abort(new Error('the run is over'));
    outside?.member.discard();
    instance.discard();
  }
};

interface Scene {
  instance: Awaited<ReturnType<typeof startFaulty>>;
  outside: Outside;
  trades: DrivenTrades;
  admin: CarefulCaller;
  signal: AbortSignal;
}

const driveThrough = async (options: PlatformRunOptions, scene: Scene): Promise<OutageRecord[]> => {
  const { say, plan, targets, seed, orders } = options;
  const { instance, outside, trades, signal } = scene;
  const outages = planOutages(seeded(seed), plan, targets);
  const planned = outages.reduce((sum, { pauseMs, downMs }) => sum + pauseMs + downMs + USUAL_RECOVERY_MS, 0);
  const records: OutageRecord[] = [];
  const sufferAll = async () => {
    for (const outage of outages) {
      await sleep(outage.pauseMs, undefined, { signal });
      const record = await suffer(instance, outage, signal, undefined, outside.member);
      if (outage.target === 'outside') await outside.untilServed(signal);
      records.push(record);
      const [down, recovery] = [record.downMs, record.recoveryMs].map((ms) => (ms / 1000).toFixed(1));
      say(
        `${records.length}/${outages.length} ${outage.target} was killed, away for ${down} s, all ready ${recovery} s later; ${trades.done}/${trades.count} trades done`,
      );
    }
  };
  const driving = trades.drive(orders, planned * 0.7);
  say(`${trades.count} trades, ${outages.length} outages over about ${Math.round(planned / 1000)} s`);
  const isOver = new AbortController();
  const nudging = nudge(scene, isOver.signal);
  const progress = setInterval(() => {
    const [first] = trades.open;
    say(
      `${trades.done}/${trades.count} trades done${first ? `; ${first.orderId} (${first.path}) ${first.doing}` : ''}`,
    );
  }, PROGRESS_EVERY_MS);
  try {
    // Whichever fails first ends the other too.
    await Promise.all([sufferAll(), driving]);
  } finally {
    clearInterval(progress);
    isOver.abort();
    await nudging;
  }
  return records;
};

/** Somebody is impatient and asks for a poll again and again, beside those of the schedule. */
const nudge = async ({ admin, signal }: Scene, isOver: AbortSignal): Promise<void> => {
  const either = AbortSignal.any([isOver, signal]);
  while (!either.aborted) {
    await admin.post(`/v1/shops/${TAOBAO_SHOP}/poll`, {}).catch(() => undefined);
    await sleep(NUDGE_EVERY_MS, undefined, { signal: either }).catch(() => undefined);
  }
};

/** A last poll of everything, told to the orders; from then on the shop rests and its data stands still. */
const settle = async (admin: CarefulCaller, signal: AbortSignal): Promise<void> => {
  const path = `/v1/shops/${TAOBAO_SHOP}`;
  type Sync = { lastSuccessAt: string | null; lastError?: string };
  const since = new Date().toISOString();
  const deadline = Date.now() + SETTLED_WITHIN_MS;
  // The one under way may have begun before the last change.
  for (let polls = 0; polls < 2;) {
    const { lastSuccessAt: before } = await admin.get<Sync>(`${path}/sync`);
    await admin.post(`${path}/poll`, {});
    for (;;) {
      const { lastSuccessAt, lastError } = await admin.get<Sync>(`${path}/sync`);
      if (lastSuccessAt !== null && lastSuccessAt > since && lastSuccessAt !== before) break;
      if (Date.now() > deadline) throw new Error(`the shop was not collected any more: ${lastError ?? 'no error'}`);
      await sleep(300, undefined, { signal });
    }
    polls += 1;
  }
  await admin.post(`${path}/pause`, {});
  await sleep(3000, undefined, { signal });
};

const booksOf = async ({ taobao, wms }: Outside): Promise<OutsideBooks> => ({
  taobao: await taobao.get<Books>('/books'),
  wms: await wms.get<WmsBooks>('/books'),
});
