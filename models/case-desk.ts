import type { ClientSession, Connection, mongo } from 'mongoose';
import type { CaseCode } from '../domain/order-model.ts';
import { caseCollection, type CaseRecord } from './case-records.ts';

export interface CaseFilter {
  state?: CaseRecord['state'] | undefined;
  code?: CaseCode | undefined;
  orderId?: string | undefined;
  shopId?: string | undefined;
  /** The caller's scope. */
  scope: Record<string, unknown>;
  after?: { openedAt: Date; caseId: string } | undefined;
  limit: number;
}

/** Cases as people work on them. */
export class CaseDesk {
  readonly #cases: mongo.Collection<CaseRecord>;

  constructor(connection: Connection) {
    this.#cases = caseCollection(connection);
  }

  async byId(caseId: string, session?: ClientSession): Promise<CaseRecord | null> {
    return this.#cases.findOne({ _id: caseId }, session ? { session } : {});
  }

  /** Newest first; two reads by key in place of an `$or`: the rest of the last moment, then what is older. */
  async list({ scope, after, limit, ...filters }: CaseFilter): Promise<CaseRecord[]> {
    const equal = Object.entries(filters).filter(([, value]) => value !== undefined);
    const conditions = [...equal.map(([key, value]) => ({ [key]: value })), scope].filter(
      (condition) => Object.keys(condition).length > 0,
    );
    const read = (more: Record<string, unknown>[], count: number) =>
      this.#cases
        .find(conditions.length + more.length > 0 ? { $and: [...conditions, ...more] } : {})
        .sort({ openedAt: -1, _id: -1 })
        .limit(count)
        .toArray();
    if (!after) return read([], limit);
    const sameMoment = await read([{ openedAt: after.openedAt }, { _id: { $lt: after.caseId } }], limit);
    if (sameMoment.length >= limit) return sameMoment;
    return [...sameMoment, ...(await read([{ openedAt: { $lt: after.openedAt } }], limit - sameMoment.length))];
  }

  /** Closes a case, or puts a person's note on one that the order itself has just closed. Null when it has moved on. */
  async settle(
    { _id, revision }: Pick<CaseRecord, '_id' | 'revision'>,
    by: { resolvedBy: string; note: string; at: Date },
    session: ClientSession,
  ): Promise<CaseRecord | null> {
    const { at: resolvedAt, ...fields } = by;
    const { matchedCount } = await this.#cases.updateOne(
      { _id, revision },
      { $set: { state: 'resolved', resolvedAt, ...fields }, $inc: { revision: 1 } },
      { session },
    );
    return matchedCount === 1 ? this.byId(_id, session) : null;
  }

  /** Whoever is given an order is given its cases. */
  async assign(orderId: string, assignee: string): Promise<void> {
    await this.#cases.updateMany({ orderId, state: 'open' }, { $set: { assignee } });
  }
}
