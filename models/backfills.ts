import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';

/** One backfill of a shop, as its workflow keeps it. */
export interface BackfillRecord {
  _id: string;
  shopId: string;
  from: Date;
  to: Date;
  state: 'running' | 'paused' | 'done' | 'failed';
  windowsDone: number;
  windowsTotal: number;
  seen: number;
  created: number;
  changed: number;
  unchanged: number;
  failed: number;
  lastError: string | null;
  createdAt: Date;
  updatedAt: Date;
}

const backfillSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'backfills', minimize: false, versionKey: false },
);
backfillSchema.index({ shopId: 1, createdAt: -1, _id: -1 });
backfillSchema.index({ state: 1, shopId: 1 });

export const backfillCollection = (connection: Connection): mongo.Collection<BackfillRecord> =>
  (connection.models['Backfill'] ?? connection.model('Backfill', backfillSchema))
    .collection as unknown as mongo.Collection<BackfillRecord>;

export type BackfillProgress = Pick<
  BackfillRecord,
  | 'shopId'
  | 'state'
  | 'windowsDone'
  | 'windowsTotal'
  | 'seen'
  | 'created'
  | 'changed'
  | 'unchanged'
  | 'failed'
  | 'lastError'
> & { from: Date; to: Date };

/** Backfills as their workflows keep them; `BackfillDesk` is how people start and watch them. */
export class BackfillStore {
  readonly #backfills: mongo.Collection<BackfillRecord>;

  constructor(connection: Connection) {
    this.#backfills = backfillCollection(connection);
  }

  /** Whole figures, never increments: the same again changes nothing. */
  async write(backfillId: string, progress: BackfillProgress): Promise<void> {
    const now = new Date();
    await this.#backfills.updateOne(
      { _id: backfillId },
      { $set: { ...progress, updatedAt: now }, $setOnInsert: { createdAt: now } },
      { upsert: true },
    );
  }
}
