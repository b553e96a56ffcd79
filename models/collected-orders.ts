import type { Connection, mongo } from 'mongoose';
import type { OrderState } from '../domain/order-model.ts';
import { areDuplicates } from './inbox.ts';
import { readPage } from './keyset.ts';
import { isOutage, isTransient, runTransaction } from './transaction.ts';
import { orderCollection, type HeardWord, type OrderRecord } from './order-records.ts';

/** What collecting needs to know of an order that is stored. */
export interface CollectedHead extends Pick<OrderRecord, '_id' | 'revision' | 'contentHash' | 'waybills' | 'heard'> {
  snapshot: { receivedAt: string; receiver: { identity?: string } };
}

const HEAD = {
  revision: 1,
  contentHash: 1,
  waybills: 1,
  heard: 1,
  'snapshot.receivedAt': 1,
  'snapshot.receiver.identity': 1,
} as const;

/** A newer word for a stored order. */
export interface HeardChange {
  orderId: string;
  /** What was stored when it was judged; anything else by now, and nothing is written. */
  known: HeardWord | undefined;
  heard: HeardWord;
  contentHash: string;
  /**
   * The whole snapshot, or why the newest could not be understood: what is known of the order then stays. Null when it only
   * was said later: nobody is told.
   */
  news: { snapshot: OrderRecord['snapshot'] } | { unmapped: string } | null;
  /** What is readable of the order while no workflow has taken it up. */
  untakenFields?: Partial<OrderRecord>;
}

/** An order of which its workflow has not heard the newest. */
export interface UntoldOrder extends Pick<OrderRecord, '_id' | 'revision' | 'snapshot' | 'origin' | 'runId'> {
  heard: HeardWord;
  isEnded: boolean;
}

export interface UntoldPosition {
  at: string;
  orderId: string;
}

/** Orders as they come from platforms, a page at a time, and as their news wait to be told. */
export class CollectedOrderStore {
  readonly #connection: Connection;
  readonly #orders: mongo.Collection<OrderRecord>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#orders = orderCollection(connection);
  }

  async heads(orderIds: readonly string[]): Promise<Map<string, CollectedHead>> {
    const found = await this.#orders.find({ _id: { $in: [...orderIds] } }, { projection: HEAD }).toArray();
    return new Map((found as CollectedHead[]).map((head) => [head._id, head]));
  }

  /** False when some were there already; those stay as they are. */
  async insertAll(records: OrderRecord[]): Promise<boolean> {
    if (records.length === 0) return true;
    try {
      await this.#orders.insertMany(records, { ordered: false });
      return true;
    } catch (error) {
      if (areDuplicates(error)) return false;
      throw error;
    }
  }

  /** False when some had moved since they were judged; nothing is written over those. */
  async changeAll(changes: readonly HeardChange[]): Promise<boolean> {
    if (changes.length === 0) return true;
    const { matchedCount } = await this.#inOneCommit(changes.map((change) => updateOf(change)));
    return matchedCount === changes.length;
  }

  /** Of a shop, by the time of the news; the next ones behind `after`. Only where they are: there may be very many. */
  async untoldPositions(
    shopId: string,
    { after, limit }: { after?: UntoldPosition | undefined; limit: number },
  ): Promise<UntoldPosition[]> {
    const found = await readPage(
      this.#orders,
      { shopId, untold: true },
      {
        sort: { field: 'heard.at', direction: 1 },
        after: after && { value: after.at, id: after.orderId },
        limit,
        projection: { 'heard.at': 1 },
      },
    );
    return found.map(({ _id: orderId, heard }) => ({ at: heard?.at ?? '', orderId }));
  }

  /** In the order of the ids; without those that have been told meanwhile. */
  async untold(orderIds: readonly string[]): Promise<UntoldOrder[]> {
    const found = await this.#orders
      .find({ _id: { $in: [...orderIds] } }, { projection: { ...UNTOLD_FIELDS, untold: 1 } })
      .toArray();
    const byId = new Map(found.map((record) => [record._id, record]));
    return orderIds.flatMap((orderId) => {
      const record = byId.get(orderId);
      return record?.untold ? [untoldOf(record)] : [];
    });
  }

  /** Notes what was told; an order of which there is something newer stays untold. */
  async settle(told: readonly { orderId: string; heard: HeardWord }[]): Promise<void> {
    if (told.length === 0) return;
    await this.#orders.bulkWrite(
      told.map(({ orderId, heard }) => ({
        // By what was said, not when: a later word that says the same was told with it.
        updateOne: { filter: { _id: orderId, 'heard.digest': heard.digest }, update: { $unset: { untold: 1 } } },
      })),
      { ordered: false },
    );
  }

  /** Null while the order has not ended. */
  async endedState(orderId: string): Promise<{ state: OrderState; runId: string } | null> {
    const found = await this.#orders.findOne({ _id: orderId }, { projection: { final: 1, runId: 1 } });
    return found?.final && found.runId !== null ? { state: found.final, runId: found.runId } : null;
  }

  async hasUntold(shopId: string): Promise<boolean> {
    // Sorted, so that every planner takes the one index of what is untold.
    const options = { projection: { _id: 1 }, sort: { 'heard.at': 1, _id: 1 } as const };
    return (await this.#orders.findOne({ shopId, untold: true }, options)) !== null;
  }

  /** A commit for each of many updates costs a server several times as much as one for all. */
  async #inOneCommit(writes: mongo.AnyBulkWriteOperation<OrderRecord>[]): Promise<{ matchedCount: number }> {
    try {
      return await runTransaction(this.#connection, (session) =>
        this.#orders.bulkWrite(writes, { ordered: false, session }),
      );
    } catch (error) {
      // Orders that are being changed by their workflows are in the way: each for itself then.
      if (!isTransient(error) || isOutage(error)) throw error;
      return this.#orders.bulkWrite(writes, { ordered: false });
    }
  }
}

const UNTOLD_FIELDS = { revision: 1, snapshot: 1, origin: 1, heard: 1, runId: 1, 'final.revision': 1 } as const;

const untoldOf = (record: OrderRecord): UntoldOrder => {
  const { _id, revision, snapshot, origin, runId, heard, final } = record;
  // The index holds only what was heard.
  return { _id, revision, snapshot, origin, runId, heard: heard ?? { at: '', digest: '' }, isEnded: final != null };
};

/** With what it was judged by: whoever was faster is not written over. */
const isAt = (orderId: string, heard: HeardWord | undefined): mongo.Filter<OrderRecord> =>
  heard
    ? { _id: orderId, 'heard.at': heard.at, 'heard.digest': heard.digest }
    : ({ _id: orderId, heard: null } as unknown as mongo.Filter<OrderRecord>);

const updateOf = ({
  orderId,
  known,
  heard,
  contentHash,
  news,
  untakenFields,
}: HeardChange): mongo.AnyBulkWriteOperation<OrderRecord> => {
  const filter = { ...isAt(orderId, known), ...(untakenFields ? { revision: 0 } : {}) };
  const set =
    news === null
      ? { 'heard.at': heard.at }
      : { ...untakenFields, ...contentOf(news), heard, contentHash, untold: true };
  return { updateOne: { filter, update: { $set: set } } } as unknown as mongo.AnyBulkWriteOperation<OrderRecord>;
};

const contentOf = (news: NonNullable<HeardChange['news']>) =>
  'snapshot' in news ? { snapshot: news.snapshot } : { 'snapshot.unmapped': news.unmapped };
