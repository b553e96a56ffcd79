import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Schema } from 'mongoose';
import type { Connection, Model } from 'mongoose';

/** One sign-in of one person; every refresh token of it falls with it. */
export interface SessionRecord {
  _id: string;
  username: string;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  revokedBecause: string | null;
}

interface RefreshTokenRecord {
  /** SHA-256 of the token. */
  _id: string;
  sid: string;
  usedAt: Date | null;
  expiresAt: Date;
}

const sessionSchema = new Schema<SessionRecord>(
  {
    _id: { type: String, required: true },
    username: { type: String, required: true },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    revokedAt: { type: Date, default: null },
    revokedBecause: { type: String, default: null },
  },
  { collection: 'sessions', versionKey: false },
);
sessionSchema.index({ username: 1 });
sessionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const refreshTokenSchema = new Schema<RefreshTokenRecord>(
  {
    _id: { type: String, required: true },
    sid: { type: String, required: true },
    usedAt: { type: Date, default: null },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'refresh_tokens', versionKey: false },
);
refreshTokenSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const PREFIX = 'ort_';

export type Rotation =
  | { outcome: 'rotated'; session: SessionRecord; refreshToken: string }
  /** The token was used before: somebody has a copy, so the whole session is revoked. */
  | { outcome: 'reused'; session: SessionRecord }
  | { outcome: 'refused'; session?: SessionRecord };

/** Sessions and their refresh tokens, which are used once and of which only hashes are stored. */
export class SessionStore {
  readonly #sessions: Model<SessionRecord>;
  readonly #tokens: Model<RefreshTokenRecord>;
  readonly #ttlMs: number;

  constructor(connection: Connection, ttlSec: number) {
    this.#ttlMs = ttlSec * 1000;
    this.#sessions =
      (connection.models['Session'] as Model<SessionRecord>) ??
      connection.model<SessionRecord>('Session', sessionSchema);
    this.#tokens =
      (connection.models['RefreshToken'] as Model<RefreshTokenRecord>) ??
      connection.model<RefreshTokenRecord>('RefreshToken', refreshTokenSchema);
  }

  async open(username: string): Promise<{ session: SessionRecord; refreshToken: string }> {
    const now = Date.now();
    const session: SessionRecord = {
      _id: randomUUID(),
      username,
      createdAt: new Date(now),
      expiresAt: new Date(now + this.#ttlMs),
      revokedAt: null,
      revokedBecause: null,
    };
    await this.#sessions.collection.insertOne(session as never);
    return { session, refreshToken: await this.#newToken(session) };
  }

  async find(sid: string): Promise<SessionRecord | null> {
    return this.#sessions.findById(sid).lean<SessionRecord>();
  }

  async rotate(refreshToken: string): Promise<Rotation> {
    const _id = hashOf(refreshToken);
    const token = await this.#tokens.findById(_id).lean<RefreshTokenRecord>();
    const session = token && (await this.find(token.sid));
    if (!token || !session) return { outcome: 'refused' };
    if (session.revokedAt !== null || session.expiresAt.getTime() <= Date.now()) return { outcome: 'refused', session };
    const { matchedCount } = await this.#tokens.updateOne({ _id, usedAt: null }, { $set: { usedAt: new Date() } });
    if (matchedCount === 0) {
      await this.revoke(session._id, 'refresh token used twice');
      return { outcome: 'reused', session };
    }
    return { outcome: 'rotated', session, refreshToken: await this.#newToken(session) };
  }

  /** The session of a refresh token, used or not; for signing out. */
  async sessionOf(refreshToken: string): Promise<SessionRecord | null> {
    const token = await this.#tokens.findById(hashOf(refreshToken)).lean<RefreshTokenRecord>();
    return token && this.find(token.sid);
  }

  async revoke(sid: string, because: string): Promise<void> {
    await this.#sessions.updateOne(
      { _id: sid, revokedAt: null },
      { $set: { revokedAt: new Date(), revokedBecause: because } },
    );
  }

  /** Signs a person out everywhere, but for `exceptSid`. */
  async revokeAll(username: string, because: string, exceptSid?: string): Promise<void> {
    await this.#sessions.updateMany(
      { username, revokedAt: null, ...(exceptSid === undefined ? {} : { _id: { $ne: exceptSid } }) },
      { $set: { revokedAt: new Date(), revokedBecause: because } },
    );
  }

  async #newToken(session: SessionRecord): Promise<string> {
    const token = PREFIX + randomBytes(32).toString('base64url');
    const record = { _id: hashOf(token), sid: session._id, usedAt: null, expiresAt: session.expiresAt };
    await this.#tokens.collection.insertOne(record as never);
    return token;
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
