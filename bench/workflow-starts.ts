import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { orderWorkflowId } from '../domain/ids.ts';
import { inParallel } from './rounds.ts';

const { EventType } = proto.temporal.api.enums.v1;

/** What an order's history says of its beginning, and how long it is. */
export interface OrderStart {
  startedAt: number;
  /** When the first step was in the history. */
  steppedAt: number;
  events: number;
}

export interface StartFigures {
  workflows: number;
  /** Workflows started a second, by stretches of ten seconds; without the first and the last. */
  ratePerSec: readonly number[];
  /** Most that had been started and had not done their first step. */
  mostInFlight: number;
  /** Milliseconds from the start to the first step. */
  firstStepMs: number[];
  /** Orders that had not been started at that time. */
  waitingAt(at: number): number;
}

const STRETCH_MS = 10_000;
const AT_ONCE = 16;

export const readStarts = async (client: Client, orderIds: readonly string[]): Promise<Map<string, OrderStart>> => {
  const starts = new Map<string, OrderStart>();
  await inParallel(orderIds.length, AT_ONCE, async (index) => {
    const orderId = orderIds[index] as string;
    const { events } = await client.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory();
    const timeOf = (type: number) => {
      const time = events?.find(({ eventType }) => eventType === type)?.eventTime;
      return Number(time?.seconds ?? NaN) * 1000 + (time?.nanos ?? 0) / 1e6;
    };
    starts.set(orderId, {
      startedAt: timeOf(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED),
      steppedAt: timeOf(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
      events: events?.length ?? 0,
    });
  });
  return starts;
};

/** Orders whose history is longer or shorter than it was. */
export const movedSince = async (client: Client, starts: ReadonlyMap<string, OrderStart>): Promise<string[]> => {
  const moved: string[] = [];
  const known = [...starts];
  await inParallel(known.length, AT_ONCE, async (index) => {
    const [orderId, { events }] = known[index] as [string, OrderStart];
    const { historyLength } = await client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    if (historyLength !== events) moved.push(orderId);
  });
  return moved;
};

export const startFigures = (starts: ReadonlyMap<string, OrderStart>): StartFigures => {
  const all = [...starts.values()].filter(({ startedAt }) => !Number.isNaN(startedAt));
  const changes = all.flatMap(({ startedAt, steppedAt }): [at: number, by: number][] => [
    [startedAt, 1],
    [steppedAt, -1],
  ]);
  changes.sort(([a, up], [b, by]) => a - b || by - up);
  let [inFlight, mostInFlight] = [0, 0];
  for (const [, by] of changes) mostInFlight = Math.max(mostInFlight, (inFlight += by));
  const times = all.map(({ startedAt }) => startedAt).sort((a, b) => a - b);
  const stretchOf = (at: number) => Math.floor((at - (times[0] ?? 0)) / STRETCH_MS);
  const stretches = Array.from({ length: stretchOf(times.at(-1) ?? 0) + 1 }, () => 0);
  for (const at of times) stretches[stretchOf(at)] = (stretches[stretchOf(at)] ?? 0) + 1;
  const whole = stretches.length > 3 ? stretches.slice(1, -1) : stretches;
  return {
    workflows: all.length,
    ratePerSec: whole.map((count) => (count * 1000) / STRETCH_MS),
    mostInFlight,
    waitingAt: (at) => all.filter(({ startedAt }) => startedAt > at).length,
    firstStepMs: all.map(({ startedAt, steppedAt }) => steppedAt - startedAt),
  };
};
