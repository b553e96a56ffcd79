import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';

/** What a warehouse's system said of its work on a delivery. It decides nothing, so that it costs no order a step. */
export interface DeliveryProgressRecord {
  /** `<delivery code>/<status>`: each status counts once. */
  _id: string;
  orderId: string;
  warehouseId: string;
  code: string;
  /** In the warehouse's own word. */
  status: string;
  at: Date;
}

const progressSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'delivery_progress', minimize: false, versionKey: false },
);
progressSchema.index({ orderId: 1, at: 1 });

/** More than a warehouse has to say of one order. */
const MOST = 500;

export class DeliveryProgress {
  readonly #records: mongo.Collection<DeliveryProgressRecord>;

  constructor(connection: Connection) {
    this.#records = (connection.models['DeliveryProgress'] ?? connection.model('DeliveryProgress', progressSchema))
      .collection as unknown as mongo.Collection<DeliveryProgressRecord>;
  }

  /** The same status of the same delivery again changes nothing. */
  async note({ code, status, ...rest }: Omit<DeliveryProgressRecord, '_id'>): Promise<void> {
    const _id = `${code}/${status}`;
    await this.#records.updateOne({ _id }, { $setOnInsert: { code, status, ...rest } }, { upsert: true });
  }

  /** Oldest first. */
  async ofOrder(orderId: string): Promise<DeliveryProgressRecord[]> {
    return this.#records.find({ orderId }).sort({ at: 1 }).limit(MOST).toArray();
  }
}
