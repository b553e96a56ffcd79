import type { ClientSession, Connection, mongo } from 'mongoose';
import { cursorCollection, type ShopCursor } from './shop-cursors.ts';

/** What a shop's cursor says before anything was collected. */
export const newCursor = (shopId: string): ShopCursor => ({
  _id: shopId,
  shopId,
  watermark: null,
  lastPollAt: null,
  lastSuccessAt: null,
  consecutiveFailures: 0,
  failingSince: null,
  lastError: null,
  tokenExpiresAt: null,
  tokenDeadSince: null,
  tokenDeadRevision: null,
  pausedAt: null,
});

/** A token that was found dead counts until the shop is written again: who wrote it may have renewed it. */
export const isTokenDead = (
  cursor: Pick<ShopCursor, 'tokenDeadSince' | 'tokenDeadRevision'>,
  shopRevision: number,
): boolean => cursor.tokenDeadSince !== null && (cursor.tokenDeadRevision ?? shopRevision) >= shopRevision;

/** The cursors as people see and steer them; collecting itself moves them. */
export class ShopSyncStore {
  readonly #cursors: mongo.Collection<ShopCursor>;

  constructor(connection: Connection) {
    this.#cursors = cursorCollection(connection);
  }

  /** As new where nothing was collected yet. */
  async cursor(shopId: string, session?: ClientSession): Promise<ShopCursor> {
    const found = await this.#cursors.findOne({ _id: shopId }, session ? { session } : {});
    return { ...newCursor(shopId), ...found };
  }

  async cursors(shopIds: readonly string[]): Promise<Map<string, ShopCursor>> {
    const found = await this.#cursors.find({ _id: { $in: [...shopIds] } }).toArray();
    const known = new Map(found.map((cursor) => [cursor._id, cursor]));
    return new Map(shopIds.map((shopId) => [shopId, { ...newCursor(shopId), ...known.get(shopId) }]));
  }

  /** Before a transaction writes to a cursor that may not be there: an upsert within one can break it off. */
  async ensure(shopId: string): Promise<void> {
    const { _id, ...fresh } = newCursor(shopId);
    await this.#cursors.updateOne({ _id }, { $setOnInsert: fresh }, { upsert: true });
  }

  async setPaused(shopId: string, pausedAt: Date | null, session: ClientSession): Promise<void> {
    await this.#cursors.updateOne({ _id: shopId }, { $set: { pausedAt } }, { session });
  }

  /** Whether a token counted as dead. */
  async reviveToken(shopId: string, session: ClientSession): Promise<boolean> {
    const { matchedCount } = await this.#cursors.updateOne(
      { _id: shopId, tokenDeadSince: { $ne: null } },
      { $set: { tokenDeadSince: null, tokenDeadRevision: null } },
      { session },
    );
    return matchedCount === 1;
  }
}
