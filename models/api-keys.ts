import { Schema } from 'mongoose';
import type { ClientSession, Connection, Model } from 'mongoose';

export interface ApiKeyRecord {
  /** The key id, part of the key itself and no secret. */
  _id: string;
  name: string;
  /** SHA-256 of the secret half; the secret has 256 bits, so no slow hash is needed. */
  secretHash: string;
  roles: string[];
  /** null = all shops. */
  shopIds: string[] | null;
  expiresAt: Date | null;
  revokedAt: Date | null;
  createdBy: string;
  createdAt: Date;
  revision: number;
}

const apiKeySchema = new Schema<ApiKeyRecord>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    secretHash: { type: String, required: true },
    roles: { type: [String], required: true },
    shopIds: { type: [String], default: null },
    expiresAt: { type: Date, default: null },
    revokedAt: { type: Date, default: null },
    createdBy: { type: String, required: true },
    createdAt: { type: Date, required: true },
    revision: { type: Number, required: true },
  },
  { collection: 'api_keys', versionKey: false },
);

export const apiKeyEntity = (keyId: string): string => `api-key/${keyId}`;

export class ApiKeyStore {
  readonly #model: Model<ApiKeyRecord>;

  constructor(connection: Connection) {
    this.#model =
      (connection.models['ApiKey'] as Model<ApiKeyRecord>) ?? connection.model<ApiKeyRecord>('ApiKey', apiKeySchema);
  }

  async find(keyId: string, session?: ClientSession): Promise<ApiKeyRecord | null> {
    return this.#model.findById(keyId, null, session ? { session } : {}).lean<ApiKeyRecord>();
  }

  async insert(key: ApiKeyRecord, session: ClientSession): Promise<void> {
    await this.#model.collection.insertOne({ ...key } as never, { session });
  }

  async revoke(key: ApiKeyRecord, now: Date, session: ClientSession): Promise<ApiKeyRecord> {
    const next = { ...key, revokedAt: now, revision: key.revision + 1 };
    await this.#model.updateOne(
      { _id: key._id, revokedAt: null },
      { $set: { revokedAt: now, revision: next.revision } },
      { session },
    );
    return next;
  }

  async list(page: {
    after?: string | undefined;
    limit: number;
    shopIds?: readonly string[] | undefined;
  }): Promise<ApiKeyRecord[]> {
    const scope = page.shopIds ? { shopIds: { $ne: null, $not: { $elemMatch: { $nin: [...page.shopIds] } } } } : {};
    return this.#model
      .find({ ...(page.after === undefined ? {} : { _id: { $gt: page.after } }), ...scope })
      .sort({ _id: 1 })
      .limit(page.limit)
      .lean<ApiKeyRecord[]>();
  }
}
