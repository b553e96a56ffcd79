import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import type { OrderTeller } from '../../activities/intake/distribute-news.ts';
import type { OrderSnapshot } from '../../domain/order-model.ts';
import { orderCollection } from '../../models/order-records.ts';

/** Stands for the engine and the orders' workflows: each takes a while to its first step, and knows what it was told. */
export class FakeTeller implements OrderTeller {
  readonly #connection: Connection;
  readonly started: string[] = [];
  readonly told: { orderId: string; snapshot: OrderSnapshot }[] = [];
  readonly running = new Set<string>();
  firstStepMs = 20;
  /** Those that cannot be reached. */
  readonly away = new Set<string>();
  underWay = 0;
  mostUnderWay = 0;
  onTold: (orderId: string) => Promise<void> = async () => undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async start({ snapshot: { orderId } }: { snapshot: OrderSnapshot }): Promise<boolean> {
    if (this.away.has(orderId)) throw new Error('the engine is away');
    if (this.running.has(orderId)) return false;
    this.running.add(orderId);
    this.started.push(orderId);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    void this.#firstStep(orderId);
    return true;
  }

  async tellChanged(orderId: string, snapshot: OrderSnapshot): Promise<boolean> {
    if (this.away.has(orderId)) throw new Error('the engine is away');
    if (!this.running.has(orderId)) return false;
    this.told.push({ orderId, snapshot });
    await this.onTold(orderId);
    return true;
  }

  async #firstStep(orderId: string): Promise<void> {
    await sleep(this.firstStepMs);
    this.underWay -= 1;
    await orderCollection(this.#connection).updateOne({ _id: orderId }, { $set: { revision: 1, runId: 'run' } });
  }
}
