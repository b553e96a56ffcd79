import { z } from 'zod';
import type { PageStart } from '../../models/keyset.ts';
import type { MovementRecord } from '../../models/stock-records.ts';
import { commitHubOf } from '../../models/commit-hub.ts';
import { StockStore } from '../../models/stock-store.ts';
import { WarehouseStore } from '../../models/warehouse-records.ts';
import type { Principal } from '../auth/policy.ts';
import type { ApiDeps } from '../deps.ts';
import { invalidField } from '../errors.ts';
import { defineRoute, type Route } from '../route.ts';
import { decodeCursor, idSchema, listQuery, orderIdSchema, pageSchema, skuCodeSchema, toPage } from '../schemas.ts';
import { changeStock } from './change-stock.ts';
import {
  adjustedLines,
  adjustmentSchema,
  changedSchema,
  movementSchema,
  movementView,
  receiptSchema,
  stockSchema,
  stockView,
} from './stock-schemas.ts';

export const createStockRoutes = ({ connection, sealer }: Pick<ApiDeps, 'connection' | 'sealer'>): Route[] => {
  const { committer } = commitHubOf(connection);
  const stock = new StockStore(connection);
  const change = changeStock({ committer, stock, warehouses: new WarehouseStore(connection) });
  const hiddenId = (movementId: string) => sealer.blindIndex('movement', movementId);

  const startOf = (cursor: string | undefined): PageStart | undefined => {
    if (cursor === undefined) return undefined;
    const [at, id, isSealed] = decodeCursor(cursor, movementCursor);
    try {
      return { value: new Date(at), id: isSealed ? (sealer.unseal<[string]>(id, CURSOR)[0] ?? '') : id };
    } catch {
      throw invalidField('cursor', 'must be a nextCursor of this list');
    }
  };

  return [
    defineRoute({
      method: 'POST',
      path: '/v1/stock/receipts',
      operationId: 'receiveStock',
      tag: 'stock',
      summary: 'Book goods that have arrived',
      description: 'Orders that wait for them are served at once, first come first served. Each SKU once.',
      access: { action: 'manage', subject: 'Stock' },
      idempotent: true,
      body: receiptSchema,
      success: { status: 201, schema: changedSchema, description: 'The counters after the receipt' },
      handler: async (ctx) => {
        const counters = await change({ movement: 'receipt', reason: null, ...ctx.body }, ctx);
        return { status: 201, body: { items: counters.map(stockView) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/stock/adjustments',
      operationId: 'adjustStock',
      tag: 'stock',
      summary: 'Correct the goods on hand',
      description: 'Never below what is reserved.',
      access: { action: 'manage', subject: 'Stock' },
      idempotent: true,
      body: adjustmentSchema,
      success: { status: 201, schema: changedSchema, description: 'The counters after the adjustment' },
      handler: async (ctx) => {
        const { warehouseId, reason } = ctx.body;
        const lines = adjustedLines(ctx.body);
        const counters = await change({ movement: 'adjustment', warehouseId, lines, reason }, ctx);
        return { status: 201, body: { items: counters.map(stockView) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/stock',
      operationId: 'listStock',
      tag: 'stock',
      summary: 'Counters per warehouse and SKU',
      access: { action: 'read', subject: 'Stock' },
      query: listQuery({ skuCode: skuCodeSchema.optional(), warehouseId: idSchema.optional() }),
      success: { status: 200, schema: pageSchema(stockSchema), description: 'A page of counters' },
      handler: async (ctx) => {
        const { limit, cursor, ...filter } = ctx.query;
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string().max(300)]));
        const records = await stock.counters({ ...filter, after, limit: limit + 1 });
        return { status: 200, body: toPage(records, limit, stockView, ({ _id }) => [_id]) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/stock/movements',
      operationId: 'listStockMovements',
      tag: 'stock',
      summary: 'The ledger, newest first',
      access: { action: 'read', subject: 'Stock' },
      query: listQuery({ skuCode: skuCodeSchema.optional(), orderId: orderIdSchema.optional() }),
      success: { status: 200, schema: pageSchema(movementSchema), description: 'A page of movements' },
      handler: async ({ query, principal }) => {
        const { limit, cursor, ...filter } = query;
        const isShown = ({ orderId }: Pick<MovementRecord, 'orderId'>) =>
          orderId === null || mayKnowOf(orderId, principal);
        if (!isShown({ orderId: filter.orderId ?? null }))
          return { status: 200, body: { items: [], nextCursor: null } };
        const records = await stock.movements({ ...filter, after: startOf(cursor), limit: limit + 1 });
        const view = (movement: MovementRecord) =>
          movementView(movement, { isOrderShown: isShown(movement), hiddenId });
        const keyOf = (movement: MovementRecord) =>
          isShown(movement)
            ? [movement.at.getTime(), movement._id]
            : [movement.at.getTime(), sealer.seal([movement._id], CURSOR), CURSOR];
        return { status: 200, body: toPage(records, limit, view, keyOf) };
      },
    }),
  ];
};

/** The ledger is open to everybody who reads stock; orders of shops outside one's scope are not. */
const mayKnowOf = (orderId: string, { shopIds }: Principal): boolean =>
  shopIds === undefined || shopIds.includes(orderId.split('.')[0] ?? '');

/** An id that holds an order's id which the caller may not see is sealed in their cursor. */
const CURSOR = 'sealed';
const movementCursor = z.union([
  z.tuple([z.int(), z.string().max(600)]),
  z.tuple([z.int(), z.string().max(1000), z.literal(CURSOR)]),
]);
