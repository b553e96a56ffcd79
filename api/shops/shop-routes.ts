import { z } from 'zod';
import { OrderStore } from '../../models/order-store.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import { assertInScope, scopeFilter } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { defineRoute, type Route } from '../route.ts';
import { decodeCursor, idSchema, listQuery, pageSchema, toPage } from '../schemas.ts';
import { collectingOf } from './collecting.ts';
import { putShop } from './put-shop.ts';
import { shopInScope } from './shop-in-scope.ts';
import { shopBodySchema, shopParams, shopSchema } from './shop-schemas.ts';

export const createShopRoutes = (deps: ApiDeps): Route[] => {
  const collecting = collectingOf(deps);
  const { shops, sync } = collecting;
  const put = putShop({ deps, shops, sync, orders: new OrderStore(deps.connection) });
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/shops',
      operationId: 'listShops',
      tag: 'shops',
      summary: 'List shops by id',
      access: { action: 'read', subject: 'Shop' },
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(shopSchema), description: 'A page of shops, without secrets' },
      handler: async ({ query: { limit, cursor }, ability }) => {
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([idSchema]));
        const found = await shops.list({ scope: scopeFilter(ability, 'read', 'Shop'), after, limit: limit + 1 });
        return { status: 200, body: toPage(found, limit, shopView, ({ shopId }) => [shopId]) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/shops/{shopId}',
      operationId: 'getShop',
      tag: 'shops',
      summary: 'Read a shop',
      access: { action: 'read', subject: 'Shop' },
      params: shopParams,
      success: { status: 200, schema: shopSchema, description: 'The shop, without secrets' },
      handler: async (ctx) => {
        const shop = await shopInScope(shops, ctx.params.shopId, 'read', ctx);
        return { status: 200, body: shopView(shop), revision: shop.revision };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/v1/shops/{shopId}',
      operationId: 'putShop',
      tag: 'shops',
      summary: 'Make or replace a shop',
      description:
        'Secrets can be written, never read. The channel of a shop stays; its currency too, once it has orders.',
      access: { action: 'manage', subject: 'Shop' },
      params: shopParams,
      body: shopBodySchema,
      success: { status: 200, schema: shopSchema, description: 'The shop as written, without secrets' },
      handler: async (ctx) => {
        const { shopId } = ctx.params;
        assertInScope(ctx.ability, 'manage', 'Shop', { shopId });
        const { shop, isTokenRevived } = await put(shopId, ctx.body, ctx);
        await collecting.shopWritten(shop, { isTokenRevived }, ctx);
        return { status: 200, body: shopView(shop), revision: shop.revision };
      },
    }),
  ];
};

const shopView = (shop: ShopRecord) => ({
  shopId: shop.shopId,
  channel: shop.channel,
  name: shop.name,
  currency: shop.currency,
  baseUrl: shop.baseUrl,
  credentialsSet: shop.credentialsSet,
  polling: shop.polling,
  paymentChannels: shop.paymentChannels,
  revision: shop.revision,
  createdAt: shop.createdAt.toISOString(),
  updatedAt: shop.updatedAt.toISOString(),
});
