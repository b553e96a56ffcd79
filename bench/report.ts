import type { ProcessCost } from './process-cost.ts';
import { LIMITS, TITLES, type ShapeName } from './shape.ts';
import { median, percentile, type Round } from './rounds.ts';

type ProcessName = 'temporal' | 'mongo' | 'app' | 'bare';

export interface Measurement {
  round: Round;
  before: Record<ProcessName, ProcessCost>;
  after: Record<ProcessName, ProcessCost>;
  /** Milliseconds of each call of the outside to OrderHub. */
  posts: number[];
}

interface Results {
  shape: ShapeName;
  bare: Measurement[];
  full: Measurement[];
  mongo: string;
  concurrency: number;
  orders: number;
}

/** Of the bare workflow's rate: asked for, and aimed at. */
const LEAST_RATE_SHARE = 0.6;

const CALLS: Readonly<Record<ShapeName, string>> = {
  own: 'POST /v1/orders',
  platform: 'the warehouse’s report',
};

const rate = ({ round }: Measurement) => round.orders / round.seconds;

const cpuMs = (measurements: Measurement[], name: ProcessName) =>
  median(
    measurements.map(({ round, before, after }) => ((after[name].cpuSec - before[name].cpuSec) * 1000) / round.orders),
  );

/** Prints the figures; returns how many of the gated ones are beyond their limit. */
export const report = ({ shape, bare, full, mongo, concurrency, orders }: Results): number => {
  const bareRate = median(bare.map(rate));
  const fullRate = median(full.map(rate));
  const share = median(full.map((measurement, index) => rate(measurement) / rate(bare[index] as Measurement)));
  const cpu = { bare: cpuMs(bare, 'temporal'), full: cpuMs(full, 'temporal') };
  const ratio = cpu.full / cpu.bare;
  const last = full.at(-1) as Measurement;
  const lastBare = bare.at(-1) as Measurement;
  const posts = full.flatMap((measurement) => measurement.posts);
  const memory = (name: ProcessName) => `${Math.round(last.after[name].memoryMb)} MB`;

  const limits = LIMITS[shape];
  console.log(`
${TITLES[shape]}
${full.length} interleaved rounds of ${orders} orders, ${concurrency} at once, MongoDB: ${mongo}

                              bare workflow   OrderHub
orders a second (median)      ${cell(bareRate)}${cell(fullRate)}   ${percent(share)} of the bare one (at least ${percent(LEAST_RATE_SHARE)})
history events an order       ${cell(lastBare.round.events, 0)}${cell(last.round.events, 0)}   at most ${limits.events}
state transitions an order    ${cell(lastBare.round.transitions, 0)}${cell(last.round.transitions, 0)}   at most ${limits.transitions}
bytes of history an order     ${cell(lastBare.round.historyBytes, 0)}${cell(last.round.historyBytes, 0)}
CPU ms an order: Temporal     ${cell(cpu.bare)}${cell(cpu.full)}   ${ratio.toFixed(2)} times (at most ${limits.cpuRatio})
CPU ms an order: MongoDB      ${cell(0)}${cell(cpuMs(full, 'mongo'))}
CPU ms an order: Node         ${cell(cpuMs(bare, 'bare'))}${cell(cpuMs(full, 'app'))}
memory: Temporal ${memory('temporal')}, MongoDB ${memory('mongo')}, OrderHub ${memory('app')}
${CALLS[shape]}: p50 ${percentile(posts, 0.5).toFixed(0)} ms, p99 ${percentile(posts, 0.99).toFixed(0)} ms
rounds: ${full.map((measurement, index) => `${rate(bare[index] as Measurement).toFixed(1)} / ${rate(measurement).toFixed(1)}`).join('   ')}
`);

  const gates: [string, boolean][] = [
    [`history events ${last.round.events} ≤ ${limits.events}`, last.round.events <= limits.events],
    [
      `state transitions ${last.round.transitions} ≤ ${limits.transitions}`,
      last.round.transitions <= limits.transitions,
    ],
    [`Temporal's CPU ratio ${ratio.toFixed(2)} ≤ ${limits.cpuRatio}`, ratio <= limits.cpuRatio],
  ];
  for (const [text, isHeld] of gates) console.log(`${isHeld ? 'ok  ' : 'NOT '} ${text}`);
  console.log(
    `${share >= LEAST_RATE_SHARE ? 'ok  ' : 'NOT '} rate ${percent(share)} ≥ ${percent(LEAST_RATE_SHARE)} (not gated: it depends on the machine)`,
  );
  return gates.filter(([, isHeld]) => !isHeld).length;
};

const cell = (value: number, digits = 1): string => value.toFixed(digits).padStart(12).padEnd(15);
const percent = (share: number): string => `${Math.round(share * 100)} %`;
