import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { OrderActivities } from '../activities/order-activities.ts';

/**
 * Our own database: one local activity a step, so that a step costs one marker and no round trip of the engine. Short,
 * because updates wait behind it; what does not succeed within three tries goes to `commitStepDurably`.
 */
export const { commitStep } = proxyLocalActivities<OrderActivities>({
  startToCloseTimeout: '2s',
  scheduleToCloseTimeout: '5s',
  retry: { maximumAttempts: 3, initialInterval: '200ms', backoffCoefficient: 2 },
});

/** The same call when the database is away for longer: visible in the UI with its attempts, ends as a case. */
export const { commitStep: commitStepDurably } = proxyActivities<OrderActivities>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1h',
  summary: 'write view, stock and audit of one step',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** Puts a stuck order before a person; short, because the order tries its step again anyway. */
export const { reportExhausted } = proxyActivities<OrderActivities>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1m',
  summary: 'open the case of a step that could not be written',
  retry: { initialInterval: '1s', maximumInterval: '10s' },
});
