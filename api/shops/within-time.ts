import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { Problem } from '../errors.ts';

/** The connection repeats calls by itself past the deadline that they were given; callers do not wait for that: 503. */
export async function withinTime<T>(client: Client, timeoutMs: number, call: () => Promise<T>): Promise<T> {
  const isAnswered = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: isAnswered.signal }).then(() => {
    throw new Problem('unavailable', { detail: 'Temporal did not answer in time', retryAfterSec: 2 });
  });
  try {
    // `late` must be waited for before anything can throw.
    return await Promise.race([late, Promise.resolve().then(() => client.withDeadline(Date.now() + timeoutMs, call))]);
  } finally {
    isAnswered.abort();
  }
}
