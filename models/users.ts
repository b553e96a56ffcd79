import { Schema } from 'mongoose';
import type { ClientSession, Connection, Model } from 'mongoose';

export interface UserRecord {
  /** The user name in lower case: names that differ only in case are one. */
  _id: string;
  username: string;
  displayName: string;
  /** Argon2id; null for people of an external issuer. */
  passwordHash: string | null;
  roles: string[];
  /** null = all shops. */
  shopIds: string[] | null;
  disabled: boolean;
  source: 'local' | 'oidc';
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

export type UserPatch = Partial<Pick<UserRecord, 'displayName' | 'passwordHash' | 'roles' | 'shopIds' | 'disabled'>>;

const userSchema = new Schema<UserRecord>(
  {
    _id: { type: String, required: true },
    username: { type: String, required: true },
    displayName: { type: String, required: true },
    passwordHash: { type: String, default: null },
    roles: { type: [String], required: true },
    shopIds: { type: [String], default: null },
    disabled: { type: Boolean, required: true },
    source: { type: String, required: true },
    revision: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'users', versionKey: false, minimize: false },
);
userSchema.index({ roles: 1 });

export const userEntity = (username: string): string => `user/${username.toLowerCase()}`;

export class UserStore {
  readonly #model: Model<UserRecord>;

  constructor(connection: Connection) {
    this.#model = (connection.models['User'] as Model<UserRecord>) ?? connection.model<UserRecord>('User', userSchema);
  }

  async find(username: string, session?: ClientSession): Promise<UserRecord | null> {
    return this.#model.findById(username.toLowerCase(), null, options(session)).lean<UserRecord>();
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#model.findOne({}, { _id: 1 }).lean()) === null;
  }

  async insert(user: Omit<UserRecord, '_id'>, session?: ClientSession): Promise<UserRecord> {
    const record = { ...user, _id: user.username.toLowerCase() };
    await this.#model.collection.insertOne(record as never, options(session));
    return record;
  }

  /** Returns null when the record has another revision by now. */
  async update(user: UserRecord, patch: UserPatch, now: Date, session?: ClientSession): Promise<UserRecord | null> {
    const next = { ...user, ...patch, revision: user.revision + 1, updatedAt: now };
    const { _id, ...fields } = next;
    const result = await this.#model.updateOne({ _id, revision: user.revision }, { $set: fields }, options(session));
    return result.matchedCount === 1 ? next : null;
  }

  /** By user name. `shopIds`: only those whose scope lies within. */
  async list(page: {
    after?: string | undefined;
    limit: number;
    shopIds?: readonly string[] | undefined;
  }): Promise<UserRecord[]> {
    const scope = page.shopIds ? { shopIds: { $ne: null, $not: { $elemMatch: { $nin: [...page.shopIds] } } } } : {};
    return this.#model
      .find({ ...(page.after === undefined ? {} : { _id: { $gt: page.after } }), ...scope })
      .sort({ _id: 1 })
      .limit(page.limit)
      .lean<UserRecord[]>();
  }

  /** Who may act in a role now. */
  async holdersOf(role: string, session?: ClientSession): Promise<UserRecord[]> {
    return this.#model.find({ roles: role, disabled: false }, null, options(session)).lean<UserRecord[]>();
  }
}

const options = (session: ClientSession | undefined) => (session ? { session } : {});
