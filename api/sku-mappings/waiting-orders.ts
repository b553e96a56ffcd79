import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../runtime/logger.ts';
import type { OrderServices } from '../orders/order-services.ts';

const AT_ONCE = 8;
/** The answer waits for this long; many orders are told after it. */
const ANSWER_WITHIN_MS = 3000;

/** Tells the orders that wait for these goods. One that could not be told is told when the mapping is sent again. */
export const tellWaitingOrders =
  ({ intake, desk, starter }: Pick<OrderServices, 'intake' | 'desk' | 'starter'>, logger: Logger) =>
  async (shopId: string, platformSku: string, skuCode: string): Promise<void> => {
    const tell = async (orderId: string): Promise<void> => {
      try {
        if (await desk.tellSkuMapped(orderId, { platformSku, skuCode })) return;
        // Stored, but not started yet.
        await starter.startUntaken(orderId);
        await desk.tellSkuMapped(orderId, { platformSku, skuCode });
      } catch (error) {
        logger.warn('An order could not be told of a mapping', { orderId, error });
      }
    };
    const tellAll = async (): Promise<void> => {
      let group: string[] = [];
      for await (const orderId of intake.waitingForSku(shopId, platformSku)) {
        if (group.push(orderId) < AT_ONCE) continue;
        await Promise.all(group.map(tell));
        group = [];
      }
      await Promise.all(group.map(tell));
    };
    const told = tellAll().catch((error: unknown) =>
      logger.warn('Orders could not be told of a mapping', { shopId, error }),
    );
    await Promise.race([told, sleep(ANSWER_WITHIN_MS, undefined, { ref: false })]);
  };
