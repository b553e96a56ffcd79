import type { Connection, mongo } from 'mongoose';
import { CollectedOrderStore } from '../models/collected-orders.ts';
import { orderCollection, type OrderRecord } from '../models/order-records.ts';

/** How far a shop's orders have come, by the read model; asked for rarely, for the measured database pays for it. */
export class IntakeBooks {
  readonly #orders: mongo.Collection<OrderRecord>;
  readonly #collected: CollectedOrderStore;
  readonly #shopId: string;

  constructor(connection: Connection, shopId: string) {
    this.#orders = orderCollection(connection);
    this.#collected = new CollectedOrderStore(connection);
    this.#shopId = shopId;
  }

  stored(): Promise<number> {
    return this.#orders.countDocuments({ shopId: this.#shopId });
  }

  async isDistributed(): Promise<boolean> {
    return !(await this.#collected.hasUntold(this.#shopId));
  }

  async orderIds(): Promise<string[]> {
    const found = await this.#orders.find({ shopId: this.#shopId }, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id);
  }
}
