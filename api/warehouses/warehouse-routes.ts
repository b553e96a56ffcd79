import { z } from 'zod';
import { WarehouseStore, type WarehouseRecord } from '../../models/warehouse-records.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute, type Route } from '../route.ts';
import { decodeCursor, idSchema, listQuery, pageSchema, toPage } from '../schemas.ts';
import { putWarehouse } from './put-warehouse.ts';
import { warehouseBodySchema, warehouseSchema } from './warehouse-schemas.ts';

const params = z.strictObject({ warehouseId: idSchema });

export const createWarehouseRoutes = (deps: ApiDeps): Route[] => {
  const warehouses = new WarehouseStore(deps.connection);
  const put = putWarehouse({ deps, warehouses });
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/warehouses',
      operationId: 'listWarehouses',
      tag: 'warehouses',
      summary: 'List warehouses by id',
      access: { action: 'read', subject: 'Warehouse' },
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(warehouseSchema), description: 'A page of warehouses' },
      handler: async ({ query: { limit, cursor } }) => {
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([idSchema]));
        const found = await warehouses.list({ after, limit: limit + 1 });
        return { status: 200, body: toPage(found, limit, warehouseView, ({ _id }) => [_id]) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/warehouses/{warehouseId}',
      operationId: 'getWarehouse',
      tag: 'warehouses',
      summary: 'Read a warehouse',
      access: { action: 'read', subject: 'Warehouse' },
      params,
      success: { status: 200, schema: warehouseSchema, description: 'The warehouse, without its secret' },
      handler: async ({ params: { warehouseId } }) => {
        const warehouse = await warehouses.byId(warehouseId);
        if (!warehouse) throw new Problem('not_found');
        return { status: 200, body: warehouseView(warehouse), revision: warehouse.revision };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/v1/warehouses/{warehouseId}',
      operationId: 'putWarehouse',
      tag: 'warehouses',
      summary: 'Make or replace a warehouse',
      description: 'The secret can be written, never read.',
      access: { action: 'manage', subject: 'Warehouse' },
      params,
      body: warehouseBodySchema,
      success: { status: 200, schema: warehouseSchema, description: 'The warehouse as written' },
      handler: async (ctx) => {
        const warehouse = await put(ctx.params.warehouseId, ctx.body, ctx);
        return { status: 200, body: warehouseView(warehouse), revision: warehouse.revision };
      },
    }),
  ];
};

const warehouseView = ({ _id, name, province, city, wms, revision, updatedAt }: WarehouseRecord) => ({
  warehouseId: _id,
  name,
  province,
  city,
  wms: wms && { type: wms.type, baseUrl: wms.baseUrl, appKey: wms.appKey, customerId: wms.customerId },
  revision,
  updatedAt: updatedAt.toISOString(),
});
