import type { Connection } from 'mongoose';
import { movementId, stockId } from '../domain/ids.ts';
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
    // Ids begin with the warehouse, so that a warehouse is one range of them; `0` is the character behind `/`.
    const within = warehouseId === undefined ? {} : { $gt: `${warehouseId}/`, $lt: `${warehouseId}0` };
    const range = { ...within, ...(after !== undefined && after > (within.$gt ?? '') ? { $gt: after } : {}) };
    return stockCollection(this.#connection)
      .find({
        ...(skuCode === undefined ? {} : { skuCode }),
        ...(Object.keys(range).length === 0 ? {} : { _id: range }),
      })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
  }

  async countersOf(warehouseId: string, skuCodes: readonly string[]): Promise<StockRecord[]> {
    const found = await Promise.all(
      skuCodes.map((skuCode) => stockCollection(this.#connection).findOne({ _id: stockId(warehouseId, skuCode) })),
    );
    return found.filter((record) => record !== null);
  }

  /** When a receipt or adjustment was booked; null when it was not. */
  async bookedAt(
    movement: 'receipt' | 'adjustment',
    id: string,
    line: { skuCode: string } | undefined,
    warehouseId: string,
  ): Promise<Date | null> {
    const _id = movementId[movement](id, warehouseId, line?.skuCode ?? '');
    const found = await movementCollection(this.#connection).findOne({ _id }, { projection: { at: 1 } });
    return found?.at ?? null;
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
