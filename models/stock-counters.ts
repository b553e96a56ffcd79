import type { ClientSession, Connection, mongo } from 'mongoose';
import type { Actor } from '../domain/order-messages.ts';
import type { StockLine } from '../domain/order-quantities.ts';
import type { Warehouse } from '../domain/stock-allocation.ts';
import { stockId } from '../domain/ids.ts';
import { LedgerMismatch, LostRace, StaleWarehouses } from './stock-errors.ts';
import {
  movementCollection,
  stockCollection,
  stockGuardCollection,
  type MovementRecord,
  type StockRecord,
} from './stock-records.ts';
import type { UndoLog } from './undo-log.ts';

export type StockDelta = Partial<Pick<StockRecord, 'onHand' | 'reserved' | 'awaitingQc' | 'damaged'>>;

export interface MovedBy {
  orderId: string | null;
  actor: Actor;
  at: Date;
  reason?: string | null;
}

/** The warehouses as they are known; `isFresh`: read just now, so that one which is missing there does not exist. */
export interface KnownWarehouses {
  list: readonly Warehouse[];
  isFresh: boolean;
}

const DUPLICATE_KEY = 11000;

/** Counters and movements of one transaction, in memory: read once, moved any number of times, written conditionally. */
export class StockCounters {
  readonly #connection: Connection;
  readonly #session: ClientSession;
  readonly #warehouses: KnownWarehouses;
  readonly #undo: UndoLog;
  readonly #counters = new Map<string, StockRecord>();
  readonly #versions = new Map<string, number>();
  readonly #loadedSkus = new Set<string>();
  readonly #changed = new Set<string>();
  /** SKUs that get their first counter, or their first order in the queue while they have none. */
  readonly #guarded = new Set<string>();
  readonly #movements: MovementRecord[] = [];
  /** SKUs of which there is more than before. */
  readonly increased = new Set<string>();

  constructor(connection: Connection, session: ClientSession, warehouses: KnownWarehouses, undo: UndoLog) {
    this.#connection = connection;
    this.#session = session;
    this.#warehouses = warehouses;
    this.#undo = undo;
  }

  /** Reads the counters of these SKUs in all warehouses. */
  async load(skuCodes: readonly string[]): Promise<void> {
    const missing = [...new Set(skuCodes)].filter((sku) => !this.#loadedSkus.has(sku));
    if (missing.length === 0) return;
    const filter = missing.length === 1 && missing[0] ? { skuCode: missing[0] } : { skuCode: { $in: missing } };
    const records = await stockCollection(this.#connection).find(filter, { session: this.#session }).toArray();
    for (const record of records) {
      this.#assertKnown(record.warehouseId);
      this.#counters.set(record._id, record);
      this.#versions.set(record._id, record.version);
    }
    for (const sku of missing) this.#loadedSkus.add(sku);
  }

  /** In all warehouses; of a SKU that was loaded. */
  of(skuCode: string): StockRecord[] {
    return [...this.#counters.values()].filter((record) => record.skuCode === skuCode);
  }

  at(warehouseId: string, skuCode: string): Readonly<StockRecord> | undefined {
    return this.#counters.get(stockId(warehouseId, skuCode));
  }

  /** `newWaiting`: how many wait for a SKU that gets its first counter now. Throws `LedgerMismatch` below zero. */
  move(
    id: string,
    kind: MovementRecord['kind'],
    line: StockLine,
    delta: StockDelta,
    by: MovedBy,
    newWaiting = 0,
  ): void {
    const { warehouseId, skuCode } = line;
    const counter = this.#counter(warehouseId, skuCode, newWaiting);
    const { onHand = 0, reserved = 0, awaitingQc = 0, damaged = 0 } = delta;
    this.#remember(counter);
    counter.onHand += onHand;
    counter.reserved += reserved;
    counter.awaitingQc += awaitingQc;
    counter.damaged += damaged;
    const available = counter.onHand - counter.reserved;
    if (available > counter.available) this.#undo.add(this.increased, skuCode);
    counter.available = available;
    if (Math.min(counter.onHand, counter.reserved, counter.available, counter.awaitingQc, counter.damaged) < 0)
      throw new LedgerMismatch(`${kind} of ${line.quantity} would make a counter of ${counter._id} negative`);
    this.#undo.add(this.#changed, counter._id);
    this.#undo.note(() => void this.#movements.pop());
    const { orderId, actor, at, reason = null } = by;
    const moved = { warehouseId, skuCode, onHand, reserved, awaitingQc, damaged };
    this.#movements.push({ _id: id, at, kind, ...moved, orderId, actor, reason });
  }

  countWaiting(skuCodes: readonly string[], change: 1 | -1): void {
    for (const record of skuCodes.flatMap((skuCode) => this.of(skuCode))) {
      this.#remember(record);
      record.waiting = Math.max(0, record.waiting + change);
    }
    this.meetOthers(skuCodes);
  }

  isWaitedFor(skuCode: string): boolean {
    return this.of(skuCode).some(({ waiting }) => waiting > 0);
  }

  /** Makes our transaction conflict with every other one that moves these SKUs, or asks for them while nobody has any. */
  meetOthers(skuCodes: readonly string[]): void {
    for (const skuCode of skuCodes) {
      const counters = this.of(skuCode);
      for (const { _id } of counters) this.#undo.add(this.#changed, _id);
      if (counters.length === 0) this.#undo.add(this.#guarded, skuCode);
    }
  }

  /** Writes what changed, each counter only if it is as it was read; throws `LostRace` when one is not. */
  async write(): Promise<void> {
    const session = this.#session;
    try {
      const writes = [...this.#changed].map((id) => this.#counterWrite(id));
      if (writes.length > 0) {
        const result = await stockCollection(this.#connection).bulkWrite(writes, { session });
        if (result.matchedCount + result.upsertedCount !== writes.length) throw new LostRace('a stock counter moved');
      }
      const guards = [...this.#guarded].map((_id) => ({
        updateOne: { filter: { _id }, update: { $inc: { version: 1 } }, upsert: true },
      }));
      if (guards.length > 0) await stockGuardCollection(this.#connection).bulkWrite(guards, { session });
      if (this.#movements.length > 0)
        await movementCollection(this.#connection).insertMany(this.#movements, { session });
    } catch (error) {
      if ((error as { code?: number }).code === DUPLICATE_KEY)
        throw new LostRace('a counter or movement is new to somebody else too');
      throw error;
    }
  }

  #counterWrite(id: string): mongo.AnyBulkWriteOperation<StockRecord> {
    const record = this.#counters.get(id);
    if (!record) throw new LedgerMismatch(`no counter ${id}`);
    const { _id, version: _version, ...fields } = record;
    const version = this.#versions.get(id);
    const update = { $set: { ...fields, version: (version ?? 0) + 1 } };
    return { updateOne: { filter: { _id, version: version ?? 0 }, update, upsert: version === undefined } };
  }

  #counter(warehouseId: string, skuCode: string, newWaiting: number): StockRecord {
    const _id = stockId(warehouseId, skuCode);
    const known = this.#counters.get(_id);
    if (known) return known;
    this.#assertKnown(warehouseId);
    const waiting = this.of(skuCode)[0]?.waiting ?? newWaiting;
    const nothing = { onHand: 0, reserved: 0, available: 0, awaitingQc: 0, damaged: 0 };
    const fresh: StockRecord = { _id, warehouseId, skuCode, ...nothing, waiting, version: 0 };
    // Whoever joins the queue meanwhile counts itself on the counters that it sees.
    this.meetOthers([skuCode]);
    this.#counters.set(_id, fresh);
    this.#undo.note(() => void this.#counters.delete(_id));
    return fresh;
  }

  #assertKnown(warehouseId: string): void {
    const { list, isFresh } = this.#warehouses;
    if (isFresh || list.some((warehouse) => warehouse.warehouseId === warehouseId)) return;
    throw new StaleWarehouses(`warehouse ${warehouseId} is new`);
  }

  #remember(counter: StockRecord): void {
    const before = { ...counter };
    this.#undo.note(() => void Object.assign(counter, before));
  }
}
