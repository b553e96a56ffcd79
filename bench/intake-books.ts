import type { Connection, mongo } from 'mongoose';
import { orderCollection, type OrderRecord } from '../models/order-records.ts';

const EVERY_MS = 500;

/** How far a shop's orders have come, by the read model. */
export class IntakeBooks {
  readonly #orders: mongo.Collection<OrderRecord>;
  readonly #shopId: string;
  readonly #timer: NodeJS.Timeout;
  /** Stored and not yet taken up by a workflow, when it was last looked. */
  waiting = 0;

  constructor(connection: Connection, shopId: string) {
    this.#orders = orderCollection(connection);
    this.#shopId = shopId;
    let isLooking = false;
    this.#timer = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      void this.#look()
        .catch(() => undefined)
        .finally(() => void (isLooking = false));
    }, EVERY_MS);
  }

  stored(): Promise<number> {
    return this.#orders.countDocuments({ shopId: this.#shopId });
  }

  async isDistributed(): Promise<boolean> {
    const left = await this.#orders.findOne({ shopId: this.#shopId, untold: true }, { projection: { _id: 1 } });
    return left === null && (await this.#look()) === 0;
  }

  async orderIds(): Promise<string[]> {
    const found = await this.#orders.find({ shopId: this.#shopId }, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<number> {
    this.waiting = await this.#orders.countDocuments({ revision: 0, untold: true });
    return this.waiting;
  }
}
