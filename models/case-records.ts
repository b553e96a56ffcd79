import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import type { CaseCode } from '../domain/order-model.ts';

/** Something that needs a person. */
export interface CaseRecord {
  _id: string;
  code: CaseCode;
  state: 'open' | 'resolved';
  orderId: string | null;
  shopId: string | null;
  assignee: string | null;
  detail: string;
  openedAt: Date;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  note: string | null;
  revision: number;
}

const caseSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'cases', minimize: false, versionKey: false },
);
caseSchema.index({ state: 1, openedAt: -1, _id: -1 });
caseSchema.index({ orderId: 1, openedAt: -1, _id: -1 });
caseSchema.index({ shopId: 1, state: 1, openedAt: -1, _id: -1 });
caseSchema.index({ code: 1, state: 1, openedAt: -1, _id: -1 });

export const caseCollection = (connection: Connection): mongo.Collection<CaseRecord> =>
  (connection.models['Case'] ?? connection.model('Case', caseSchema))
    .collection as unknown as mongo.Collection<CaseRecord>;
