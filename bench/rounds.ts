import type { Client } from '@temporalio/client';

/** One measured round. */
export interface Round {
  seconds: number;
  orders: number;
  /** Of an ordinary one. */
  events: number;
  transitions: number;
  historyBytes: number;
}

/** Looked at for what an order costs; what meets another message on its way costs more or less. */
const LOOKED_AT = 9;

/** Of what was measured; `idOf` names the workflow of the n-th order. */
export const roundOf = async (
  client: Client,
  { seconds, orders, idOf }: { seconds: number; orders: number; idOf: (index: number) => string },
): Promise<Round> => {
  const looks = Array.from({ length: Math.min(LOOKED_AT, orders) }, (_, n) =>
    client.workflow.getHandle(idOf(orders - 1 - n)).describe(),
  );
  const last = await Promise.all(looks);
  return {
    seconds,
    orders,
    events: median(last.map(({ historyLength }) => historyLength)),
    transitions: median(last.map(({ raw }) => Number(raw.workflowExecutionInfo?.stateTransitionCount ?? 0))),
    historyBytes: median(last.map(({ historySize }) => historySize ?? 0)),
  };
};

/** Runs `work` for 0 … count − 1, at most `concurrency` at a time. */
export const inParallel = async (
  count: number,
  concurrency: number,
  work: (index: number) => Promise<void>,
): Promise<void> => {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
};

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
};
