import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ChannelActivities } from '../activities/channel-activities.ts';
import type { FulfilmentActivities } from '../activities/fulfilment-activities.ts';
import type { OrderActivities } from '../activities/order-activities.ts';
import { CHANNELS_QUEUE, FULFILMENT_QUEUE } from './contract.ts';

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

/** Warehouses' systems are slow at night and away at times; after an hour a person is told, and it is tried again. */
export const { handOver } = proxyActivities<FulfilmentActivities>({
  taskQueue: FULFILMENT_QUEUE,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1h',
  summary: 'hand the delivery to the warehouse',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** As `handOver`, but more eager: every second more goods may be packed that are not to leave. */
export const { stopDelivery } = proxyActivities<FulfilmentActivities>({
  taskQueue: FULFILMENT_QUEUE,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1h',
  summary: 'ask the warehouse to stop the delivery',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
});

/** Platforms throttle, and say for how long; that wait is kept by the activity. */
export const { tellPlatform } = proxyActivities<ChannelActivities>({
  taskQueue: CHANNELS_QUEUE,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1h',
  summary: 'tell the platform of the parcel',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});
