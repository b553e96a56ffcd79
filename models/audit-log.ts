import { setTimeout as sleep } from 'node:timers/promises';
import { Schema, Types } from 'mongoose';
import type { ClientSession, Connection, mongo } from 'mongoose';
import { chainEntry } from './audit-chain.ts';
import type { AuditDraft, AuditEntry } from './audit-chain.ts';

export { auditHash, canonicalJson, chainEntry, GENESIS_HASH } from './audit-chain.ts';
export type { AuditActor, AuditDraft, AuditEntry, AuditFrom } from './audit-chain.ts';

/** Only for its indexes: entries go through the driver, because mongoose casts, and what is hashed must stay as it is. */
const auditSchema = new Schema({}, { strict: false, collection: 'audit', minimize: false, versionKey: false });
auditSchema.index({ entity: 1, seq: 1 }, { unique: true });
auditSchema.index({ at: -1, _id: -1 });
auditSchema.index({ 'actor.id': 1, at: -1, _id: -1 });
auditSchema.index({ shopId: 1, at: -1, _id: -1 });

/** The append-only collection; the writers of orders and refunds insert into it within their own transactions. */
export const auditCollection = (connection: Connection): mongo.Collection<AuditEntry> => {
  const model = connection.models['Audit'] ?? connection.model('Audit', auditSchema);
  return model.collection as unknown as mongo.Collection<AuditEntry>;
};

export interface AuditFilter {
  /** Of an order also who looked at its personal data. */
  entity?: string | undefined;
  actor?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** The caller's scope. */
  scope?: Record<string, unknown>;
  after?: { at: Date; id: string } | undefined;
  limit: number;
}

const MAX_TRIES = 12;
const ORDER = /^order\/[^/]+$/;

/** Reads of an order's personal data are a chain apart, because the order's own goes by its revision. */
export const accessOf = (entity: string): string => `${entity}/access`;

export class AuditLog {
  readonly #connection: Connection;
  readonly #entries: mongo.Collection<AuditEntry>;
  /** One writer per entity within this process; the unique index decides between processes. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#entries = auditCollection(connection);
  }

  /** For what changes nothing else, such as a refused attempt. */
  async append(draft: AuditDraft): Promise<AuditEntry> {
    return this.#inTurn(draft.entity, async () => {
      const entry = chainEntry(draft, await this.last(draft.entity));
      await this.#entries.insertOne({ ...entry });
      return entry;
    });
  }

  /**
   * Makes a change and its entry in one transaction: neither is there without the other. `change` may run several times;
   * it returns the draft, or null when there is nothing to change, and throws to change nothing.
   */
  async record<T>(
    entity: string,
    change: (session: ClientSession) => Promise<{ draft: Omit<AuditDraft, 'entity'> | null; result: T }>,
  ): Promise<T> {
    return this.#inTurn(entity, () =>
      this.#connection.withSession(async (session) => {
        session.startTransaction();
        try {
          const { draft, result } = await change(session);
          if (draft) {
            const entry = chainEntry({ ...draft, entity }, await this.last(entity, session));
            await this.#entries.insertOne({ ...entry }, { session });
          }
          await commit(session);
          return result;
        } catch (error) {
          if (session.inTransaction()) await session.abortTransaction().catch(() => {});
          throw error;
        }
      }),
    );
  }

  async last(entity: string, session?: ClientSession): Promise<{ seq: number; hash: string } | null> {
    return this.#entries.findOne(
      { entity },
      { projection: { _id: 0, seq: 1, hash: 1 }, sort: { seq: -1 }, ...(session ? { session } : {}) },
    );
  }

  /** Newest first. */
  async list({ entity, actor, from, to, scope, after, limit }: AuditFilter): Promise<mongo.WithId<AuditEntry>[]> {
    const conditions: Record<string, unknown>[] = [];
    if (entity !== undefined)
      conditions.push({ entity: ORDER.test(entity) ? { $in: [entity, accessOf(entity)] } : entity });
    if (actor !== undefined) conditions.push({ 'actor.id': actor });
    if (from !== undefined || to !== undefined)
      conditions.push({ at: { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) } });
    if (scope && Object.keys(scope).length > 0) conditions.push(scope);
    return readPage(this.#entries, conditions, after, limit);
  }

  /** A lost race against another process is run again; so is what the server asks to repeat. */
  async #inTurn<T>(entity: string, write: () => Promise<T>): Promise<T> {
    const turn = (this.#queues.get(entity) ?? Promise.resolve()).then(async () => {
      for (let tries = 1; ; tries += 1)
        try {
          return await write();
        } catch (error) {
          if (tries >= MAX_TRIES || !isLostRace(error)) throw error;
          await sleep(Math.random() * 10 * tries);
        }
    });
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#queues.set(entity, settled);
    void settled.then(() => this.#queues.get(entity) === settled && this.#queues.delete(entity));
    return turn;
  }
}

/** One page by key, in two index-friendly reads in place of an `$or`: the rest of the last moment, then what is older. */
async function readPage(
  entries: mongo.Collection<AuditEntry>,
  conditions: Record<string, unknown>[],
  after: AuditFilter['after'],
  limit: number,
): Promise<mongo.WithId<AuditEntry>[]> {
  const read = (more: Record<string, unknown>[], count: number) =>
    entries
      .find(conditions.length + more.length > 0 ? { $and: [...conditions, ...more] } : {})
      .sort({ at: -1, _id: -1 })
      .limit(count)
      .toArray();
  if (!after) return read([], limit);
  const sameMoment = await read([{ at: after.at }, { _id: { $lt: new Types.ObjectId(after.id) } }], limit);
  if (sameMoment.length >= limit) return sameMoment;
  return [...sameMoment, ...(await read([{ at: { $lt: after.at } }], limit - sameMoment.length))];
}

/** An unknown outcome of a commit is settled by committing again, never by running the change again. */
async function commit(session: ClientSession): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      return await session.commitTransaction();
    } catch (error) {
      if (tries >= 5 || !hasLabel(error, 'UnknownTransactionCommitResult') || isLostRace(error)) throw error;
    }
}

/** Not an outage: that surfaces at once. */
const isLostRace = (error: unknown): boolean => {
  const { code, name } = error as { code?: unknown; name?: string };
  if (name?.startsWith('MongoNetwork') || name?.startsWith('MongoServerSelection')) return false;
  return code === 11000 || code === 112 || hasLabel(error, 'TransientTransactionError');
};

const hasLabel = (error: unknown, label: string): boolean =>
  Boolean((error as { hasErrorLabel?: (label: string) => boolean }).hasErrorLabel?.(label));
