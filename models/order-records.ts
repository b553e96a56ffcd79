import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import type { OrderSnapshot, OrderState } from '../domain/order-model.ts';
import type { OrderView } from '../domain/order-view.ts';
import type { ReservationOutcome } from '../domain/order-step.ts';
import type { Origin } from '../domain/order-messages.ts';
import type { WrittenStep } from '../domain/step-request.ts';

/** The newest word of a platform that intake has stored: when it was said, and an index of what matters in it. */
export interface HeardWord {
  /** RFC 3339, UTC, always with milliseconds: compared as text. */
  at: string;
  digest: string;
}

/**
 * One order of the read model. Intake owns `snapshot`, `contentHash`, `origin`, `heard` and `untold`; the order's workflow
 * the rest, by `revision`.
 */
export interface OrderRecord extends Omit<OrderView, 'buyerId'> {
  _id: string;
  snapshot: OrderSnapshot;
  /** Of what intake was given; the same again is recognised by it. */
  contentHash: string;
  origin: Origin;
  /** Absent for orders that were posted. */
  heard?: HeardWord;
  /** The order's workflow has not heard of `heard` yet. */
  untold?: true;
  buyerId: string;
  /** First run of the workflow that writes this record; `null` until it does. */
  runId: string | null;
  /** What the newest step was answered, so that a step that runs again gets the same answer. */
  lastStep: { revision: number; outcome?: ReservationOutcome; auditHash: string; written?: WrittenStep } | null;
  /** State at the end of the workflow: what happens to the order later goes on from it. */
  final: OrderState | null;
  holdCodes: string[];
  skuCodes: string[];
  warehouseIds: string[];
  waybills: string[];
  phoneIndex: string;
}

/** Only for its indexes: records go through the driver, because their one form is `OrderRecord` and casting costs. */
const orderSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'orders', minimize: false, versionKey: false },
);
// Newest first is how people look; each filter of the list has its own index in that order.
orderSchema.index({ placedAt: -1, _id: -1 });
orderSchema.index({ shopId: 1, placedAt: -1, _id: -1 });
orderSchema.index({ status: 1, placedAt: -1, _id: -1 });
orderSchema.index({ shopId: 1, status: 1, placedAt: -1, _id: -1 });
orderSchema.index({ channel: 1, placedAt: -1, _id: -1 });
orderSchema.index({ holdCodes: 1, placedAt: -1, _id: -1 });
orderSchema.index({ warehouseIds: 1, placedAt: -1, _id: -1 });
orderSchema.index({ skuCodes: 1, placedAt: -1, _id: -1 });
orderSchema.index({ assignee: 1, placedAt: -1, _id: -1 });
orderSchema.index({ waybills: 1 });
orderSchema.index({ phoneIndex: 1, placedAt: -1, _id: -1 });
orderSchema.index({ updatedAt: -1, _id: -1 });
// Orders that intake stored and no workflow has taken up yet; those that wait for their turn apart.
orderSchema.index({ revision: 1, untold: 1 }, { partialFilterExpression: { revision: 0 }, name: 'untaken' });
// News that wait for their turn, oldest first.
orderSchema.index({ shopId: 1, 'heard.at': 1, _id: 1 }, { partialFilterExpression: { untold: true }, name: 'untold' });

export const orderCollection = (connection: Connection): mongo.Collection<OrderRecord> => {
  const model = connection.models['Order'] ?? connection.model('Order', orderSchema);
  return model.collection as unknown as mongo.Collection<OrderRecord>;
};
