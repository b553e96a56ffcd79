import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { createLogger } from '../runtime/logger.ts';
import { connectMongo } from '../runtime/mongo.ts';
import type { Say } from '../runtime/embedded/say.ts';
import { RestClient, signedIn } from '../simulators/rest-client.ts';
import type { Instance } from './instance.ts';
import { IntakeBooks } from './intake-books.ts';
import { InteractiveLoad, type CallTimes } from './interactive-load.ts';
import { setUp } from './order-driver.ts';
import { ResidentMemory } from './resident-memory.ts';
import type { Outside } from './simulator-process.ts';
import { movedSince, readStarts, startFigures, type StartFigures } from './workflow-starts.ts';

export const SHOP = 'bench-tb';
export const APP = { appKey: 'bench-app', appSecret: 'bench-secret' };
export const SELLER = { nick: 'bench-seller', sessionKey: 'bench-session', refreshToken: 'bench-refresh' };

/** One stretch of the run and what people met meanwhile. */
export interface Phase {
  seconds: number;
  calls: CallTimes;
  /** Most resident memory by process, MB. */
  memoryMb: Record<string, number>;
  /** CPU seconds by process. */
  cpuSec: Record<string, number>;
}

export interface IntakeFigures {
  orders: number;
  /** Trades that moved to the end of the list while somebody paged, as the platform counts. */
  moved: number;
  polls: number;
  /** In the read model after the first poll; the others had left its window before they were met. */
  afterFirstPoll: number;
  /** By the platform's own count. */
  pages: number;
  collecting: Phase;
  distributing: Phase;
  starts: StartFigures;
  secondPass: { seconds: number; counts: Record<string, number>; movedHistories: number };
  failedCalls: number;
}

export interface IntakeRunOptions {
  instance: Instance<'app'>;
  outside: Outside;
  orders: number;
  say: Say;
  signal: AbortSignal;
}

interface Scene extends IntakeRunOptions {
  admin: RestClient;
  books: IntakeBooks;
  client: Client;
}

const WINDOW_MS = 25 * 60_000;
const LOOK_EVERY_MS = 250;
const LOOKS_A_WORD = 120;
const SKUS = 50;
const MOVED_A_PAGE = 2;

/** Tens of thousands of changed trades: collected, distributed, and looked at once more, while people go on working. */
export const intakeRun = async (options: IntakeRunOptions): Promise<IntakeFigures> => {
  const { instance, outside, orders, say, signal } = options;
  const service = await setUp(instance.url, instance.adminPassword, signal);
  const admin = new RestClient(instance.url, signal, signedIn(instance.url, 'admin', instance.adminPassword));
  await addShop(admin, outside);
  say(`the platform makes ${orders} trades`);
  const to = Date.now() - 60_000;
  const window = { from: new Date(to - WINDOW_MS).toISOString(), to: new Date(to).toISOString() };
  await outside.taobao.post('/trades/bulk', { count: orders, spread: window, isLeftAlone: true });
  await outside.taobao.post('/moving', { count: MOVED_A_PAGE, isPerPage: true });

  const logger = createLogger({ stream: new PassThrough().resume() });
  const mongo = await connectMongo(instance.mongo.uri, logger, { poolSize: 2, connectTimeoutMs: 10_000 });
  const temporal = await Connection.connect({ address: instance.temporalAddress });
  const client = new Client({ connection: temporal });
  const books = new IntakeBooks(mongo, SHOP);
  const load = new InteractiveLoad(service);
  const phases = phasesOf(options, load);
  const scene: Scene = { ...options, admin, books, client };
  try {
    // What the first calls cost belongs to no phase.
    await sleep(2000, undefined, { signal });
    phases.next();
    const collected = await collectAll(scene);
    const collecting = phases.next();
    say(`all ${orders} are in the read model after ${collecting.seconds.toFixed(1)} s`);
    await distributeAll(scene);
    const distributing = phases.next();
    say(`all ${orders} are taken up after another ${distributing.seconds.toFixed(0)} s; once more the same window`);
    await load.stop();
    const { starts, secondPass } = await passAgain(scene, window);
    return { orders, ...collected, collecting, distributing, starts, secondPass, failedCalls: load.failures };
  } finally {
    phases.stop();
    await Promise.allSettled([load.stop(), temporal.close(), mongo.close()]);
  }
};

const addShop = async (admin: RestClient, { taobao }: Outside): Promise<void> => {
  const { nick: _, ...session } = SELLER;
  await admin.put(`/v1/shops/${SHOP}`, {
    channel: 'taobao',
    name: 'Bench',
    currency: 'CNY',
    baseUrl: taobao.origin,
    credentials: { ...APP, ...session },
    // It is polled when the run says so.
    polling: { enabled: false },
  });
  const lines = Array.from({ length: SKUS }, (_sku, index) => ({ skuCode: `SKU-${index + 1}`, quantity: 1_000_000 }));
  await admin.post('/v1/stock/receipts', { warehouseId: 'bench-wh', lines });
};

const phasesOf = ({ instance, outside }: IntakeRunOptions, load: InteractiveLoad) => {
  const pid = (name: 'app' | 'mongo' | 'temporal') => () => instance.member(name).pid;
  const memory = new ResidentMemory({
    app: pid('app'),
    mongo: pid('mongo'),
    temporal: pid('temporal'),
    platform: () => outside.member.pid,
  });
  let since = performance.now();
  let costs = memory.costs();
  return {
    /** Of the time since it was last called. */
    next(): Phase {
      const [before, seconds] = [costs, (performance.now() - since) / 1000];
      since = performance.now();
      costs = memory.costs();
      const cpuSec = Object.fromEntries(
        Object.entries(costs).map(([name, { cpuSec: used }]) => [name, used - (before[name]?.cpuSec ?? 0)]),
      );
      return { seconds, calls: load.take(), memoryMb: memory.take(), cpuSec };
    },
    stop: () => memory.stop(),
  };
};

type Collected = Pick<IntakeFigures, 'moved' | 'polls' | 'afterFirstPoll' | 'pages'>;

/** Polls until every trade is there: those that moved out of a window are met by the next. */
const collectAll = async ({ admin, books, outside, orders, say, signal }: Scene): Promise<Collected> => {
  let afterFirstPoll = 0;
  for (let polls = 1; ; polls += 1) {
    await pollOnce(admin, signal);
    const count = await books.stored();
    if (polls === 1) {
      afterFirstPoll = count;
      await outside.taobao.delete('/moving');
    }
    say(`poll ${polls}: ${count} of ${orders} are in the read model`);
    if (count < orders) continue;
    const { touched, calls } = await outside.taobao.get<{
      touched: number;
      calls: Record<string, Record<string, number>>;
    }>('/books');
    const pages = calls['taobao.trades.sold.increment.get']?.['ok'] ?? 0;
    return { moved: touched, polls, afterFirstPoll, pages };
  }
};

const pollOnce = async (admin: RestClient, signal: AbortSignal): Promise<void> => {
  type Sync = { lastSuccessAt: string | null; lastError?: string };
  const path = `/v1/shops/${SHOP}/sync`;
  const { lastSuccessAt: before } = await admin.get<Sync>(path);
  await admin.post(`/v1/shops/${SHOP}/poll`, {});
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    const { lastSuccessAt, lastError } = await admin.get<Sync>(path);
    if (lastError !== undefined) throw new Error(`the shop could not be collected: ${lastError}`);
    if (lastSuccessAt !== before) return;
  }
};

const distributeAll = async ({ books, say, signal }: Scene): Promise<void> => {
  const since = Date.now();
  for (let looks = 1; !(await books.isDistributed()); looks += 1) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    if (looks % LOOKS_A_WORD === 0) say(`distributing since ${Math.round((Date.now() - since) / 1000)} s`);
  }
};

/** The platform says nothing new: nothing is stored, and no order's workflow hears of it. */
const passAgain = async ({ admin, client, books, signal }: Scene, { from }: { from: string }) => {
  const starts = await readStarts(client, await books.orderIds());
  const startedAt = performance.now();
  const to = new Date().toISOString();
  const path = `/v1/shops/${SHOP}/backfills`;
  const { backfillId } = await admin.post<{ backfillId: string }>(path, { from, to });
  type Backfill = Record<'seen' | 'created' | 'changed' | 'unchanged' | 'failed', number> & { state: string };
  let backfill: Backfill;
  do {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    backfill = await admin.get<Backfill>(`${path}/${backfillId}`);
  } while (backfill.state === 'running');
  const seconds = (performance.now() - startedAt) / 1000;
  const { seen, created, changed, unchanged, failed } = backfill;
  const movedHistories = (await movedSince(client, starts)).length;
  const counts = { seen, created, changed, unchanged, failed };
  return { starts: startFigures(starts), secondPass: { seconds, counts, movedHistories } };
};
