import { loadavg } from 'node:os';
import type { IntakeFigures, Phase } from './intake-run.ts';
import { median, percentile } from './rounds.ts';

const COLLECTED_WITHIN_SEC = 60;
const MOST_APP_MB = 600;
const MOST_P99_MS = 500;
const RESERVED_WITHIN_MS = 2000;
/** So many others must wait when an order is posted that is to overtake them. */
const MANY = 1500;

const ms = (value: number): string => (Number.isNaN(value) ? 'none' : `${value.toFixed(0)} ms`);
const spread = (values: readonly number[]): string =>
  `p50 ${ms(percentile(values, 0.5))}, p99 ${ms(percentile(values, 0.99))}, most ${ms(percentile(values, 1))} of ${values.length}`;

/** Prints what was measured and what was aimed at; returns how many aims were missed. */
export const reportIntake = (figures: IntakeFigures, mongo: string): number => {
  const { orders, collecting, distributing, starts, secondPass } = figures;
  const many = Math.min(MANY, Math.floor(orders / 4));
  const { reservations } = distributing.calls;
  const overtaking = reservations.filter(({ at }) => starts.waitingAt(at) >= many).map((one) => one.ms);
  const appMb = Math.max(collecting.memoryMb['app'] ?? NaN, distributing.memoryMb['app'] ?? NaN);
  console.log(`
${orders} changed trades in one window, MongoDB: ${mongo}; load of the machine ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}

collected in ${collecting.seconds.toFixed(1)} s by ${figures.polls} polls of ${figures.pages} pages; ${figures.moved} rows moved while they were paged through, ${figures.afterFirstPoll} orders were there after the first poll
${phaseLines(collecting)}
distributed in ${distributing.seconds.toFixed(1)} s
${phaseLines(distributing)}
workflows: ${starts.workflows} started, ${median(starts.ratePerSec).toFixed(1)} a second (${Math.min(...starts.ratePerSec).toFixed(1)} to ${Math.max(...starts.ratePerSec).toFixed(1)}); at most ${starts.mostInFlight} between start and first step, which took ${spread(starts.firstStepMs)}
reserved while at least ${many} others waited: ${spread(overtaking)}
second pass: ${secondPass.seconds.toFixed(1)} s, ${JSON.stringify(secondPass.counts)}, ${secondPass.movedHistories} histories moved
failed calls of people and services: ${figures.failedCalls}
`);
  const p99 = (of: keyof Pick<Phase['calls'], 'lists' | 'posts'>) =>
    Math.max(percentile(collecting.calls[of], 0.99), percentile(distributing.calls[of], 0.99));
  const { counts } = secondPass;
  const aims: [string, boolean][] = [
    [`all in the read model within ${COLLECTED_WITHIN_SEC} s`, collecting.seconds <= COLLECTED_WITHIN_SEC],
    [`the application below ${MOST_APP_MB} MB (${appMb.toFixed(0)})`, appMb < MOST_APP_MB],
    [`GET /v1/orders p99 below ${MOST_P99_MS} ms (${ms(p99('lists'))})`, p99('lists') < MOST_P99_MS],
    [`POST /v1/orders p99 below ${MOST_P99_MS} ms (${ms(p99('posts'))})`, p99('posts') < MOST_P99_MS],
    [`one workflow for each order`, starts.workflows === orders],
    [
      `a second pass creates and changes nothing and wakes no workflow`,
      counts['created'] === 0 && counts['changed'] === 0 && counts['failed'] === 0 && secondPass.movedHistories === 0,
    ],
    [
      `reserved within ${RESERVED_WITHIN_MS} ms while ${many} others wait`,
      overtaking.length > 0 && overtaking.every((one) => one <= RESERVED_WITHIN_MS),
    ],
    ['no call failed', figures.failedCalls === 0],
  ];
  for (const [text, isHeld] of aims) console.log(`${isHeld ? 'ok  ' : 'NOT '} ${text}`);
  return aims.filter(([, isHeld]) => !isHeld).length;
};

const phaseLines = ({ calls, memoryMb, cpuSec }: Phase): string => {
  const of = (values: Record<string, number>, unit: string) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value.toFixed(0)} ${unit}`)
      .join(', ');
  return [
    `  GET /v1/orders   ${spread(calls.lists)}`,
    `  POST /v1/orders  ${spread(calls.posts)}`,
    `  reserved         ${spread(calls.reservations.map((one) => one.ms))}`,
    `  memory           ${of(memoryMb, 'MB')}`,
    `  CPU              ${of(cpuSec, 's')}`,
  ].join('\n');
};
