import type { Connection } from 'mongoose';
import { readPage, type PageStart } from './keyset.ts';
import { movementCollection, stockCollection, type MovementRecord, type StockRecord } from './stock-records.ts';

/** Reads of counters and ledger. */
export class StockStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** By `<warehouseId>/<skuCode>`. */
  async counters(page: {
    skuCode?: string | undefined;
    warehouseId?: string | undefined;
    after?: string | undefined;
    limit: number;
  }): Promise<StockRecord[]> {
    const { skuCode, warehouseId, after, limit } = page;
    return stockCollection(this.#connection)
      .find({
        ...(skuCode === undefined ? {} : { skuCode }),
        ...(warehouseId === undefined ? {} : { warehouseId }),
        ...(after === undefined ? {} : { _id: { $gt: after } }),
      })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
  }

  /** Newest first. */
  async movements(page: {
    skuCode?: string | undefined;
    orderId?: string | undefined;
    after?: PageStart | undefined;
    limit: number;
  }): Promise<MovementRecord[]> {
    const { skuCode, orderId, after, limit } = page;
    const filter = { ...(skuCode === undefined ? {} : { skuCode }), ...(orderId === undefined ? {} : { orderId }) };
    return readPage(movementCollection(this.#connection), filter, {
      sort: { field: 'at', direction: -1 },
      after,
      limit,
    });
  }
}
