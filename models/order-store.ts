import type { ClientSession, Connection, mongo } from 'mongoose';
import { orderCollection, type OrderRecord } from './order-records.ts';

/** Reads of the orders' read model. */
export class OrderStore {
  readonly #orders: mongo.Collection<OrderRecord>;

  constructor(connection: Connection) {
    this.#orders = orderCollection(connection);
  }

  async byId(orderId: string, session?: ClientSession): Promise<OrderRecord | null> {
    return this.#orders.findOne({ _id: orderId }, session ? { session } : {});
  }
}
