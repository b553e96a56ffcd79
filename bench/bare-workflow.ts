import { condition, defineSignal, proxySinks, setHandler, type Sinks } from '@temporalio/workflow';

export const shippedSignal = defineSignal('shipped');
export const deliveredSignal = defineSignal('delivered');

/** Tells the driver, within the process, that the cause of the next signal is there; costs the engine nothing. */
export interface BareSinks extends Sinks {
  bare: { waits(stage: 'shipment' | 'delivery'): void };
}

const { bare } = proxySinks<BareSinks>();

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
