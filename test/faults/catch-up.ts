import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** The first step after an outage is awaited for at most this long. */
const MOST_MS = 180_000;
const EVERY_MS = 500;

export interface CaughtUp {
  orders: number;
  /** Until half of them, and until all of them had caught up. */
  halfMs: number;
  ms: number;
}

/**
 * After MongoDB was away: how long until no order has a step left that could not be written meanwhile. Steps that outlast
 * the short tries of a local activity wait as ordinary activities, and are seen as such.
 */
export const catchUp = async (client: Client, signal: AbortSignal): Promise<CaughtUp> => {
  const since = Date.now();
  const behind = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' }))
    if (await isBehind(client, workflowId)) behind.add(workflowId);
  const orders = behind.size;
  let halfMs = 0;
  while (behind.size > 0 && Date.now() - since < MOST_MS) {
    await sleep(EVERY_MS, undefined, { signal });
    const states = await Promise.all([...behind].map(async (id) => ({ id, isLate: await isBehind(client, id) })));
    for (const { id, isLate } of states) if (!isLate) behind.delete(id);
    if (halfMs === 0 && behind.size <= orders / 2) halfMs = Date.now() - since;
  }
  return { orders, halfMs, ms: Date.now() - since };
};

const isBehind = async (client: Client, workflowId: string): Promise<boolean> => {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return (raw.pendingActivities ?? []).some(({ attempt }) => (attempt ?? 0) > 1);
};
