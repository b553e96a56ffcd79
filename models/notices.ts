import { Schema } from 'mongoose';
import type { ClientSession, Connection, Model } from 'mongoose';

/** Something that a person should know of; shown with `GET /v1/me`. */
export interface Notice {
  to: string;
  at: Date;
  code: 'signing_role_granted';
  detail: Record<string, string>;
}

const noticeSchema = new Schema<Notice>(
  {
    to: { type: String, required: true },
    at: { type: Date, required: true },
    code: { type: String, required: true },
    detail: { type: Schema.Types.Mixed, required: true },
  },
  { collection: 'notices', versionKey: false },
);
noticeSchema.index({ to: 1, at: -1 });
noticeSchema.index({ at: 1 }, { expireAfterSeconds: 90 * 86_400 });

export class NoticeStore {
  readonly #model: Model<Notice>;

  constructor(connection: Connection) {
    this.#model = (connection.models['Notice'] as Model<Notice>) ?? connection.model<Notice>('Notice', noticeSchema);
  }

  async add(notices: readonly Notice[], session?: ClientSession): Promise<void> {
    if (notices.length > 0) await this.#model.insertMany(notices, session ? { session } : {});
  }

  async latestFor(username: string, limit = 20): Promise<Notice[]> {
    return this.#model.find({ to: username.toLowerCase() }).sort({ at: -1 }).limit(limit).lean<Notice[]>();
  }
}
