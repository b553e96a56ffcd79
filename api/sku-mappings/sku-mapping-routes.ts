import { z } from 'zod';
import { skuMappingEntity, skuMappingId, type SkuMappingRecord } from '../../models/sku-mapping-records.ts';
import { assertInScope } from '../auth/scope.ts';
import type { Action } from '../auth/policy.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { orderServicesOf } from '../orders/order-services.ts';
import { assertRevision } from '../revisions.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import {
  decodeCursor,
  idSchema,
  listQuery,
  pageSchema,
  skuCodeSchema,
  textSchema,
  timestampSchema,
  toPage,
} from '../schemas.ts';
import { tellWaitingOrders } from './waiting-orders.ts';

const mappingSchema = z
  .object({
    shopId: idSchema,
    platformSku: z.string(),
    skuCode: skuCodeSchema,
    revision: z.number().int(),
    updatedAt: timestampSchema,
  })
  .meta({ id: 'SkuMapping' });

const mappingView = ({ shopId, platformSku, skuCode, revision, updatedAt }: SkuMappingRecord) => ({
  shopId,
  platformSku,
  skuCode,
  revision,
  updatedAt: updatedAt.toISOString(),
});

export const createSkuMappingRoutes = (deps: ApiDeps): Route[] => {
  const services = orderServicesOf(deps);
  const { mappings, shops } = services;
  const tellOrders = tellWaitingOrders(services, deps.logger);

  const shopInScope = async (shopId: string, action: Action, { ability }: Pick<RouteContext, 'ability'>) => {
    assertInScope(ability, action, 'SkuMapping', { shopId });
    if (!(await shops.byId(shopId))) throw new Problem('not_found', { detail: `There is no shop ${shopId}` });
  };

  return [
    defineRoute({
      method: 'PUT',
      path: '/v1/sku-mappings/{shopId}/{platformSku}',
      operationId: 'putSkuMapping',
      tag: 'sku-mappings',
      summary: "Say which SKU a platform's goods are",
      description: 'Orders of the shop that are held for these goods go on. Sent again, it tells them again.',
      access: { action: 'manage', subject: 'SkuMapping' },
      params: z.strictObject({ shopId: idSchema, platformSku: textSchema(128) }),
      body: z.strictObject({ skuCode: skuCodeSchema }),
      success: { status: 200, schema: mappingSchema, description: 'The mapping' },
      handler: async (ctx) => {
        const { shopId, platformSku } = ctx.params;
        const { skuCode } = ctx.body;
        await shopInScope(shopId, 'manage', ctx);
        const record = await deps.audit.record(skuMappingEntity(shopId, platformSku), async (session) => {
          const known = await mappings.find(shopId, platformSku, session);
          assertRevision(ctx.ifMatch, known?.revision ?? 0);
          if (known?.skuCode === skuCode) return { draft: null, result: known };
          const now = new Date();
          const revision = (known?.revision ?? 0) + 1;
          const next = {
            _id: skuMappingId(shopId, platformSku),
            shopId,
            platformSku,
            skuCode,
            revision,
            updatedAt: now,
          };
          if (!(await mappings.write(next, known?.revision ?? 0, session)))
            throw new Problem('conflict', { detail: 'The mapping was changed at the same time' });
          const change = { before: known ? { skuCode: known.skuCode } : null, after: { skuCode } };
          const { actor, from } = ctx;
          return { draft: { at: now, actor, from, action: 'sku-mapping.written', ...change }, result: next };
        });
        await tellOrders(shopId, platformSku, skuCode);
        return { status: 200, body: mappingView(record), revision: record.revision };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/sku-mappings/{shopId}',
      operationId: 'listSkuMappings',
      tag: 'sku-mappings',
      summary: 'List the mappings of a shop by platform SKU',
      access: { action: 'read', subject: 'SkuMapping' },
      params: z.strictObject({ shopId: idSchema }),
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(mappingSchema), description: 'A page of mappings' },
      handler: async (ctx) => {
        const { shopId } = ctx.params;
        const { limit, cursor } = ctx.query;
        await shopInScope(shopId, 'read', ctx);
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string()]));
        const records = await mappings.list({ shopId, after, limit: limit + 1 });
        return { status: 200, body: toPage(records, limit, mappingView, ({ platformSku }) => [platformSku]) };
      },
    }),
  ];
};
