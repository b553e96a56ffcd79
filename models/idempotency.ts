import { Schema } from 'mongoose';
import type { Connection, Model } from 'mongoose';

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  /** The JSON text as it was sent; empty for none. */
  body: string;
}

interface IdempotencyRecord {
  /** Hash of caller, path and key. */
  _id: string;
  bodyHash: string;
  state: 'running' | 'done';
  /** The process that carries it out. */
  owner: string;
  leaseUntil: Date;
  /** Sealed: an answer may hold a secret that is shown once. */
  answer: string | null;
  expiresAt: Date;
}

const idempotencySchema = new Schema<IdempotencyRecord>(
  {
    _id: { type: String, required: true },
    bodyHash: { type: String, required: true },
    state: { type: String, required: true },
    owner: { type: String, required: true },
    leaseUntil: { type: Date, required: true },
    answer: { type: String, default: null },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'idempotency_keys', versionKey: false },
);
idempotencySchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const REMEMBERED_MS = 24 * 3_600_000;

export type Claim =
  { outcome: 'claimed' } | { outcome: 'running' } | { outcome: 'other_body' } | { outcome: 'done'; answer: string };

export interface ClaimInput {
  id: string;
  bodyHash: string;
  owner: string;
  leaseMs: number;
  /** Whether the process that holds an unexpired lease is certainly gone. */
  isGone: (owner: string) => boolean;
}

/** First insert wins; a record whose process died is claimed by whoever asks again. */
export class IdempotencyStore {
  readonly #model: Model<IdempotencyRecord>;

  constructor(connection: Connection) {
    this.#model =
      (connection.models['IdempotencyKey'] as Model<IdempotencyRecord>) ??
      connection.model<IdempotencyRecord>('IdempotencyKey', idempotencySchema);
  }

  async claim({ id, bodyHash, owner, leaseMs, isGone }: ClaimInput): Promise<Claim> {
    for (;;) {
      const now = Date.now();
      const fresh: IdempotencyRecord = {
        _id: id,
        bodyHash,
        state: 'running',
        owner,
        leaseUntil: new Date(now + leaseMs),
        answer: null,
        expiresAt: new Date(now + REMEMBERED_MS),
      };
      try {
        await this.#model.collection.insertOne(fresh as never);
        return { outcome: 'claimed' };
      } catch (error) {
        if ((error as { code?: unknown }).code !== 11000) throw error;
      }
      const found = await this.#model.findById(id).lean<IdempotencyRecord>();
      if (!found) continue;
      // The TTL monitor is late by up to a minute; 24 hours are 24 hours.
      const isStale = found.expiresAt.getTime() <= now;
      if (!isStale && found.bodyHash !== bodyHash) return { outcome: 'other_body' };
      if (!isStale && found.state === 'done' && found.answer !== null) return { outcome: 'done', answer: found.answer };
      if (!isStale && found.leaseUntil.getTime() > now && !isGone(found.owner)) return { outcome: 'running' };
      const { _id, ...fields } = fresh;
      const { matchedCount } = await this.#model.updateOne(
        { _id, state: found.state, owner: found.owner, leaseUntil: found.leaseUntil },
        { $set: fields },
      );
      if (matchedCount === 1) return { outcome: 'claimed' };
    }
  }

  async renew(id: string, owner: string, leaseMs: number): Promise<void> {
    await this.#model.updateOne(
      { _id: id, owner, state: 'running' },
      { $set: { leaseUntil: new Date(Date.now() + leaseMs) } },
    );
  }

  async remember(id: string, owner: string, answer: string): Promise<void> {
    await this.#model.updateOne({ _id: id, owner, state: 'running' }, { $set: { state: 'done', answer } });
  }

  async forget(id: string, owner: string): Promise<void> {
    await this.#model.deleteOne({ _id: id, owner, state: 'running' });
  }
}
