import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';

interface RevealCount {
  /** `<username>/<day>` */
  _id: string;
  count: number;
  expiresAt: Date;
}

const revealCountSchema = new Schema(
  { _id: String, count: Number, expiresAt: Date },
  { collection: 'reveal_counts', versionKey: false },
);
revealCountSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const DUPLICATE_KEY = 11000;
const KEPT_MS = 2 * 86_400_000;

/** How often a person has looked at personal data on a day; exact across processes. */
export class RevealCounts {
  readonly #counts: mongo.Collection<RevealCount>;

  constructor(connection: Connection) {
    const model = connection.models['RevealCount'] ?? connection.model('RevealCount', revealCountSchema);
    this.#counts = model.collection as unknown as mongo.Collection<RevealCount>;
  }

  /** Takes one of `most`; false when they are used up. */
  async take(username: string, day: string, most: number): Promise<boolean> {
    const _id = `${username.toLowerCase()}/${day}`;
    const filter = { _id, count: { $lt: most } };
    const $inc = { count: 1 };
    try {
      const $setOnInsert = { expiresAt: new Date(Date.now() + KEPT_MS) };
      const first = await this.#counts.updateOne(filter, { $inc, $setOnInsert }, { upsert: most > 0 });
      return first.matchedCount + first.upsertedCount === 1;
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
      // It is there by now: either used up, or made by somebody else at this moment.
      return (await this.#counts.updateOne(filter, { $inc })).matchedCount === 1;
    }
  }
}
