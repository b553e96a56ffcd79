import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';
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
