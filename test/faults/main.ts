import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faultRun, type FaultRunOptions } from './fault-run.ts';
import { reportOf } from './fault-report.ts';
import { TARGETS } from './outages.ts';
import { platformFaultRun } from './platform/platform-run.ts';

const HELP = `npm run test:faults -- [options]

Takes orders through their lives over REST while api, worker, relay, MongoDB and Temporal are killed (SIGKILL) and
started again in turn, and while every step is run again after it was written. Then proves from the data that every
order ended right, that nothing was lost or done twice, and that counters, ledger, audit and workflows agree.

  --platform      orders of a platform and its warehouse's system in place of the own shop's: both are simulated in a
                  process of their own, which is killed too, and their calls fail in every way meanwhile
  --only TEXT     with --platform: only paths whose name has this
  --orders N      orders of all paths (300)
  --kills N       how often each process is killed (4), besides one long outage of each server
  --seed N        what the paths, pauses and outages follow from (random, printed)
  --minutes N     the run is given up after that (15)
  --keep          keep data and logs of the run, and say where
  --help          this text
`;

const { values } = parseArgs({
  options: {
    platform: { type: 'boolean', default: false },
    only: { type: 'string' },
    orders: { type: 'string', default: '300' },
    kills: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    minutes: { type: 'string', default: '15' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [orders, rounds, seed, minutes] = [values.orders, values.kills, values.seed, values.minutes].map(Number) as [
  number,
  number,
  number,
  number,
];
if (
  ![orders, rounds, seed, minutes].every((number) => Number.isFinite(number) && number >= 0) ||
  orders < 1 ||
  rounds < 1
) {
  process.stderr.write(`A number is missing or out of range.\n\n${HELP}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'orderhub-faults-'));
const began = Date.now();
const say = (sentence: string) =>
  void process.stdout.write(`${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${sentence}\n`);
process.once('exit', () => {
  if (values.keep) process.stdout.write(`Data and logs are kept in ${folder}\n`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

say(`seed ${seed}; starting MongoDB, Temporal, api, worker and relay on fresh data`);
const longMs = values.platform ? { outside: 20_000, mongo: 30_000 } : { temporal: 25_000, mongo: 60_000 };
const options: FaultRunOptions = {
  folder,
  env: process.env,
  say,
  orders,
  seed,
  plan: { rounds, pauseMs: [1500, 6000], downMs: [300, 4000], longMs },
  lost: 0.03,
  ended: 0.003,
  withinMs: minutes * 60_000,
};
try {
  const report = values.platform
    ? await platformFaultRun({
        ...options,
        targets: [...TARGETS, 'outside'],
        weather: { pauseMs: [500, 2500], hangs: true },
        only: values.only,
      })
    : await faultRun(options);
  const { text, isProven } = reportOf(report);
  process.stdout.write(`\n${text}\n`);
  process.exit(isProven ? 0 : 1);
} catch (error) {
  process.stdout.write(`\nNOT PROVEN (seed ${seed}): ${(error as Error).stack ?? String(error)}\n`);
  process.exit(1);
}
