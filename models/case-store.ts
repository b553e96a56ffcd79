import type { Connection, mongo } from 'mongoose';
import type { CaseCode } from '../domain/order-model.ts';
import { caseCollection, type CaseRecord } from './case-records.ts';

export interface NewCase {
  caseId: string;
  code: CaseCode;
  orderId: string | null;
  shopId: string | null;
  detail: string;
}

export class CaseStore {
  readonly #cases: mongo.Collection<CaseRecord>;

  constructor(connection: Connection) {
    this.#cases = caseCollection(connection);
  }

  /** Opens a case once; the same id again changes nothing. */
  async open({ caseId, ...rest }: NewCase): Promise<void> {
    const fresh = {
      ...rest,
      state: 'open' as const,
      assignee: null,
      openedAt: new Date(),
      resolvedAt: null,
      resolvedBy: null,
      note: null,
      revision: 1,
    };
    await this.#cases.updateOne({ _id: caseId }, { $setOnInsert: fresh }, { upsert: true });
  }

  async byId(caseId: string): Promise<CaseRecord | null> {
    return this.#cases.findOne({ _id: caseId });
  }

  /** False when it was not open any more. */
  async resolve(caseId: string, by: { resolvedBy: string; note: string }): Promise<boolean> {
    const { matchedCount } = await this.#cases.updateOne(
      { _id: caseId, state: 'open' },
      { $set: { state: 'resolved', resolvedAt: new Date(), ...by }, $inc: { revision: 1 } },
    );
    return matchedCount === 1;
  }
}
