import type { Connection, mongo } from 'mongoose';
import { orderCollection, type OrderRecord } from './order-records.ts';

/** What commands need to know of an order before they are sent to it. */
export type OrderHead = Pick<
  OrderRecord,
  | '_id'
  | 'orderId'
  | 'shopId'
  | 'assignee'
  | 'status'
  | 'revision'
  | 'runId'
  | 'final'
  | 'currency'
  | 'totals'
  | 'allowedActions'
>;

/** What a workflow is started with. */
export type UntakenOrder = Pick<OrderRecord, '_id' | 'snapshot' | 'origin' | 'updatedAt'>;

const HEAD = {
  orderId: 1,
  shopId: 1,
  assignee: 1,
  status: 1,
  revision: 1,
  runId: 1,
  final: 1,
  currency: 1,
  totals: 1,
  allowedActions: 1,
} as const satisfies Partial<Record<keyof OrderRecord, 1>>;

const DUPLICATE_KEY = 11000;

/** The intake's side of the orders collection: inserts at revision 0, and what is needed to hand an order to its workflow. */
export class IntakeStore {
  readonly #orders: mongo.Collection<OrderRecord>;

  constructor(connection: Connection) {
    this.#orders = orderCollection(connection);
  }

  /** False when there is an order of that id; nothing is written then. */
  async insert(record: OrderRecord): Promise<boolean> {
    try {
      await this.#orders.insertOne(record);
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  async head(orderId: string): Promise<OrderHead | null> {
    return this.#orders.findOne({ _id: orderId }, { projection: HEAD });
  }

  async untaken(orderId: string): Promise<UntakenOrder | null> {
    return this.#orders.findOne(
      { _id: orderId, revision: 0 },
      { projection: { snapshot: 1, origin: 1, updatedAt: 1 } },
    );
  }

  async revision(orderId: string): Promise<number | null> {
    const found = await this.#orders.findOne({ _id: orderId }, { projection: { _id: 0, revision: 1 } });
    return found?.revision ?? null;
  }

  /** Orders that no workflow has taken up, stored before `before` (RFC 3339); not those of platforms that wait for their turn. */
  untakenBefore(before: string): AsyncIterable<UntakenOrder> {
    return this.#orders.find(
      { revision: 0, untold: { $exists: false }, updatedAt: { $lt: before } },
      {
        projection: { snapshot: 1, origin: 1, updatedAt: 1 },
        batchSize: 100,
      },
    );
  }

  /** Orders of a shop that may wait for a SKU: held for one, or not yet looked at. */
  async *waitingForSku(shopId: string, platformSku: string): AsyncGenerator<string> {
    for (const filter of [
      { holdCodes: 'unknown_sku', shopId },
      { revision: 0, shopId },
    ])
      for await (const order of this.#orders.find(filter, { projection: { 'snapshot.lines': 1 }, batchSize: 200 }))
        if (order.snapshot.lines.some((line) => line.skuCode === null && line.platformSku === platformSku))
          yield order._id;
  }

  /** Held orders with the platform's names of the goods that are still unknown, as the view has them. */
  async *heldForSkus(): AsyncGenerator<{ orderId: string; shopId: string; platformSkus: string[] }> {
    const projection = { shopId: 1, 'lines.lineId': 1, 'lines.skuCode': 1, 'snapshot.lines': 1 };
    for await (const order of this.#orders.find({ holdCodes: 'unknown_sku' }, { projection, batchSize: 200 })) {
      const unknown = new Set(order.lines.flatMap(({ lineId, skuCode }) => (skuCode === null ? [lineId] : [])));
      const platformSkus = order.snapshot.lines.flatMap(({ lineId, platformSku }) =>
        unknown.has(lineId) && platformSku !== undefined ? [platformSku] : [],
      );
      if (platformSkus.length > 0) yield { orderId: order._id, shopId: order.shopId, platformSkus };
    }
  }
}
