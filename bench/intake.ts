import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Instance } from './instance.ts';
import { reportIntake } from './intake-report.ts';
import { APP, intakeRun, SELLER } from './intake-run.ts';
import { startOutside } from './simulator-process.ts';

const HELP = `npm run bench:intake -- [options]

Has a platform's changed trades collected and distributed by a whole instance, rows moving while they are paged through
and people listing and posting orders meanwhile; then the same window once more, which must wake no order.

  --orders N    changed trades, all in one window (20000)
  --minutes N   the run is given up after that (20)
  --gate        exit 1 when an aim is missed
  --keep        keep data and logs of the run, and say where
  --help        this text
`;

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '20000' },
    minutes: { type: 'string', default: '20' },
    gate: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const say = (sentence: string) => console.error(`… ${sentence}`);
const folder = mkdtempSync(join(tmpdir(), 'orderhub-intake-'));
process.once('exit', () => {
  if (values.keep) console.error(`Data and logs are kept in ${folder}`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const instance = await Instance.start({
  folder,
  env: process.env,
  say,
  processes: { app: { roles: 'api,worker,relay' } },
});
if (instance.mongo.kind === 'secantusd-py') {
  console.log('skipped: secantusd-py scans where this needs an index; put mongod or secantusd-rs on PATH');
  process.exit(0);
}
const taobao = { apps: [{ ...APP, sellers: [SELLER] }] };
const outside = await startOutside({ folder, env: process.env, taobao });
say(`MongoDB: ${instance.mongo.kind}`);
const signal = AbortSignal.timeout(Number(values.minutes) * 60_000);
const figures = await intakeRun({ instance, outside, orders: Number(values.orders), say, signal });
const missed = reportIntake(figures, instance.mongo.kind);
process.exit(values.gate && missed > 0 ? 1 : 0);
