import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  isGrpcServiceError,
  type Client,
} from '@temporalio/client';
import type { OrderTeller } from '../activities/intake/distribute-news.ts';
import { orderWorkflowId } from '../domain/ids.ts';
import type { OrderTimers } from '../domain/order-timers.ts';
import { BULK_PRIORITY, ORDER_WORKFLOW, orderStartOptions, platformChangedSignal } from '../workflows/contract.ts';

const WITHIN_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
/** gRPC: deadline exceeded, resource exhausted, aborted, unavailable. */
const NOT_NOW = [4, 8, 10, 14];

/** Starts and tells orders in bulk: behind everything that people wait for, and patiently while the engine is busy. */
export const createOrderTeller = (
  client: Client,
  timers: () => Promise<OrderTimers & { version: number }>,
): OrderTeller => {
  /** The connection repeats calls by itself past the deadline that they were given; callers do not wait for that. */
  const within = async <T>(deadline: number, call: () => Promise<T>): Promise<T> => {
    const isAnswered = new AbortController();
    const late = sleep(deadline - Date.now(), undefined, { signal: isAnswered.signal }).then(() => {
      throw new Error('the engine has not answered within the time');
    });
    try {
      return await Promise.race([client.withDeadline(deadline, call), late]);
    } finally {
      isAnswered.abort();
    }
  };
  const persist = async <T>(call: () => Promise<T>): Promise<T> => {
    const deadline = Date.now() + WITHIN_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS))
      try {
        return await within(deadline, call);
      } catch (error) {
        if (!isNotNow(error) || Date.now() + pauseMs >= deadline) throw error;
        await sleep(pauseMs);
      }
  };
  return {
    async start({ snapshot, origin }) {
      const options = orderStartOptions({ snapshot, origin, timers: await timers(), priorityKey: BULK_PRIORITY });
      try {
        await persist(() =>
          client.workflow.start(ORDER_WORKFLOW, { ...options, workflowIdReusePolicy: 'REJECT_DUPLICATE' }),
        );
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
        throw error;
      }
    },
    async tellChanged(orderId, snapshot) {
      const handle = client.workflow.getHandle(orderWorkflowId(orderId));
      try {
        await persist(() => handle.signal(platformChangedSignal, { snapshot }));
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  };
};

const isNotNow = (error: unknown): boolean => {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth += 1)
    if (isGrpcServiceError(cause)) return NOT_NOW.includes(cause.code);
  return false;
};
