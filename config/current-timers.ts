import { durationMs } from '../domain/duration.ts';
import type { OrderTimers } from '../domain/order-timers.ts';
import type { ConfigReader } from './documents.ts';

/** What an order workflow starts with: the timers in milliseconds and the version that they come from. */
export async function currentTimers(versions: ConfigReader): Promise<OrderTimers & { version: number }> {
  const { version, content } = await versions.current('timers');
  return {
    version,
    paymentTimeoutMs: durationMs(content.paymentTimeout),
    autoCompleteMs: durationMs(content.autoComplete),
  };
}

/** By when a shop's collecting counts as late, and how long its failures last before they are more than a hiccup. */
export async function currentSyncLimits(versions: ConfigReader): Promise<{ lateMs: number; failingMs: number }> {
  const { content } = await versions.current('timers');
  return { lateMs: durationMs(content.syncLate), failingMs: MISSED_HEARTBEATS * durationMs(content.heartbeat) };
}

const MISSED_HEARTBEATS = 3;
