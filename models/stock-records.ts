import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import type { Allocation } from '../domain/order-model.ts';
import type { ReserveLine } from '../domain/order-step.ts';
import type { Actor } from '../domain/order-messages.ts';

/** Counters of one SKU in one warehouse, moved by conditional updates only. Units, never negative. */
export interface StockRecord {
  /** `<warehouseId>/<skuCode>` */
  _id: string;
  warehouseId: string;
  skuCode: string;
  onHand: number;
  reserved: number;
  /** onHand − reserved, stored because reservations are conditional on it. */
  available: number;
  awaitingQc: number;
  damaged: number;
  /** Orders that wait for this SKU in any warehouse; while there are some, nobody may take past the queue. */
  waiting: number;
  /** Raised by every change, so that what was read can be written conditionally. */
  version: number;
}

export type MovementKind = 'receipt' | 'adjustment' | 'reserve' | 'release' | 'ship';

/** One entry of the append-only ledger; its `_id` is a business key, so that a step run again adds nothing. */
export interface MovementRecord {
  _id: string;
  at: Date;
  kind: MovementKind;
  warehouseId: string;
  skuCode: string;
  /** What the movement added to each counter; negative takes away. */
  onHand: number;
  reserved: number;
  awaitingQc: number;
  damaged: number;
  orderId: string | null;
  actor: Actor;
  reason: string | null;
}

/** An order in the queue for goods, served by `paidAt`; deleted when the order has picked up what it was given. */
export interface BackorderRecord {
  /** The order's id. */
  _id: string;
  round: number;
  paidAt: string;
  lines: ReserveLine[];
  skuCodes: string[];
  province: string;
  city: string;
  state: 'waiting' | 'filled';
  allocations: Allocation[];
  handedOver: string[];
}

const stockSchema = new Schema({ _id: String }, { strict: false, collection: 'stock', versionKey: false });
stockSchema.index({ skuCode: 1, warehouseId: 1 });
stockSchema.index({ warehouseId: 1, skuCode: 1 });

const movementSchema = new Schema({ _id: String }, { strict: false, collection: 'stock_movements', versionKey: false });
movementSchema.index({ skuCode: 1, at: -1, _id: -1 });
movementSchema.index({ orderId: 1, at: -1, _id: -1 });
movementSchema.index({ at: -1, _id: -1 });

const backorderSchema = new Schema({ _id: String }, { strict: false, collection: 'backorders', versionKey: false });
backorderSchema.index({ skuCodes: 1, state: 1, paidAt: 1, _id: 1 });
backorderSchema.index({ state: 1 });

const collectionOf = <T extends mongo.Document>(
  connection: Connection,
  name: string,
  schema: Schema,
): mongo.Collection<T> =>
  (connection.models[name] ?? connection.model(name, schema)).collection as unknown as mongo.Collection<T>;

export const stockCollection = (connection: Connection) => collectionOf<StockRecord>(connection, 'Stock', stockSchema);
export const movementCollection = (connection: Connection) =>
  collectionOf<MovementRecord>(connection, 'StockMovement', movementSchema);
export const backorderCollection = (connection: Connection) =>
  collectionOf<BackorderRecord>(connection, 'Backorder', backorderSchema);

/** Where the first counter of a SKU and the first order that waits for it meet: both write it, so that they cannot miss each other. */
export interface StockGuardRecord {
  /** The SKU. */
  _id: string;
  version: number;
}

const stockGuardSchema = new Schema({ _id: String }, { strict: false, collection: 'stock_guards', versionKey: false });

export const stockGuardCollection = (connection: Connection) =>
  collectionOf<StockGuardRecord>(connection, 'StockGuard', stockGuardSchema);
