import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { startMongoServer } from '../runtime/embedded/mongo-server.ts';
import { chooseFreePort } from '../runtime/embedded/ports.ts';
import { startTemporalServer } from '../runtime/embedded/temporal-server.ts';
import { toolsFolder } from '../runtime/embedded/tool-paths.ts';
import { buildWorkflows } from '../scripts/build-workflows.ts';
import { driveOrders, setUp } from './order-driver.ts';
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
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'orderhub-bench-'));
const tools = toolsFolder(process.env, tmpdir());
const children: { kill(): void }[] = [];
process.once('exit', () => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

const server = { env: process.env, tools, say };
const [mongo, temporal] = await Promise.all([
  startMongoServer({ ...server, folder: join(folder, 'mongo'), logFile: join(folder, 'mongo.log') }),
  startTemporalServer({ ...server, folder, logFile: join(folder, 'temporal.log'), uiPort: false }),
]);
children.push(mongo.process, temporal.process);
const bundle = join(folder, 'workflows.js');
await buildWorkflows(bundle);
const port = await chooseFreePort();
const password = `bench-${Math.random().toString(36).slice(2)}-password`;
const app = spawn(process.execPath, ['--import', 'tsx', 'main.ts', '--roles', 'api,worker,relay'], {
  cwd: root,
  stdio: ['ignore', openSync(join(folder, 'app.log'), 'a'), 'inherit'],
  env: {
    ...process.env,
    NODE_ENV: 'production',
    MONGODB_URI: mongo.uri,
    TEMPORAL_ADDRESS: temporal.address,
    ORDERHUB_PORT: String(port),
    ORDERHUB_DATA: join(folder, 'data'),
    ORDERHUB_ADMIN_PASSWORD: password,
    ORDERHUB_WORKFLOW_BUNDLE: bundle,
  },
});
children.push(app);
const bare: ChildProcess = fork(join(import.meta.dirname, 'bare-worker.ts'), [temporal.address, String(concurrency)], {
  execArgv: ['--import', 'tsx'],
});
children.push({ kill: () => bare.kill('SIGKILL') });
await once(bare, 'message');
const url = `http://127.0.0.1:${port}`;
for (let tries = 0; !(await fetch(`${url}/readyz`).catch(() => undefined))?.ok; tries += 1) {
  if (tries > 300) throw new Error('the application did not become ready');
  await sleep(200);
}
const stop = new AbortController();
const service = await setUp(url, password, stop.signal);
const client = new Client({ connection: await Connection.connect({ address: temporal.address }) });

const pids = {
  temporal: temporal.process.identity.pid,
  mongo: mongo.process.identity.pid,
  app: app.pid ?? 0,
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

say(`MongoDB: ${mongo.kind}; warming up`);
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
const failures = report({ bare: bareRounds, full: fullRounds, mongo: mongo.kind, concurrency, orders });
process.exit(values.gate && failures > 0 ? 1 : 0);

function rateOf(measurement: Measurement | undefined): string {
  return measurement ? (measurement.round.orders / measurement.round.seconds).toFixed(1) : '';
}
