import { z } from 'zod';
import type { ShopCursor } from '../../models/shop-cursors.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import { isTokenDead } from '../../models/shop-sync-store.ts';
import { timestampSchema } from '../schemas.ts';

const SYNC_STATES = ['healthy', 'late', 'failing', 'paused'] as const;
export type SyncState = (typeof SYNC_STATES)[number];

export const syncSchema = z
  .object({
    state: z.enum(SYNC_STATES),
    watermark: timestampSchema.nullable().meta({ description: 'Everything that changed before it is collected' }),
    lagSec: z
      .int()
      .meta({ description: 'How far the watermark is behind; since the shop was made while there is none' }),
    lastPollAt: timestampSchema.nullable(),
    lastSuccessAt: timestampSchema.nullable(),
    consecutiveFailures: z.int(),
    lastError: z.string().optional(),
    tokenExpiresAt: timestampSchema.optional(),
  })
  .meta({ id: 'ShopSync' });

export interface SyncLimits {
  lateMs: number;
  failingMs: number;
}

type Shop = Pick<ShopRecord, 'revision' | 'createdAt'>;

const lagMs = ({ createdAt }: Shop, { watermark }: ShopCursor, now: number): number =>
  Math.max(0, now - (watermark ?? createdAt).getTime());

/** A dead token fails however short a time; a failure that has just begun does not count yet. */
export const syncStateOf = (shop: Shop, cursor: ShopCursor, limits: SyncLimits, now: number): SyncState => {
  const { pausedAt, failingSince } = cursor;
  if (pausedAt) return 'paused';
  if (isTokenDead(cursor, shop.revision)) return 'failing';
  if (failingSince && now - failingSince.getTime() >= limits.failingMs) return 'failing';
  return lagMs(shop, cursor, now) > limits.lateMs ? 'late' : 'healthy';
};

export const syncView = (
  shop: Shop,
  cursor: ShopCursor,
  limits: SyncLimits,
  now: number,
): z.input<typeof syncSchema> => ({
  state: syncStateOf(shop, cursor, limits, now),
  watermark: timeOf(cursor.watermark),
  lagSec: Math.floor(lagMs(shop, cursor, now) / 1000),
  lastPollAt: timeOf(cursor.lastPollAt),
  lastSuccessAt: timeOf(cursor.lastSuccessAt),
  consecutiveFailures: cursor.consecutiveFailures,
  ...(cursor.lastError === null ? {} : { lastError: cursor.lastError }),
  ...(cursor.tokenExpiresAt ? { tokenExpiresAt: cursor.tokenExpiresAt.toISOString() } : {}),
});

const timeOf = (at: Date | null): string | null => at?.toISOString() ?? null;
