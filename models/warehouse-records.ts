import { Schema } from 'mongoose';
import type { ClientSession, Connection, mongo } from 'mongoose';
import type { Warehouse } from '../domain/stock-allocation.ts';

export interface WarehouseRecord {
  _id: string;
  name: string;
  province: string;
  city: string;
  wms: { type: 'qimen'; baseUrl: string; appKey: string; secretSealed: string; customerId: string } | null;
  revision: number;
  updatedAt: Date;
}

const warehouseSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'warehouses', minimize: false, versionKey: false },
);

export const warehouseCollection = (connection: Connection): mongo.Collection<WarehouseRecord> =>
  (connection.models['Warehouse'] ?? connection.model('Warehouse', warehouseSchema))
    .collection as unknown as mongo.Collection<WarehouseRecord>;

export const warehouseEntity = (warehouseId: string): string => `warehouse/${warehouseId}`;

export class WarehouseStore {
  readonly #warehouses: mongo.Collection<WarehouseRecord>;

  constructor(connection: Connection) {
    this.#warehouses = warehouseCollection(connection);
  }

  async byId(warehouseId: string, session?: ClientSession): Promise<WarehouseRecord | null> {
    return this.#warehouses.findOne({ _id: warehouseId }, session ? { session } : {});
  }

  async list({ after, limit }: { after?: string | undefined; limit: number }): Promise<WarehouseRecord[]> {
    return this.#warehouses
      .find(after === undefined ? {} : { _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
  }

  /** Writes what was read with `revision` (0 = it was not there); false when somebody else was faster. */
  async write(record: WarehouseRecord, revision: number, session: ClientSession): Promise<boolean> {
    const { _id, ...fields } = record;
    if (revision === 0) {
      await this.#warehouses.insertOne(record, { session });
      return true;
    }
    const { matchedCount } = await this.#warehouses.updateOne({ _id, revision }, { $set: fields }, { session });
    return matchedCount === 1;
  }
}

/** Warehouses change rarely and every reservation needs them: read again after this. */
const CACHE_MS = 2000;

export class WarehouseDirectory {
  readonly #warehouses: mongo.Collection<WarehouseRecord>;
  #cached: { at: number; list: Promise<Warehouse[]> } | undefined;

  constructor(connection: Connection) {
    this.#warehouses = warehouseCollection(connection);
  }

  /** At most two seconds old, or `fresh`. */
  list(fresh = false): Promise<Warehouse[]> {
    if (fresh || !this.#cached || Date.now() - this.#cached.at > CACHE_MS) {
      const list = this.#read();
      this.#cached = { at: Date.now(), list };
      list.catch(() => (this.#cached = undefined));
    }
    return this.#cached.list;
  }

  async #read(): Promise<Warehouse[]> {
    const records = await this.#warehouses.find({}, { projection: { province: 1, city: 1, wms: 1 } }).toArray();
    return records.map(({ _id, province, city, wms }) => ({ warehouseId: _id, province, city, hasWms: wms !== null }));
  }
}
