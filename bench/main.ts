import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import type { BareRound } from './bare-worker.ts';
import { driveOrders, setUp } from './order-driver.ts';
import { Instance } from './instance.ts';
import { costOf } from './process-cost.ts';
import { report, type Measurement } from './report.ts';
import { roundOf, type Round } from './rounds.ts';
import type { ShapeName } from './shape.ts';
import { tradeDriver } from './trade-driver.ts';

const HELP = `npm run bench -- [options]

Drives orders of 3 lines and 1 parcel to completed, with encryption, projection and audit on, and in turn, on the same
server, a bare workflow with the same messages and outside calls and nothing else: the engine's own limit. Orders of the
own shop come over the public API; a platform's come as intake stores and tells them, are handed over to a warehouse's
system over Qimen, reported by it, told to the platform and finished there, both on loopback.

  --shape NAME      own (default), platform or both
  --rounds N        interleaved rounds of each (5)
  --orders N        orders a round (150)
  --concurrency N   orders under way at once (32)
  --gate            both shapes unless one is named; exit 1 when events, state transitions or the engine's CPU time per order exceed their limits
  --help            this text
`;

const { values } = parseArgs({
  options: {
    shape: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    orders: { type: 'string', default: '150' },
    concurrency: { type: 'string', default: '32' },
    gate: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const [rounds, orders, concurrency] = [values.rounds, values.orders, values.concurrency].map(Number) as [
  number,
  number,
  number,
];
const shapes = shapesOf(values.shape ?? (values.gate ? 'both' : 'own'));
const say = (sentence: string) => console.error(`… ${sentence}`);
const folder = mkdtempSync(join(tmpdir(), 'orderhub-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

const instance = await Instance.start({
  folder,
  env: process.env,
  say,
  processes: { app: { roles: 'api,worker,relay' } },
});
const { url, temporalAddress } = instance;
const bare: ChildProcess = fork(join(import.meta.dirname, 'bare-worker.ts'), [temporalAddress, String(concurrency)], {
  execArgv: ['--import', 'tsx'],
});
process.once('exit', () => bare.kill('SIGKILL'));
await once(bare, 'message');
const stop = new AbortController();
const service = await setUp(url, instance.adminPassword, stop.signal);
const client = new Client({ connection: await Connection.connect({ address: temporalAddress }) });

const pids = {
  temporal: instance.member('temporal').pid,
  mongo: instance.member('mongo').pid,
  app: instance.member('app').pid,
  bare: bare.pid ?? 0,
};
const costs = () =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, costOf(pid)])) as Measurement['after'];

const bareRound = async (shape: ShapeName, count: number, prefix: string): Promise<Measurement> => {
  const before = costs();
  bare.send({ shape, count, prefix } satisfies BareRound);
  const [round] = (await once(bare, 'message')) as [Round];
  return { round, before, after: costs(), posts: [] };
};

/** How orders of a shape are driven, and the shop that they are of. */
type Drive = (count: number, concurrency: number, prefix: string) => Promise<number[]>;
const drivers: Record<ShapeName, () => Promise<{ shopId: string; drive: Drive }>> = {
  own: async () => ({ shopId: 'bench', drive: (...how) => driveOrders(service, ...how) }),
  platform: async () => ({ shopId: 'bench-tb', ...(await tradeDriver(instance, stop.signal)) }),
};

const measure = async (shape: ShapeName): Promise<number> => {
  const { shopId, drive } = await drivers[shape]();
  const fullRound = async (count: number, prefix: string): Promise<Measurement> => {
    const before = costs();
    const startedAt = performance.now();
    const posts = await drive(count, concurrency, prefix);
    const seconds = (performance.now() - startedAt) / 1000;
    const after = costs();
    const idOf = (index: number) => `order/${shopId}.${prefix}-${index}`;
    return { round: await roundOf(client, { seconds, orders: count, idOf }), before, after, posts };
  };
  say(`${shape}: warming up`);
  await bareRound(shape, concurrency, 'warm');
  await fullRound(concurrency, 'warm');
  const bareRounds: Measurement[] = [];
  const fullRounds: Measurement[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    bareRounds.push(await bareRound(shape, orders, `r${round}`));
    fullRounds.push(await fullRound(orders, `r${round}`));
    say(
      `${shape}, round ${round} of ${rounds}: bare ${rateOf(bareRounds.at(-1))}, OrderHub ${rateOf(fullRounds.at(-1))} orders a second`,
    );
  }
  return report({ shape, bare: bareRounds, full: fullRounds, mongo: instance.mongo.kind, concurrency, orders });
};

say(`MongoDB: ${instance.mongo.kind}`);
let failures = 0;
for (const shape of shapes) failures += await measure(shape);
process.exit(values.gate && failures > 0 ? 1 : 0);

function rateOf(measurement: Measurement | undefined): string {
  return measurement ? (measurement.round.orders / measurement.round.seconds).toFixed(1) : '';
}

function shapesOf(name: string): ShapeName[] {
  if (name === 'both') return ['own', 'platform'];
  if (name === 'own' || name === 'platform') return [name];
  throw new Error(`there is no shape ${name}: own, platform or both`);
}
