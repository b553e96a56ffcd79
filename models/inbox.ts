import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';

export type InboxSource = 'poll' | 'push' | 'backfill' | 'message';
export type InboxOutcome = 'created' | 'changed' | 'unchanged' | 'older' | 'failed';

/** What a platform sent of one order, as it was received. */
export interface InboxRecord {
  /** `<shopId>/<platformOrderId>/<contentHash>` */
  _id: string;
  shopId: string;
  platformOrderId: string;
  contentHash: string;
  /** The raw text, sealed. */
  rawSealed: string;
  source: InboxSource;
  backfillId: string | null;
  outcome: InboxOutcome;
  /** Why it could not be understood. */
  problem: string | null;
  receivedAt: Date;
  /** When it goes. */
  expireAt: Date;
}

const inboxSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'inbox', minimize: false, versionKey: false },
);
inboxSchema.index({ shopId: 1, platformOrderId: 1, receivedAt: -1 });
inboxSchema.index({ expireAt: 1 }, { expireAfterSeconds: 0 });

export const inboxCollection = (connection: Connection): mongo.Collection<InboxRecord> =>
  (connection.models['Inbox'] ?? connection.model('Inbox', inboxSchema))
    .collection as unknown as mongo.Collection<InboxRecord>;

export const inboxId = (shopId: string, platformOrderId: string, contentHash: string): string =>
  `${shopId}/${platformOrderId}/${contentHash}`;

const DUPLICATE_KEY = 11000;

export class InboxStore {
  readonly #inbox: mongo.Collection<InboxRecord>;

  constructor(connection: Connection) {
    this.#inbox = inboxCollection(connection);
  }

  /** In one round trip; what is there already stays as it was first received. */
  async addAll(records: readonly InboxRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.#inbox.insertMany([...records], { ordered: false });
    } catch (error) {
      if (!areDuplicates(error)) throw error;
    }
  }
}

/** Whether nothing but keys that are there already was in the way. */
export const areDuplicates = (error: unknown): boolean => {
  const { writeErrors } = error as { writeErrors?: { code?: number } | { code?: number }[] };
  const errors = writeErrors === undefined ? [] : [writeErrors].flat();
  return errors.length > 0 && errors.every(({ code }) => code === DUPLICATE_KEY);
};
