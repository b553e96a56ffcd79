import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';
import { lookAfterOrders } from './demo-care.ts';
import { refill, type DemoCast } from './demo-cast.ts';
import { connectOutside, type DemoOutside } from './demo-outside.ts';
import { DEMO_WMS_WAREHOUSE } from './demo-setup.ts';
import { TRADE_STORIES, TRADED_GOODS, type TradeStage } from './demo-trades.ts';
import { TROUBLES } from './demo-troubles.ts';

const SECONDS_BETWEEN_TRADES = 6;
const SECONDS_BETWEEN_LOOKS = 4;
const SECONDS_BETWEEN_TROUBLES = 45;
const SECONDS_BETWEEN_DELIVERIES_OF_GOODS = 60;
const LEAST_STOCK = 200;

/** Traffic of the shop on the platform, sent by the warehouse with its own system, until the signal. */
export const runPlatformShop = async (
  cast: DemoCast,
  outside: DemoOutside,
  { dataDir, logger, signal }: { dataDir: string; logger: Logger; signal: AbortSignal },
): Promise<void> => {
  await connectOutside(cast, outside, { dataDir, goods: TRADED_GOODS, stock: LEAST_STOCK });
  const stage: TradeStage = { cast, taobao: outside.taobao.control, wms: outside.wms.control };
  const stories = Object.entries(TRADE_STORIES);
  /** One after the other: what fails is tried at the next turn, and nothing else waits for it. */
  const every = async (seconds: number, what: string, act: (turn: number) => unknown): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      try {
        await act(turn);
      } catch (error) {
        if (!signal.aborted) logger.warn('A part of the demo has failed', { what, error });
      }
      await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  };
  const begin = (turn: number): void => {
    const [name = '', story] = stories[turn % stories.length] ?? [];
    story?.(stage).catch((error: unknown) => {
      if (!signal.aborted) logger.warn('A demo story ended early', { story: name, error });
    });
  };
  await Promise.all([
    every(SECONDS_BETWEEN_TRADES, 'trades', begin),
    every(SECONDS_BETWEEN_LOOKS, 'care', () => lookAfterOrders(stage)),
    // The first ones go as they should.
    every(SECONDS_BETWEEN_TROUBLES, 'troubles', (turn) => turn > 0 && TROUBLES[(turn - 1) % TROUBLES.length]?.(stage)),
    every(SECONDS_BETWEEN_DELIVERIES_OF_GOODS, 'goods', () =>
      refill(cast, DEMO_WMS_WAREHOUSE, TRADED_GOODS, LEAST_STOCK),
    ),
  ]);
};
