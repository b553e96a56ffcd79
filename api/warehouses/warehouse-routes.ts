import { z } from 'zod';
import { warehouseEntity, WarehouseStore, type WarehouseRecord } from '../../models/warehouse-records.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { assertRevision } from '../revisions.ts';
import { defineRoute, type Route } from '../route.ts';
import { decodeCursor, idSchema, listQuery, pageSchema, textSchema, timestampSchema, toPage } from '../schemas.ts';
import { secretSchema } from '../secrets.ts';
import { assertCallableUrl } from '../urls.ts';

const bodySchema = z.strictObject({
  name: textSchema(128),
  province: textSchema(64),
  city: textSchema(64),
  wms: z
    .strictObject({
      type: z.literal('qimen'),
      baseUrl: z.string().max(2048).meta({ description: 'The whole URL' }),
      appKey: textSchema(256),
      secret: secretSchema,
      customerId: textSchema(256),
    })
    .optional(),
});

const warehouseSchema = z
  .object({
    warehouseId: idSchema,
    name: z.string(),
    province: z.string(),
    city: z.string(),
    wms: z
      .object({ type: z.literal('qimen'), baseUrl: z.string(), appKey: z.string(), customerId: z.string() })
      .nullable(),
    revision: z.number().int(),
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Warehouse' });

const facets = ({ name, province, city, wms }: WarehouseRecord) => ({
  name,
  province,
  city,
  wms: wms && { type: wms.type, baseUrl: wms.baseUrl, appKey: wms.appKey, customerId: wms.customerId },
});

const warehouseView = (warehouse: WarehouseRecord) => ({
  warehouseId: warehouse._id,
  ...facets(warehouse),
  revision: warehouse.revision,
  updatedAt: warehouse.updatedAt.toISOString(),
});

export const createWarehouseRoutes = (deps: ApiDeps): Route[] => {
  const warehouses = new WarehouseStore(deps.connection);
  return [
    defineRoute({
      method: 'PUT',
      path: '/v1/warehouses/{warehouseId}',
      operationId: 'putWarehouse',
      tag: 'warehouses',
      summary: 'Create or replace a warehouse',
      description: 'Without `wms` it is worked through REST.',
      access: { action: 'manage', subject: 'Warehouse' },
      params: z.strictObject({ warehouseId: idSchema }),
      body: bodySchema,
      success: { status: 200, schema: warehouseSchema, description: 'The warehouse, without its secret' },
      handler: async (ctx) => {
        const { warehouseId } = ctx.params;
        const { name, province, city, wms } = ctx.body;
        const entity = warehouseEntity(warehouseId);
        const baseUrl =
          wms &&
          (await assertCallableUrl(wms.baseUrl, 'wms.baseUrl', { allowPrivate: deps.settings.allowPrivateUrls }));
        const warehouse = await deps.audit.record(entity, async (session) => {
          const known = await warehouses.byId(warehouseId, session);
          assertRevision(ctx.ifMatch, known?.revision ?? 0);
          const now = new Date();
          const record: WarehouseRecord = {
            _id: warehouseId,
            name,
            province,
            city,
            wms: wms
              ? {
                  type: wms.type,
                  baseUrl: baseUrl ?? wms.baseUrl,
                  appKey: wms.appKey,
                  secretSealed: deps.sealer.seal({ secret: wms.secret }, entity),
                  customerId: wms.customerId,
                }
              : null,
            revision: (known?.revision ?? 0) + 1,
            updatedAt: now,
          };
          if (!(await warehouses.write(record, known?.revision ?? 0, session)))
            throw new Problem('conflict', { detail: 'The warehouse was changed at the same time' });
          const { actor, from } = ctx;
          const action = known ? 'warehouse.changed' : 'warehouse.created';
          return {
            draft: { at: now, actor, from, action, before: known ? facets(known) : null, after: facets(record) },
            result: record,
          };
        });
        return { status: 200, body: warehouseView(warehouse), revision: warehouse.revision };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/warehouses/{warehouseId}',
      operationId: 'getWarehouse',
      tag: 'warehouses',
      summary: 'Read a warehouse',
      access: { action: 'read', subject: 'Warehouse' },
      params: z.strictObject({ warehouseId: idSchema }),
      success: { status: 200, schema: warehouseSchema, description: 'The warehouse, without its secret' },
      handler: async (ctx) => {
        const warehouse = await warehouses.byId(ctx.params.warehouseId);
        if (!warehouse) throw new Problem('not_found');
        return { status: 200, body: warehouseView(warehouse), revision: warehouse.revision };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/warehouses',
      operationId: 'listWarehouses',
      tag: 'warehouses',
      summary: 'List the warehouses by id',
      access: { action: 'read', subject: 'Warehouse' },
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(warehouseSchema), description: 'A page of warehouses' },
      handler: async (ctx) => {
        const { limit, cursor } = ctx.query;
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string()]));
        const records = await warehouses.list({ after, limit: limit + 1 });
        return { status: 200, body: toPage(records, limit, warehouseView, ({ _id }) => [_id]) };
      },
    }),
  ];
};
