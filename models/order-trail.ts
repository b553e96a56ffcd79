import type { Connection, mongo } from 'mongoose';
import { auditCollection, type AuditEntry } from './audit-log.ts';

/** The audit entries of one entity in the order in which they were written. */
export class OrderTrail {
  readonly #entries: mongo.Collection<AuditEntry>;

  constructor(connection: Connection) {
    this.#entries = auditCollection(connection);
  }

  async page(entity: string, { after, limit }: { after: number; limit: number }): Promise<AuditEntry[]> {
    return this.#entries
      .find({ entity, seq: { $gt: after } }, { projection: { _id: 0, before: 0, after: 0 } })
      .sort({ seq: 1 })
      .limit(limit)
      .toArray();
  }
}
