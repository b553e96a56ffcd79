import type { ConfigContents } from '../../config/documents.ts';
import { durationMs } from '../../domain/duration.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';
import type { ConfigVersions } from '../../models/config-versions.ts';

/** What an order workflow starts with: the timers in milliseconds and the version that they come from. */
export async function currentTimers(
  versions: ConfigVersions<ConfigContents>,
): Promise<OrderTimers & { version: number }> {
  const { version, content } = await versions.current('timers');
  return {
    version,
    paymentTimeoutMs: durationMs(content.paymentTimeout),
    autoCompleteMs: durationMs(content.autoComplete),
  };
}
