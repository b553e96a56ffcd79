import { randomUUID } from 'node:crypto';
import { CAPABILITIES } from '../../adapters/channels/capabilities.ts';
import type { BackfillRecord } from '../../models/backfills.ts';
import { shopEntity, type ShopRecord } from '../../models/shop-records.ts';
import type { ApiDeps } from '../deps.ts';
import { invalidField } from '../errors.ts';
import type { RouteContext } from '../route.ts';
import { notWhilePaused, type Collecting } from './collecting.ts';

const DAY_MS = 86_400_000;
/** Platforms keep orders that can be listed for three months. */
const FARTHEST_BACK_DAYS = 92;

export interface BackfillWindow {
  from: string;
  to: string;
}

/**
 * Starts a backfill and answers its id: the same for a request that is repeated by its key. The workflow comes first, so
 * that there is never a record of a backfill that nobody carries out.
 */
export const startBackfill =
  ({ audit }: Pick<ApiDeps, 'audit'>, { sync, backfills, backfillClient }: Collecting) =>
  async (
    shop: ShopRecord,
    { from, to }: BackfillWindow,
    ctx: Pick<RouteContext, 'actor' | 'from' | 'idempotencyKey'>,
  ): Promise<string> => {
    const { shopId } = shop;
    assertWindow(from, to, Date.now());
    if ((await sync.cursor(shopId)).pausedAt) throw notWhilePaused('backfill');
    const backfillId = ctx.idempotencyKey ?? randomUUID();
    await backfillClient.start(shop, { shopId, backfillId, from, to });
    const at = new Date();
    const windowMs = CAPABILITIES[shop.channel]?.windowMs ?? DAY_MS;
    const record: BackfillRecord = {
      _id: backfillId,
      shopId,
      from: new Date(from),
      to: new Date(to),
      state: 'running',
      windowsDone: 0,
      windowsTotal: Math.ceil((Date.parse(to) - Date.parse(from)) / windowMs),
      seen: 0,
      created: 0,
      changed: 0,
      unchanged: 0,
      failed: 0,
      lastError: null,
      createdAt: at,
      updatedAt: at,
    };
    await audit.record(shopEntity(shopId), async (session) => {
      await backfills.open(record, session);
      const { actor, from: caller } = ctx;
      const detail = { backfillId, from, to };
      return { draft: { at, actor, from: caller, action: 'shop.backfill_started', detail }, result: undefined };
    });
    return backfillId;
  };

const assertWindow = (from: string, to: string, now: number): void => {
  if (Date.parse(from) >= Date.parse(to)) throw invalidField('from', 'must be before to');
  if (Date.parse(to) > now) throw invalidField('to', 'must not be in the future');
  if (Date.parse(from) < now - FARTHEST_BACK_DAYS * DAY_MS)
    throw invalidField('from', `must be at most ${FARTHEST_BACK_DAYS} days ago: platforms list no older orders`);
};
