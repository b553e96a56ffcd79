import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { MovementRecord, StockRecord } from '../../models/stock-records.ts';
import type { StockChangeRequest } from '../../models/stock-change.ts';
import { commitHubOf } from '../../models/commit-hub.ts';
import { StockStore } from '../../models/stock-store.ts';
import { WarehouseStore } from '../../models/warehouse-records.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import {
  decodeCursor,
  idSchema,
  listQuery,
  orderIdSchema,
  pageSchema,
  quantitySchema,
  skuCodeSchema,
  textSchema,
  timestampSchema,
  toPage,
} from '../schemas.ts';

const units = z.number().int();
const stockSchema = z
  .object({
    warehouseId: idSchema,
    skuCode: skuCodeSchema,
    onHand: units,
    reserved: units,
    available: units.meta({ description: 'onHand − reserved' }),
    awaitingQc: units,
    damaged: units,
  })
  .meta({ id: 'Stock' });

const stockView = ({ warehouseId, skuCode, onHand, reserved, awaitingQc, damaged }: StockRecord) => ({
  warehouseId,
  skuCode,
  onHand,
  reserved,
  available: onHand - reserved,
  awaitingQc,
  damaged,
});

const movementSchema = z
  .object({
    movementId: z.string(),
    at: timestampSchema,
    kind: z.enum(['receipt', 'adjustment', 'reserve', 'release', 'ship']),
    warehouseId: idSchema,
    skuCode: skuCodeSchema,
    onHand: units.meta({ description: 'What the movement added' }),
    reserved: units,
    awaitingQc: units,
    damaged: units,
    orderId: z.string().nullable(),
    actor: z.object({ kind: z.string(), id: z.string() }),
    reason: z.string().nullable(),
  })
  .meta({ id: 'StockMovement' });

const movementView = ({ _id, at, actor, ...rest }: MovementRecord) => ({
  movementId: _id,
  at: at.toISOString(),
  kind: rest.kind,
  warehouseId: rest.warehouseId,
  skuCode: rest.skuCode,
  onHand: rest.onHand,
  reserved: rest.reserved,
  awaitingQc: rest.awaitingQc,
  damaged: rest.damaged,
  orderId: rest.orderId,
  actor: { kind: actor.kind, id: actor.id },
  reason: rest.reason,
});

const changedSchema = z.object({
  items: z.array(stockSchema).meta({ description: 'The counters after the change' }),
});

const receiptSchema = z.strictObject({
  warehouseId: idSchema,
  lines: z
    .array(z.strictObject({ skuCode: skuCodeSchema, quantity: quantitySchema }))
    .min(1, 'must name at least one SKU')
    .max(500, 'must be at most 500 lines')
    .refine((lines) => new Set(lines.map(({ skuCode }) => skuCode)).size === lines.length, 'must name each SKU once'),
});

const adjustmentSchema = z.strictObject({
  warehouseId: idSchema,
  skuCode: skuCodeSchema,
  quantity: z
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(-1_000_000)
    .max(1_000_000)
    .refine((quantity) => quantity !== 0, 'must not be 0')
    .meta({ description: 'Signed: what is added to or taken from the goods on hand' }),
  reason: textSchema(500),
});

export const createStockRoutes = ({ connection }: Pick<ApiDeps, 'connection'>): Route[] => {
  const { committer } = commitHubOf(connection);
  const stock = new StockStore(connection);
  const warehouses = new WarehouseStore(connection);
  const change = async (
    { actor, from, idempotencyKey }: Pick<RouteContext, 'actor' | 'from' | 'idempotencyKey'>,
    movement: StockChangeRequest['movement'],
    lines: StockChangeRequest['lines'],
    reason: string | null,
  ) => {
    const [warehouseId = ''] = lines.map((line) => line.warehouseId);
    if (!(await warehouses.byId(warehouseId))) throw invalidRule('warehouseId', `there is no warehouse ${warehouseId}`);
    const id = idempotencyKey ?? randomUUID();
    const mover = { kind: actor.kind === 'service' ? ('service' as const) : ('user' as const), id: actor.id };
    try {
      await committer.commit({ kind: 'stockChange', id, movement, lines, actor: mover, from, at: new Date(), reason });
    } catch (error) {
      if ((error as Error).name === 'LedgerMismatch')
        throw invalidRule('quantity', 'takes away more than is there and not reserved');
      throw error;
    }
    const counters = await Promise.all(lines.map(({ skuCode }) => stock.counters({ skuCode, warehouseId, limit: 1 })));
    return { status: 201, body: { items: counters.flat().map(stockView) } };
  };

  return [
    defineRoute({
      method: 'POST',
      path: '/v1/stock/receipts',
      operationId: 'receiveStock',
      tag: 'stock',
      summary: 'Book goods that have arrived',
      description: 'Orders that wait for them are served at once, first come first served.',
      access: { action: 'manage', subject: 'Stock' },
      idempotent: true,
      body: receiptSchema,
      success: { status: 201, schema: changedSchema, description: 'The counters after the receipt' },
      handler: (ctx) => {
        const { warehouseId, lines } = ctx.body;
        return change(
          ctx,
          'receipt',
          lines.map((line) => ({ warehouseId, ...line })),
          null,
        );
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
      handler: (ctx) => {
        const { warehouseId, skuCode, quantity, reason } = ctx.body;
        return change(ctx, 'adjustment', [{ warehouseId, skuCode, quantity }], reason);
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
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string()]));
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
      handler: async (ctx) => {
        const { limit, cursor, ...filter } = ctx.query;
        const key = cursor === undefined ? undefined : decodeCursor(cursor, z.tuple([z.number().int(), z.string()]));
        const after = key && { value: new Date(key[0]), id: key[1] };
        const records = await stock.movements({ ...filter, after, limit: limit + 1 });
        return { status: 200, body: toPage(records, limit, movementView, ({ at, _id }) => [at.getTime(), _id]) };
      },
    }),
  ];
};

const invalidRule = (path: string, message: string): Problem =>
  new Problem('rule_violation', { detail: `${path}: ${message}`, errors: [{ path, message }] });
