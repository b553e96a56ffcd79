import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { driveOrders, setUp } from './order-driver.ts';
import { Instance } from './instance.ts';
import { costOf } from './process-cost.ts';
import { report, type Measurement } from './report.ts';
import type { Round } from './rounds.ts';

const HELP = `npm run bench -- [options]

Drives orders of 3 lines and 1 parcel through the public API to completed, with encryption, projection and audit on, and
in turn, on the same server, a bare workflow with the same signals and nothing else: the engine's own limit.

  --rounds N        interleaved rounds of each (5)
  --orders N        orders a round (150)
  --concurrency N   orders under way at once (32)
  --gate            exit 1 when events, state transitions or the engine's CPU time per order exceed their limits
  --help            this text
`;

const { values } = parseArgs({
  options: {
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

const bareRound = async (count: number, prefix: string): Promise<Measurement> => {
  const before = costs();
  bare.send({ count, prefix });
  const [round] = (await once(bare, 'message')) as [Round];
  return { round, before, after: costs(), posts: [] };
};

const fullRound = async (count: number, prefix: string): Promise<Measurement> => {
  const before = costs();
  const startedAt = performance.now();
  const posts = await driveOrders(service, count, concurrency, prefix);
  const seconds = (performance.now() - startedAt) / 1000;
  const last = await client.workflow.getHandle(`order/bench.${prefix}-${count - 1}`).describe();
  const round: Round = {
    seconds,
    orders: count,
    events: last.historyLength,
    transitions: Number(last.raw.workflowExecutionInfo?.stateTransitionCount ?? 0),
    historyBytes: last.historySize ?? 0,
  };
  return { round, before, after: costs(), posts };
};

say(`MongoDB: ${instance.mongo.kind}; warming up`);
await bareRound(concurrency, 'warm');
await fullRound(concurrency, 'warm');
const bareRounds: Measurement[] = [];
const fullRounds: Measurement[] = [];
for (let round = 1; round <= rounds; round += 1) {
  bareRounds.push(await bareRound(orders, `r${round}`));
  fullRounds.push(await fullRound(orders, `r${round}`));
  say(
    `round ${round} of ${rounds}: bare ${rateOf(bareRounds.at(-1))}, OrderHub ${rateOf(fullRounds.at(-1))} orders a second`,
  );
}
const failures = report({ bare: bareRounds, full: fullRounds, mongo: instance.mongo.kind, concurrency, orders });
process.exit(values.gate && failures > 0 ? 1 : 0);

function rateOf(measurement: Measurement | undefined): string {
  return measurement ? (measurement.round.orders / measurement.round.seconds).toFixed(1) : '';
}
