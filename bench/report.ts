import type { ProcessCost } from './process-cost.ts';
import { median, percentile, type Round } from './rounds.ts';

type ProcessName = 'temporal' | 'mongo' | 'app' | 'bare';

export interface Measurement {
  round: Round;
  before: Record<ProcessName, ProcessCost>;
  after: Record<ProcessName, ProcessCost>;
  /** Milliseconds of each `POST /v1/orders`. */
  posts: number[];
}

interface Results {
  bare: Measurement[];
  full: Measurement[];
  mongo: string;
  concurrency: number;
  orders: number;
}

/** What an ordinary order may cost the engine; these hold on noisy machines, rates do not. */
const MOST_EVENTS = 31;
const MOST_TRANSITIONS = 12;
const MOST_CPU_RATIO = 1.35;
/** Of the bare workflow's rate: asked for, and aimed at. */
const LEAST_RATE_SHARE = 0.6;

const rate = ({ round }: Measurement) => round.orders / round.seconds;

const cpuMs = (measurements: Measurement[], name: ProcessName) =>
  median(
    measurements.map(({ round, before, after }) => ((after[name].cpuSec - before[name].cpuSec) * 1000) / round.orders),
  );

/** Prints the figures; returns how many of the gated ones are beyond their limit. */
export const report = ({ bare, full, mongo, concurrency, orders }: Results): number => {
  const bareRate = median(bare.map(rate));
  const fullRate = median(full.map(rate));
  const share = median(full.map((measurement, index) => rate(measurement) / rate(bare[index] as Measurement)));
  const cpu = { bare: cpuMs(bare, 'temporal'), full: cpuMs(full, 'temporal') };
  const ratio = cpu.full / cpu.bare;
  const last = full.at(-1) as Measurement;
  const lastBare = bare.at(-1) as Measurement;
  const posts = full.flatMap((measurement) => measurement.posts);
  const memory = (name: ProcessName) => `${Math.round(last.after[name].memoryMb)} MB`;

  console.log(`
${full.length} interleaved rounds of ${orders} orders, ${concurrency} at once, MongoDB: ${mongo}

                              bare workflow   OrderHub
orders a second (median)      ${cell(bareRate)}${cell(fullRate)}   ${percent(share)} of the bare one (at least ${percent(LEAST_RATE_SHARE)})
history events an order       ${cell(lastBare.round.events, 0)}${cell(last.round.events, 0)}   at most ${MOST_EVENTS}
state transitions an order    ${cell(lastBare.round.transitions, 0)}${cell(last.round.transitions, 0)}   at most ${MOST_TRANSITIONS}
bytes of history an order     ${cell(lastBare.round.historyBytes, 0)}${cell(last.round.historyBytes, 0)}
CPU ms an order: Temporal     ${cell(cpu.bare)}${cell(cpu.full)}   ${ratio.toFixed(2)} times (at most ${MOST_CPU_RATIO})
CPU ms an order: MongoDB      ${cell(0)}${cell(cpuMs(full, 'mongo'))}
CPU ms an order: Node         ${cell(cpuMs(bare, 'bare'))}${cell(cpuMs(full, 'app'))}
memory: Temporal ${memory('temporal')}, MongoDB ${memory('mongo')}, OrderHub ${memory('app')}
POST /v1/orders: p50 ${percentile(posts, 0.5).toFixed(0)} ms, p99 ${percentile(posts, 0.99).toFixed(0)} ms
rounds: ${full.map((measurement, index) => `${rate(bare[index] as Measurement).toFixed(1)} / ${rate(measurement).toFixed(1)}`).join('   ')}
`);

  const gates: [string, boolean][] = [
    [`history events ${last.round.events} ≤ ${MOST_EVENTS}`, last.round.events <= MOST_EVENTS],
    [`state transitions ${last.round.transitions} ≤ ${MOST_TRANSITIONS}`, last.round.transitions <= MOST_TRANSITIONS],
    [`Temporal's CPU ratio ${ratio.toFixed(2)} ≤ ${MOST_CPU_RATIO}`, ratio <= MOST_CPU_RATIO],
  ];
  for (const [text, isHeld] of gates) console.log(`${isHeld ? 'ok  ' : 'NOT '} ${text}`);
  console.log(
    `${share >= LEAST_RATE_SHARE ? 'ok  ' : 'NOT '} rate ${percent(share)} ≥ ${percent(LEAST_RATE_SHARE)} (not gated: it depends on the machine)`,
  );
  return gates.filter(([, isHeld]) => !isHeld).length;
};

const cell = (value: number, digits = 1): string => value.toFixed(digits).padStart(12).padEnd(15);
const percent = (share: number): string => `${Math.round(share * 100)} %`;
