import type { Client } from '@temporalio/client';
import type { Connection } from 'mongoose';
import { orderEntity, orderWorkflowId } from '../domain/ids.ts';
import { auditCollection } from '../models/audit-log.ts';
import { inParallel } from './rounds.ts';

export interface StartFigures {
  workflows: number;
  /** Workflows started a second, by stretches of ten seconds; without the first and the last. */
  ratePerSec: readonly number[];
  /** Most that had been started and had not come to their first step. */
  mostInFlight: number;
  /** Milliseconds from the start to the first step, sorted. */
  waitsMs: number[];
}

const STRETCH_MS = 10_000;

/** How orders of a shop were started, from the times that the engine and the audit have kept. */
export const startFigures = async (client: Client, connection: Connection, shopId: string): Promise<StartFigures> => {
  const startedAt = new Map<string, number>();
  const query = `WorkflowType = "orderWorkflow" AND ShopId = "${shopId}"`;
  for await (const { workflowId, startTime } of client.workflow.list({ query, pageSize: 1000 }))
    startedAt.set(workflowId, startTime.getTime());
  const changes: [at: number, by: number][] = [];
  const waitsMs: number[] = [];
  const first = auditCollection(connection).find(
    { shopId, seq: 1 },
    { projection: { entity: 1, at: 1 }, batchSize: 1000 },
  );
  for await (const { entity, at } of first) {
    const start = startedAt.get(orderWorkflowId(entity.slice(orderEntity('').length)));
    if (start === undefined) continue;
    const step = Math.max(start, new Date(at).getTime());
    changes.push([start, 1], [step, -1]);
    waitsMs.push(step - start);
  }
  changes.sort(([a, up], [b, by]) => a - b || by - up);
  let mostInFlight = 0;
  changes.reduce((count, [, by]) => {
    mostInFlight = Math.max(mostInFlight, count + by);
    return count + by;
  }, 0);
  const times = [...startedAt.values()];
  const began = times.reduce((least, at) => Math.min(least, at), Infinity);
  const stretches: number[] = [];
  for (const at of times) {
    const index = Math.floor((at - began) / STRETCH_MS);
    stretches[index] = (stretches[index] ?? 0) + 1;
  }
  const whole = stretches.length > 3 ? stretches.slice(1, -1) : stretches;
  const ratePerSec = Array.from(whole, (count = 0) => (count * 1000) / STRETCH_MS);
  return { workflows: startedAt.size, ratePerSec, mostInFlight, waitsMs: waitsMs.sort((a, b) => a - b) };
};

/** How long each order's history is and how often its state has moved, as the engine counts. */
export const historyLengths = async (client: Client, orderIds: readonly string[]): Promise<Map<string, string>> => {
  const lengths = new Map<string, string>();
  await inParallel(orderIds.length, 16, async (index) => {
    const orderId = orderIds[index] as string;
    const { historyLength, raw } = await client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    lengths.set(orderId, `${historyLength} ${String(raw.workflowExecutionInfo?.stateTransitionCount)}`);
  });
  return lengths;
};
