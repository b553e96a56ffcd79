import { z } from 'zod';
import type { BackfillRecord } from '../../models/backfills.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute, type Route } from '../route.ts';
import { decodeCursor, idSchema, listQuery, pageSchema, timeSchema, toPage } from '../schemas.ts';
import { backfillSchema, backfillView } from './backfill-view.ts';
import { collectingOf } from './collecting.ts';
import { collectedShopInScope, shopInScope } from './shop-in-scope.ts';
import { shopParams } from './shop-schemas.ts';
import { startBackfill } from './start-backfill.ts';

/** A workflow that is no more has had this long to write so itself. */
const SILENT_MS = 60_000;

const windowSchema = z.strictObject({ from: timeSchema, to: timeSchema });

export const createBackfillRoutes = (deps: ApiDeps): Route[] => {
  const collecting = collectingOf(deps);
  const { shops, backfills, backfillClient } = collecting;
  const start = startBackfill(deps, collecting);

  /** A workflow that somebody ended from outside cannot say so in its record. */
  const settled = async (record: BackfillRecord): Promise<BackfillRecord> => {
    const { _id, shopId, state, updatedAt } = record;
    if (state === 'done' || state === 'failed' || Date.now() - updatedAt.getTime() < SILENT_MS) return record;
    try {
      if (await backfillClient.isRunning(shopId, _id)) return record;
      await backfills.giveUp(record, 'The backfill was ended from outside');
      return (await backfills.byId(_id)) ?? record;
    } catch {
      return record;
    }
  };

  return [
    defineRoute({
      method: 'POST',
      path: '/v1/shops/{shopId}/backfills',
      operationId: 'startBackfill',
      tag: 'shops',
      summary: 'Collect again what changed on the platform within a window',
      description: 'Half open, at most 92 days back. What is known already and has not changed costs nothing further.',
      access: { action: 'sync', subject: 'Shop' },
      params: shopParams,
      body: windowSchema,
      idempotent: true,
      success: { status: 202, schema: z.object({ backfillId: idSchema }), description: 'It is under way' },
      handler: async (ctx) => {
        const shop = await collectedShopInScope(shops, ctx.params.shopId, 'sync', ctx);
        return { status: 202, body: { backfillId: await start(shop, ctx.body, ctx) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/shops/{shopId}/backfills',
      operationId: 'listBackfills',
      tag: 'shops',
      summary: 'Backfills of a shop, newest first',
      access: { action: 'read', subject: 'Shop' },
      params: shopParams,
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(backfillSchema), description: 'A page of backfills' },
      handler: async (ctx) => {
        const { limit, cursor } = ctx.query;
        const { shopId } = await shopInScope(shops, ctx.params.shopId, 'read', ctx);
        const [at, backfillId] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.int(), idSchema]));
        const after =
          at === undefined || backfillId === undefined ? undefined : { createdAt: new Date(at), backfillId };
        const records = await backfills.list(shopId, { after, limit: limit + 1 });
        const page = toPage(records, limit, backfillView, ({ createdAt, _id }) => [createdAt.getTime(), _id]);
        return { status: 200, body: page };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/shops/{shopId}/backfills/{backfillId}',
      operationId: 'getBackfill',
      tag: 'shops',
      summary: 'How far a backfill has come',
      access: { action: 'read', subject: 'Shop' },
      params: shopParams.extend({ backfillId: idSchema }),
      success: { status: 200, schema: backfillSchema, description: 'The backfill' },
      handler: async (ctx) => {
        const { shopId } = await shopInScope(shops, ctx.params.shopId, 'read', ctx);
        const record = await backfills.byId(ctx.params.backfillId);
        if (record?.shopId !== shopId) throw new Problem('not_found');
        return { status: 200, body: backfillView(await settled(record)) };
      },
    }),
  ];
};
