import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningRole } from '../../runtime/app-context.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { OrderServices } from '../orders/order-services.ts';

const EVERY_MS = 60_000;

/**
 * Tells orders that still wait for goods which have been mapped meanwhile: whoever mapped them may have died before every
 * order was told. Once now, then every minute; an order that is told twice recognises it.
 */
export const startMissedMappings = (
  { intake, mappings, desk }: Pick<OrderServices, 'intake' | 'mappings' | 'desk'>,
  logger: Logger,
): RunningRole => {
  const stopping = new AbortController();
  const sweep = async (): Promise<void> => {
    for await (const { orderId, shopId, platformSkus } of intake.heldForSkus()) {
      if (stopping.signal.aborted) return;
      for (const [platformSku, skuCode] of await mappings.skuCodesOf(shopId, platformSkus))
        await desk.tellSkuMapped(orderId, { platformSku, skuCode });
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sweep().catch((error: unknown) => logger.warn('Orders could not be told of mappings yet', { error }));
      await sleep(EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
};
