import type { Client } from '@temporalio/client';

/** One measured round. */
export interface Round {
  seconds: number;
  orders: number;
  /** Of the last order. */
  events: number;
  transitions: number;
  historyBytes: number;
}

/** Of what was measured; cost and size are those of the last order. */
export const roundOf = async (
  client: Client,
  { seconds, orders, lastWorkflowId }: { seconds: number; orders: number; lastWorkflowId: string },
): Promise<Round> => {
  const last = await client.workflow.getHandle(lastWorkflowId).describe();
  return {
    seconds,
    orders,
    events: last.historyLength,
    transitions: Number(last.raw.workflowExecutionInfo?.stateTransitionCount ?? 0),
    historyBytes: last.historySize ?? 0,
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
