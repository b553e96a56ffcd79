import type { FaultReport } from './fault-run.ts';
import type { Proof } from './proof.ts';

const MOST_SHOWN = 12;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;

/** What a run found, in words and figures; `isProven` when nothing speaks against any claim. */
export const reportOf = (report: FaultReport): { text: string; isProven: boolean } => {
  const { proofs } = report;
  const isProven = proofs.every(({ problems }) => problems.length === 0);
  const wrong = proofs.reduce((sum, { problems }) => sum + problems.length, 0);
  const closing = isProven ? `PROVEN: ${proofs.length} claims hold.` : `NOT PROVEN: ${wrong} findings against them.`;
  return { text: [...figuresOf(report), '', ...proofs.flatMap(proofLines), '', closing].join('\n'), isProven };
};

const proofLines = ({ claim, examined, problems }: Proof): string[] => [
  `${problems.length === 0 ? 'holds ' : 'BROKEN'}  ${claim} (${examined} examined)`,
  ...problems.slice(0, MOST_SHOWN).map((problem) => `          - ${problem}`),
  ...(problems.length > MOST_SHOWN ? [`          and ${problems.length - MOST_SHOWN} more`] : []),
];

const figuresOf = ({
  mongo,
  outages,
  behind,
  endedByItself,
  commits,
  tally,
  engine,
  seconds: took,
  orders,
  more = [],
}: FaultReport): string[] => {
  const durations = [...tally.durationsMs].sort((a, b) => a - b);
  const slowest = [...outages].sort((a, b) => b.recoveryMs - a.recoveryMs)[0];
  const targets = [...new Set(outages.map(({ target }) => target))].sort();
  const kills = targets.map((target) => `${target} ${outages.filter((outage) => outage.target === target).length}`);
  const count = Object.values(orders).reduce((sum, number) => sum + number, 0);
  const retries = Object.entries(tally.retries).map(([cause, number]) => `${cause} ${number}`);
  return [
    `MongoDB: ${mongo}. ${count} orders of ${Object.keys(orders).length} paths in ${took.driving.toFixed(0)} s, ${took.all.toFixed(0)} s with start and proofs.`,
    `Killed: ${kills.join(', ')}. Ended by themselves and started again: ${Object.entries(endedByItself)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ')}.`,
    `Steps run again after they were written: ${commits.again}; answers lost: ${commits.lost} by an error, ${commits.ended} by the end of the process; overtaken ${commits.overtaken}.`,
    `Calls: ${tally.calls}, answered in ${seconds(at(durations, 0.5))} at the median, ${seconds(at(durations, 0.99))} at 99 %, ${seconds(durations.at(-1) ?? NaN)} at most, repeats included.`,
    `Repeated for: ${retries.join(', ')}. Answered from a key's memory: ${tally.replayed}. Asked too early: ${tally.tooEarly}.`,
    `Refused although it had been done: ${tally.refusedAfterEffect.length}${tally.refusedAfterEffect.length > 0 ? `, e.g. ${tally.refusedAfterEffect[0]}` : ''}.`,
    `Slowest recovery: ${slowest ? `${slowest.target}, ready ${seconds(slowest.recoveryMs)} after its start (away for ${seconds(slowest.downMs)})` : 'none'}.`,
    ...(behind
      ? [
          `After the long outage of MongoDB ${behind.orders} orders had a step to catch up with: half of them had done so after ${seconds(behind.halfMs)}, all after ${seconds(behind.ms)}.`,
        ]
      : []),
    ...more,
    `Longest history: ${engine.mostEvents} events. Failed workflow tasks: ${JSON.stringify(engine.failedTasks)}.`,
  ];
};
