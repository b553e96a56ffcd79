import {
  condition,
  defineSignal,
  defineUpdate,
  proxyActivities,
  proxySinks,
  setHandler,
  type Sinks,
} from '@temporalio/workflow';

export const shippedSignal = defineSignal('shipped');
export const deliveredSignal = defineSignal('delivered');
export const reportUpdate = defineUpdate<number>('report');
export const changedSignal = defineSignal('changed');

/** Where the outside calls of the bare trade are served, apart from its workflows as OrderHub's are. */
export const OUTSIDE_QUEUE = 'bare-outside';

export interface OutsideActivities {
  handOver(): Promise<void>;
  tellPlatform(): Promise<void>;
}

/** Tells the driver, within the process, that the cause of the next message is there; costs the engine nothing. */
export interface BareSinks extends Sinks {
  bare: { waits(stage: 'shipment' | 'delivery'): void };
}

const { bare } = proxySinks<BareSinks>();
const { handOver, tellPlatform } = proxyActivities<OutsideActivities>({
  taskQueue: OUTSIDE_QUEUE,
  startToCloseTimeout: '30s',
});

/** An order's outside calls and signals, and nothing else: what the engine itself can do. */
export async function bareOrderWorkflow(): Promise<void> {
  let stage = 0;
  setHandler(shippedSignal, () => void (stage = 1));
  setHandler(deliveredSignal, () => void (stage = 2));
  bare.waits('shipment');
  await condition(() => stage >= 1);
  bare.waits('delivery');
  await condition(() => stage >= 2);
}

/** The same of a platform's order: handed over, reported as sent, told to the platform, finished there. */
export async function bareTradeWorkflow(): Promise<void> {
  let stage = 0;
  setHandler(reportUpdate, () => (stage = 1));
  setHandler(changedSignal, () => void (stage = 2));
  await handOver();
  bare.waits('shipment');
  await condition(() => stage >= 1);
  await tellPlatform();
  bare.waits('delivery');
  await condition(() => stage >= 2);
}
