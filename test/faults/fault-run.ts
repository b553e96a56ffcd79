import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Instance } from '../../bench/instance.ts';
import type { Say } from '../../runtime/embedded/say.ts';
import type { Env } from '../../runtime/embedded/tool-paths.ts';
import { CallTally } from './careful-caller.ts';
import { catchUp, type CaughtUp } from './catch-up.ts';
import { readCommitTally, type FaultWord } from './commit-tally.ts';
import { DrivenOrders } from './driven-orders.ts';
import type { EngineFigures } from './engine-proofs.ts';
import { setUp } from './fault-setup.ts';
import { openData } from './instance-data.ts';
import { describeOpen } from './open-orders.ts';
import { planOutages, suffer, type AppName, type Outage, type OutagePlan, type OutageRecord } from './outages.ts';
import { probeOutage } from './outage-probes.ts';
import { Claim, type Proof } from './proof.ts';
import { proveRun } from './run-proofs.ts';
import { seeded } from './seeded.ts';

export interface FaultRunOptions {
  /** Fresh. */
  folder: string;
  env: Env;
  say: Say;
  orders: number;
  seed: number;
  plan: OutagePlan;
  /** Shares of the written steps whose answer is lost: by an error, by the end of the process. */
  lost: number;
  ended: number;
  /** After that, what is still open is reported and the run ends. */
  withinMs: number;
}

export interface FaultReport {
  proofs: Proof[];
  mongo: string;
  outages: OutageRecord[];
  /** After the long outage of MongoDB: orders with a step that had to wait, and how long the last one took. */
  behind?: CaughtUp;
  endedByItself: Record<string, number>;
  commits: Record<FaultWord, number>;
  tally: CallTally;
  engine: EngineFigures;
  seconds: { driving: number; all: number };
  orders: Record<string, number>;
  /** Figures that only some runs have. */
  more?: string[];
}

/** Recovery is not known before; by this, orders are spread over the outages. */
export const USUAL_RECOVERY_MS = 3500;
const PROGRESS_EVERY_MS = 10_000;

/**
 * Takes orders through their lives by the public API while every process is killed and started again in turn and every
 * step is run again after it was written; then looks at the data for anything that was lost or done twice.
 */
export const faultRun = async (options: FaultRunOptions): Promise<FaultReport> => {
  const { say, withinMs } = options;
  const startedAt = Date.now();
  const run = new AbortController();
  setMaxListeners(0, run.signal);
  const late = () => run.abort(new Error(`the run did not end within ${withinMs / 1000} s`));
  const giveUp = setTimeout(late, withinMs);
  const instance = await startFaulty(options);
  let orders: DrivenOrders | undefined;
  try {
    const tally = new CallTally();
    say(`MongoDB is ${instance.mongo.kind}; preparing a shop, warehouses and people`);
    const { cast, apiKey, received } = await setUp(instance, tally, run.signal);
    orders = new DrivenOrders({ seed: options.seed, cast, signal: run.signal });
    const told = new Claim('during an outage callers are told 503 with a problem, and /readyz names what is away');
    const drivingSince = Date.now();
    const { records: outages, behind } = await driveThroughOutages(options, {
      instance,
      orders,
      apiKey,
      told,
      signal: run.signal,
    });
    const drivingSec = (Date.now() - drivingSince) / 1000;
    say('every order is where its caller wanted it; looking at the data');
    const rare = orders.expected.filter(({ path }) => 'F-RARE' in path.end.shipped).length;
    const { expected, planted } = orders;
    const { proofs, engine } = await proveRun(instance, {
      expected,
      planted,
      received: { ...received, 'F-RARE': rare },
    });
    const commits = readCommitTally(['api', 'worker'].map((name) => tallyFile(options, name)));
    return {
      proofs: [orders.prove(), proveAnswers(tally), told, ...proofs, commits.proof],
      mongo: instance.mongo.kind,
      outages,
      behind,
      endedByItself: Object.fromEntries([...instance.members].map(([name, member]) => [name, member.endedByItself])),
      commits: commits.counts,
      tally,
      engine,
      seconds: { driving: drivingSec, all: (Date.now() - startedAt) / 1000 },
      orders: orders.byPath,
    };
  } catch (error) {
    if (!run.signal.aborted) throw error;
    const open = orders ? await describeOpen(instance, orders.open) : 'no order had begun';
    throw new Error(`${(run.signal.reason as Error).message}; still open:\n${open}`, { cause: error });
  } finally {
    clearTimeout(giveUp);
    run.abort(new Error('the run is over'));
    instance.discard();
  }
};

export const tallyFile = ({ folder }: Pick<FaultRunOptions, 'folder'>, name: string): string =>
  join(folder, `${name}.commits`);

/** API, worker and relay apart; the first two run each step again after it was written. */
export const startFaulty = (
  options: Pick<FaultRunOptions, 'folder' | 'env' | 'say' | 'lost' | 'ended'>,
): Promise<Instance<AppName>> => {
  const { folder, env, say, lost, ended } = options;
  const faulty = (name: string, shares: { lost: number; ended: number }) => ({
    roles: name,
    entry: join(import.meta.dirname, 'faulty-main.ts'),
    env: { FAULTY_COMMITS: JSON.stringify({ ...shares, tally: tallyFile(options, name) }) },
  });
  return Instance.start<AppName>({
    folder,
    env,
    say,
    // What is written when things go wrong is searched for buyers' data.
    logLevel: 'debug',
    processes: {
      api: faulty('api', { lost: 0, ended }),
      worker: faulty('worker', { lost, ended }),
      relay: { roles: 'relay' },
    },
  });
};

interface Scene {
  instance: Instance<AppName>;
  orders: DrivenOrders;
  apiKey: string;
  told: Claim;
  signal: AbortSignal;
}

interface Suffered {
  records: OutageRecord[];
  behind: CaughtUp;
}

const driveThroughOutages = async (options: FaultRunOptions, scene: Scene): Promise<Suffered> => {
  const { say } = options;
  const { orders, signal } = scene;
  const plan = planOutages(seeded(options.seed), options.plan);
  const planned = plan.reduce((sum, { pauseMs, downMs }) => sum + pauseMs + downMs + USUAL_RECOVERY_MS, 0);
  const driving = orders.drive(options.orders, planned * 0.9);
  say(`${orders.count} orders, ${plan.length} outages over about ${Math.round(planned / 1000)} s`);
  const suffering = sufferAll(plan, scene, say);
  // Whichever fails first ends the other too.
  const [suffered] = await Promise.all([suffering, driving, reportProgress(orders, [suffering, driving], say)]);
  await orders.driveRest();
  signal.throwIfAborted();
  return suffered;
};

const sufferAll = async (plan: readonly Outage[], scene: Scene, say: Say): Promise<Suffered> => {
  const { instance, orders, apiKey, told, signal } = scene;
  const suffered: Suffered = { records: [], behind: { orders: 0, halfMs: 0, ms: 0 } };
  const data = await openData(instance);
  for (const outage of plan) {
    const { target, isLong } = outage;
    await sleep(outage.pauseMs, undefined, { signal });
    const probe = { url: instance.url, apiKey, order: () => orders.extra(), signal };
    const record = await suffer(instance, outage, signal, async (downUntil) => {
      if (!isLong) return;
      say(`${target} is away for ${Math.round(outage.downMs / 1000)} s; callers are asking meanwhile`);
      await probeOutage(target === 'mongo' ? 'mongodb' : 'temporal', probe, downUntil, told);
    });
    suffered.records.push(record);
    const [down, recovery] = [record.downMs, record.recoveryMs].map((ms) => (ms / 1000).toFixed(1));
    say(
      `${suffered.records.length}/${plan.length} ${target} was killed, away for ${down} s, all ready ${recovery} s later; ${orders.done}/${orders.count} orders done`,
    );
    if (!isLong || target !== 'mongo') continue;
    suffered.behind = await catchUp(data.client, signal);
    say(
      `${suffered.behind.orders} orders had a step to catch up with; done after ${(suffered.behind.ms / 1000).toFixed(1)} s`,
    );
  }
  await data.close();
  return suffered;
};

const reportProgress = async (orders: DrivenOrders, work: readonly Promise<unknown>[], say: Say): Promise<void> => {
  const [suffering, driving] = work;
  await suffering;
  const timer = setInterval(() => {
    const [first] = orders.open;
    say(
      `${orders.done}/${orders.count} orders done${first ? `; ${first.orderId} (${first.path}) ${first.doing}` : ''}`,
    );
  }, PROGRESS_EVERY_MS);
  try {
    await driving;
  } finally {
    clearInterval(timer);
  }
};

export const proveAnswers = ({ wrong, calls }: CallTally): Proof => ({
  claim: 'no caller was answered with an internal error, or with an error that is no problem+json',
  examined: calls,
  problems: wrong,
});
