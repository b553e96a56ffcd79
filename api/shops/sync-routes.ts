import { currentSyncLimits } from '../../config/current-timers.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import type { ApiDeps } from '../deps.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { collectingOf } from './collecting.ts';
import { collectedShopInScope } from './shop-in-scope.ts';
import { shopParams } from './shop-schemas.ts';
import { syncSchema, syncView } from './sync-view.ts';

/** How a shop's orders are collected, and the means to steer it. */
export const createSyncRoutes = (deps: ApiDeps): Route[] => {
  const collecting = collectingOf(deps);
  const { shops, sync } = collecting;

  const viewOf = async (shop: ShopRecord) => {
    const [cursor, limits] = await Promise.all([sync.cursor(shop.shopId), currentSyncLimits(deps.configVersions)]);
    return syncView(shop, cursor, limits, Date.now());
  };

  const command = (
    word: string,
    operationId: string,
    summary: string,
    success: { status: number; description: string },
    carryOut: (shop: ShopRecord, ctx: RouteContext) => Promise<void>,
  ): Route =>
    defineRoute({
      method: 'POST',
      path: `/v1/shops/{shopId}/${word}`,
      operationId,
      tag: 'shops',
      summary,
      access: { action: 'sync', subject: 'Shop' },
      params: shopParams,
      idempotent: true,
      success: { ...success, schema: syncSchema },
      handler: async (ctx) => {
        const shop = await collectedShopInScope(shops, ctx.params.shopId, 'sync', ctx);
        await carryOut(shop, ctx);
        return { status: success.status, body: await viewOf(shop) };
      },
    });

  return [
    defineRoute({
      method: 'GET',
      path: '/v1/shops/{shopId}/sync',
      operationId: 'getShopSync',
      tag: 'shops',
      summary: 'How far the orders of a shop are collected, and how it goes',
      description:
        '`late`: the watermark is farther behind than `syncLate`. `failing`: failures last for three heartbeats, or the platform takes no token.',
      access: { action: 'read', subject: 'Shop' },
      params: shopParams,
      success: { status: 200, schema: syncSchema, description: 'The state of collecting' },
      problems: ['rule_violation'],
      handler: async (ctx) => {
        const shop = await collectedShopInScope(shops, ctx.params.shopId, 'read', ctx);
        return { status: 200, body: await viewOf(shop) };
      },
    }),
    command(
      'poll',
      'pollShop',
      'Collect now, or as soon as the poll under way is done; also while polling is not enabled',
      { status: 202, description: 'A poll starts; the state of collecting as it is before it' },
      (shop) => collecting.poll(shop),
    ),
    command(
      'pause',
      'pauseShop',
      'Stop collecting: polls, messages and backfills',
      { status: 200, description: 'The state of collecting' },
      (shop, ctx) => collecting.setPaused(shop, true, ctx),
    ),
    command(
      'resume',
      'resumeShop',
      'Go on collecting where it stopped',
      { status: 200, description: 'The state of collecting' },
      (shop, ctx) => collecting.setPaused(shop, false, ctx),
    ),
  ];
};
