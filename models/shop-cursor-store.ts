import type { Connection, mongo } from 'mongoose';
import { cursorCollection, type ShopCursor } from './shop-cursors.ts';
import { newCursor } from './shop-sync-store.ts';

export interface CursorFailure {
  at: Date;
  /** Kind and text, nothing personal, no secrets. */
  error: string;
}

/** The cursors as collecting moves them; `ShopSyncStore` is how people see and steer them. */
export class ShopCursorStore {
  readonly #cursors: mongo.Collection<ShopCursor>;

  constructor(connection: Connection) {
    this.#cursors = cursorCollection(connection);
  }

  /** As it is, or as new. */
  async ensure(shopId: string): Promise<ShopCursor> {
    const found = await this.#cursors.findOne({ _id: shopId });
    if (found) return found;
    const { _id, ...fresh } = newCursor(shopId);
    await this.#cursors.updateOne({ _id }, { $setOnInsert: fresh }, { upsert: true });
    return (await this.#cursors.findOne({ _id })) ?? { _id, ...fresh };
  }

  async notePoll(shopId: string, at: Date): Promise<void> {
    await this.#cursors.updateOne({ _id: shopId }, { $set: { lastPollAt: at } });
  }

  /** Never backwards. */
  async advance(shopId: string, watermark: Date): Promise<void> {
    await this.#cursors.updateOne({ _id: shopId }, { $max: { watermark } });
  }

  /** What the cursor said of failures before. */
  async succeed(shopId: string, at: Date): Promise<ShopCursor | null> {
    return this.#cursors.findOneAndUpdate(
      { _id: shopId },
      { $set: { lastSuccessAt: at, consecutiveFailures: 0, failingSince: null, lastError: null, alertedAt: null } },
    );
  }

  /** One try has failed: since when, and with what, can be seen at once. */
  async noteFailure(shopId: string, { at, error }: CursorFailure): Promise<void> {
    await this.#cursors.updateOne({ _id: shopId }, { $set: { lastError: error } });
    await this.#cursors.updateOne({ _id: shopId, failingSince: null }, { $set: { failingSince: at } });
  }

  /** A poll has ended without success; counted once however often it is told. */
  async countFailure(shopId: string, pollId: string): Promise<void> {
    await this.#cursors.updateOne(
      { _id: shopId, lastFailedPoll: { $ne: pollId } },
      { $set: { lastFailedPoll: pollId }, $inc: { consecutiveFailures: 1 } },
    );
  }

  /** True once for each time that a shop fails from `since` or before. */
  async claimAlert(shopId: string, since: Date, at: Date): Promise<boolean> {
    const { modifiedCount } = await this.#cursors.updateOne(
      { _id: shopId, alertedAt: null, failingSince: { $ne: null, $lte: since } },
      { $set: { alertedAt: at } },
    );
    return modifiedCount === 1;
  }

  async noteToken(shopId: string, expiresAt: Date | null): Promise<void> {
    await this.#cursors.updateOne(
      { _id: shopId },
      { $set: { tokenExpiresAt: expiresAt, tokenDeadSince: null, tokenDeadRevision: null } },
    );
  }

  /** The token is dead for as long as the shop's record is at `revision`. */
  async noteTokenDead(shopId: string, revision: number, at: Date): Promise<void> {
    await this.#cursors.updateOne({ _id: shopId }, { $set: { tokenDeadRevision: revision } });
    await this.#cursors.updateOne({ _id: shopId, tokenDeadSince: null }, { $set: { tokenDeadSince: at } });
  }

  /** False while another process renews the token. */
  async claimRefresh(shopId: string, now: Date, until: Date): Promise<boolean> {
    const { matchedCount } = await this.#cursors.updateOne(
      { _id: shopId, refreshingUntil: { $not: { $gt: now } } },
      { $set: { refreshingUntil: until } },
    );
    return matchedCount === 1;
  }

  async endRefresh(shopId: string): Promise<void> {
    await this.#cursors.updateOne({ _id: shopId }, { $set: { refreshingUntil: null } });
  }
}
