import type { ClientSession, Connection, mongo } from 'mongoose';
import { backfillCollection, type BackfillRecord } from './backfills.ts';

/** Backfills as people start and watch them; each one's workflow keeps its record. */
export class BackfillDesk {
  readonly #backfills: mongo.Collection<BackfillRecord>;

  constructor(connection: Connection) {
    this.#backfills = backfillCollection(connection);
  }

  /** Leaves alone what its workflow has written already. */
  async open({ _id, ...fields }: BackfillRecord, session: ClientSession): Promise<void> {
    await this.#backfills.updateOne({ _id }, { $setOnInsert: fields }, { upsert: true, session });
  }

  async byId(backfillId: string): Promise<BackfillRecord | null> {
    return this.#backfills.findOne({ _id: backfillId });
  }

  /** Newest first; two reads by key: the rest of the last moment, then what is older. */
  async list(
    shopId: string,
    page: { after?: { createdAt: Date; backfillId: string } | undefined; limit: number },
  ): Promise<BackfillRecord[]> {
    const { after, limit } = page;
    const read = (more: mongo.Filter<BackfillRecord>, count: number) =>
      this.#backfills
        .find({ shopId, ...more })
        .sort({ createdAt: -1, _id: -1 })
        .limit(count)
        .toArray();
    if (!after) return read({}, limit);
    const { createdAt, backfillId } = after;
    const sameMoment = await read({ createdAt, _id: { $lt: backfillId } }, limit);
    if (sameMoment.length >= limit) return sameMoment;
    return [...sameMoment, ...(await read({ createdAt: { $lt: createdAt } }, limit - sameMoment.length))];
  }

  /** Ids of those of a shop that are in this state. */
  async idsIn(shopId: string, state: BackfillRecord['state']): Promise<string[]> {
    const found = await this.#backfills.find({ shopId, state }, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id);
  }

  /** Every backfill that has not ended. */
  async unfinished(): Promise<Pick<BackfillRecord, '_id' | 'shopId' | 'state'>[]> {
    return this.#backfills
      .find({ state: { $in: ['running', 'paused'] } }, { projection: { _id: 1, shopId: 1, state: 1 } })
      .toArray();
  }

  /** For one whose workflow is no more; false when the record has moved since it was read. */
  async giveUp({ _id, state, updatedAt }: BackfillRecord, lastError: string): Promise<boolean> {
    const { matchedCount } = await this.#backfills.updateOne(
      { _id, state, updatedAt },
      { $set: { state: 'failed', lastError, updatedAt: new Date() } },
    );
    return matchedCount === 1;
  }
}
