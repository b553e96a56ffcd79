import type { ClientSession, Connection, mongo } from 'mongoose';
import type { Actor } from '../domain/order-messages.ts';
import type { ReservationOutcome, StockIntent } from '../domain/order-step.ts';
import type { StockLine } from '../domain/order-quantities.ts';
import { byNearness, chooseWarehouses, type Warehouse } from '../domain/stock-allocation.ts';
import { movementId, stockId } from '../domain/ids.ts';
import {
  backorderCollection,
  movementCollection,
  stockCollection,
  type BackorderRecord,
  type MovementRecord,
  type StockRecord,
} from './stock-records.ts';

/** The counters do not have what an earlier step put there: a bug or a foreign write, never a matter of retrying. */
export class LedgerMismatch extends Error {
  override name = 'LedgerMismatch';
}

/** Somebody else moved a counter between our read and our write; the batch is run again. */
export class LostRace extends Error {
  override name = 'LostRace';
}

export interface OrderMovement {
  orderId: string;
  revision: number;
  actor: Actor;
  at: Date;
}

type Delta = Partial<Pick<StockRecord, 'onHand' | 'reserved' | 'awaitingQc' | 'damaged'>>;
type ReserveIntent = Extract<StockIntent, { kind: 'reserve' }>;

const FILL_PAGE = 100;

/**
 * The counters, queue and movements that one transaction deals with, in memory: read once, changed by any number of
 * requests, written conditionally at the end. Used where stock is short, queued for, split or received.
 */
export class StockBook {
  readonly #connection: Connection;
  readonly #session: ClientSession;
  readonly #warehouses: readonly Warehouse[];
  readonly #counters = new Map<string, StockRecord>();
  readonly #read = new Map<string, number>();
  readonly #loadedSkus = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #increased = new Set<string>();
  readonly #backorders = new Map<string, BackorderRecord | null>();
  readonly #changedBackorders = new Set<string>();
  #movements: MovementRecord[] = [];
  readonly filled: { orderId: string; round: number }[] = [];

  constructor(connection: Connection, session: ClientSession, warehouses: readonly Warehouse[]) {
    this.#connection = connection;
    this.#session = session;
    this.#warehouses = warehouses;
  }

  /** Reads the counters of these SKUs in all warehouses. */
  async load(skuCodes: readonly string[]): Promise<void> {
    const missing = [...new Set(skuCodes)].filter((sku) => !this.#loadedSkus.has(sku));
    if (missing.length === 0) return;
    const filter = missing.length === 1 && missing[0] ? { skuCode: missing[0] } : { skuCode: { $in: missing } };
    const records = await stockCollection(this.#connection).find(filter, { session: this.#session }).toArray();
    for (const record of records) {
      this.#counters.set(record._id, record);
      this.#read.set(record._id, record.version);
    }
    for (const sku of missing) this.#loadedSkus.add(sku);
  }

  /** Everything since is undone when `run` refuses: an order moves all its goods or none. */
  async atomically<T>(run: () => Promise<T>, isRefused: (result: T) => boolean): Promise<T> {
    const counters = new Map([...this.#counters].map(([id, record]) => [id, { ...record }]));
    const changed = [...this.#changed];
    const increased = [...this.#increased];
    const backorders = new Map(this.#backorders);
    const changedBackorders = [...this.#changedBackorders];
    const movements = [...this.#movements];
    const undo = () => {
      for (const [id, record] of counters) this.#counters.set(id, record);
      reset(this.#changed, changed);
      reset(this.#increased, increased);
      this.#backorders.clear();
      for (const [id, record] of backorders) this.#backorders.set(id, record);
      reset(this.#changedBackorders, changedBackorders);
      this.#movements = movements;
    };
    try {
      const result = await run();
      if (isRefused(result)) undo();
      return result;
    } catch (error) {
      undo();
      throw error;
    }
  }

  async reserve(intent: ReserveIntent, movement: OrderMovement): Promise<ReservationOutcome> {
    const { orderId } = movement;
    await this.load(intent.lines.map(({ skuCode }) => skuCode));
    const queued = await this.#backorder(orderId);
    if (queued?.round === intent.round) return this.#pickUp(queued);
    const blocked = intent.onlyWarehouseId === undefined && (await this.#isQueuedBefore(intent, orderId));
    const allocations = blocked ? null : this.#allocate(intent);
    if (allocations) {
      this.#takeGoods(allocations, intent, orderId, movement);
      return { state: 'reserved', allocations, handedOver: this.#withoutWms(allocations) };
    }
    if (intent.onlyWarehouseId !== undefined) return { state: 'short' };
    this.#enqueue(intent, orderId);
    return { state: 'backordered' };
  }

  async withdraw(round: number, movement: OrderMovement): Promise<void> {
    const queued = await this.#backorder(movement.orderId);
    if (!queued || queued.round !== round) return;
    if (queued.state === 'filled') {
      const lines = linesBySku(queued);
      await this.load(lines.map(({ skuCode }) => skuCode));
      this.release(lines, movement);
    } else {
      await this.load(queued.skuCodes);
      this.#countWaiting(queued.skuCodes, -1);
      // Whoever stood behind this order may now be served.
      for (const sku of queued.skuCodes) this.#increased.add(sku);
    }
    this.#setBackorder(queued._id, null);
  }

  release(lines: readonly StockLine[], movement: OrderMovement): void {
    for (const line of lines) {
      const id = movementId.release(movement.orderId, movement.revision, line.warehouseId, line.skuCode);
      this.#move(id, 'release', line, { reserved: -line.quantity }, movement);
    }
  }

  ship(lines: readonly StockLine[], movement: OrderMovement): void {
    for (const line of lines) {
      const id = movementId.ship(movement.orderId, movement.revision, line.warehouseId, line.skuCode);
      this.#move(id, 'ship', line, { onHand: -line.quantity, reserved: -line.quantity }, movement);
    }
  }

  /** Goods that come or go without an order. */
  adjust(
    id: string,
    kind: 'receipt' | 'adjustment',
    line: StockLine,
    by: { actor: Actor; at: Date; reason: string | null },
  ): void {
    this.#move(id, kind, line, { onHand: line.quantity }, { orderId: null, ...by });
  }

  /** Serves the queue for every SKU of which there is more than before; who cannot be served blocks those behind. */
  async fillBackorders(at: Date): Promise<void> {
    const open = new Set([...this.#increased].filter((sku) => this.#isWaitedFor(sku)));
    if (open.size === 0) return;
    const blocked = new Set<string>();
    let after: BackorderRecord | undefined;
    for (;;) {
      const page = await this.#waitingFor([...open], after);
      if (page.length === 0) return;
      for (const queued of page) {
        after = queued;
        await this.load(queued.skuCodes);
        const intent = intentOf(queued);
        const allocations = queued.skuCodes.some((sku) => blocked.has(sku)) ? null : this.#allocate(intent);
        if (!allocations) {
          for (const sku of queued.skuCodes) blocked.add(sku);
          if ([...open].every((sku) => blocked.has(sku))) return;
          continue;
        }
        const by: OrderMovement = { orderId: queued._id, revision: 0, actor: { kind: 'system', id: 'backorders' }, at };
        this.#takeGoods(allocations, intent, queued._id, by);
        this.#countWaiting(queued.skuCodes, -1);
        this.#setBackorder(queued._id, { ...queued, state: 'filled', allocations, handedOver: this.#withoutWms(allocations) });
        this.filled.push({ orderId: queued._id, round: queued.round });
      }
    }
  }

  /** Writes what changed, each counter only if it is as it was read. */
  async write(): Promise<void> {
    const session = this.#session;
    const writes = await Promise.all([...this.#changed].map((id) => this.#counterWrite(id)));
    if (writes.length > 0) {
      const result = await stockCollection(this.#connection).bulkWrite(writes, { session });
      if (result.matchedCount + result.upsertedCount !== writes.length) throw new LostRace('a stock counter moved');
    }
    if (this.#movements.length > 0) await movementCollection(this.#connection).insertMany(this.#movements, { session });
    const queue = [...this.#changedBackorders].map((id): mongo.AnyBulkWriteOperation<BackorderRecord> => {
      const record = this.#backorders.get(id);
      return record
        ? { replaceOne: { filter: { _id: id }, replacement: record, upsert: true } }
        : { deleteOne: { filter: { _id: id } } };
    });
    if (queue.length > 0) await backorderCollection(this.#connection).bulkWrite(queue, { session });
  }

  async #counterWrite(id: string): Promise<mongo.AnyBulkWriteOperation<StockRecord>> {
    const record = this.#counters.get(id);
    if (!record) throw new LedgerMismatch(`no counter ${id}`);
    const { _id, version: _read, ...fields } = record;
    const read = this.#read.get(id);
    if (read === undefined) return { updateOne: { filter: { _id, version: 0 }, update: { $set: { ...fields, version: 1 } }, upsert: true } };
    return { updateOne: { filter: { _id, version: read }, update: { $set: { ...fields, version: read + 1 } } } };
  }

  #move(id: string, kind: MovementRecord['kind'], line: StockLine, delta: Delta, by: Omit<OrderMovement, 'orderId' | 'revision'> & { orderId: string | null; reason?: string | null }): void {
    const counter = this.#counter(line.warehouseId, line.skuCode);
    counter.onHand += delta.onHand ?? 0;
    counter.reserved += delta.reserved ?? 0;
    counter.awaitingQc += delta.awaitingQc ?? 0;
    counter.damaged += delta.damaged ?? 0;
    const available = counter.onHand - counter.reserved;
    if (available > counter.available) this.#increased.add(line.skuCode);
    counter.available = available;
    if (Math.min(counter.onHand, counter.reserved, counter.available, counter.awaitingQc, counter.damaged) < 0)
      throw new LedgerMismatch(`${kind} of ${line.quantity} would make a counter of ${counter._id} negative`);
    this.#changed.add(counter._id);
    this.#movements.push({
      _id: id,
      at: by.at,
      kind,
      warehouseId: line.warehouseId,
      skuCode: line.skuCode,
      onHand: delta.onHand ?? 0,
      reserved: delta.reserved ?? 0,
      awaitingQc: delta.awaitingQc ?? 0,
      damaged: delta.damaged ?? 0,
      orderId: by.orderId,
      actor: by.actor,
      reason: by.reason ?? null,
    });
  }

  #counter(warehouseId: string, skuCode: string): StockRecord {
    const _id = stockId(warehouseId, skuCode);
    const known = this.#counters.get(_id);
    if (known) return known;
    const waiting = [...this.#counters.values()].find((record) => record.skuCode === skuCode)?.waiting ?? this.#newWaiting.get(skuCode) ?? 0;
    const fresh: StockRecord = { _id, warehouseId, skuCode, onHand: 0, reserved: 0, available: 0, awaitingQc: 0, damaged: 0, waiting, version: 0 };
    this.#counters.set(_id, fresh);
    return fresh;
  }

  /** Orders that wait for a SKU which no warehouse has ever had. */
  readonly #newWaiting = new Map<string, number>();

  /** Before the first goods of a SKU come, its queue is counted from the queue itself. */
  async countQueueOf(skuCodes: readonly string[]): Promise<void> {
    for (const skuCode of skuCodes) {
      if ([...this.#counters.values()].some((record) => record.skuCode === skuCode)) continue;
      const count = await backorderCollection(this.#connection).countDocuments(
        { skuCodes: skuCode, state: 'waiting' },
        { session: this.#session },
      );
      this.#newWaiting.set(skuCode, count);
    }
  }

  #allocate(intent: ReserveIntent): BackorderRecord['allocations'] | null {
    const order = byNearness(this.#warehouses, intent.province, intent.city).map(({ warehouseId }) => warehouseId);
    const ids = intent.onlyWarehouseId === undefined ? order : [intent.onlyWarehouseId];
    return chooseWarehouses(intent.lines, ids, (warehouseId, sku) => this.#counters.get(stockId(warehouseId, sku))?.available ?? 0);
  }

  #takeGoods(allocations: BackorderRecord['allocations'], intent: ReserveIntent, orderId: string, by: OrderMovement): void {
    for (const line of linesBySku({ lines: intent.lines, allocations })) {
      const id = movementId.reserve(orderId, intent.round, line.warehouseId, line.skuCode);
      this.#move(id, 'reserve', line, { reserved: line.quantity }, by);
    }
  }

  #withoutWms(allocations: BackorderRecord['allocations']): string[] {
    const withWms = new Set(this.#warehouses.filter(({ hasWms }) => hasWms).map(({ warehouseId }) => warehouseId));
    return [...new Set(allocations.map(({ warehouseId }) => warehouseId))].filter((id) => !withWms.has(id));
  }

  #pickUp(queued: BackorderRecord): ReservationOutcome {
    // Still in the queue: nothing to write.
    if (queued.state === 'waiting') return { state: 'short' };
    this.#setBackorder(queued._id, null);
    return { state: 'reserved', allocations: queued.allocations, handedOver: queued.handedOver };
  }

  #enqueue(intent: ReserveIntent, orderId: string): void {
    const skuCodes = [...new Set(intent.lines.map(({ skuCode }) => skuCode))];
    const { round, paidAt, lines, province, city } = intent;
    this.#setBackorder(orderId, { _id: orderId, round, paidAt, lines, skuCodes, province, city, state: 'waiting', allocations: [], handedOver: [] });
    this.#countWaiting(skuCodes, 1);
  }

  #countWaiting(skuCodes: readonly string[], change: 1 | -1): void {
    for (const record of this.#counters.values()) {
      if (!skuCodes.includes(record.skuCode)) continue;
      record.waiting = Math.max(0, record.waiting + change);
      this.#changed.add(record._id);
    }
  }

  #isWaitedFor(skuCode: string): boolean {
    return [...this.#counters.values()].some((record) => record.skuCode === skuCode && record.waiting > 0);
  }

  async #isQueuedBefore(intent: ReserveIntent, orderId: string): Promise<boolean> {
    const skuCodes = [...new Set(intent.lines.map(({ skuCode }) => skuCode))];
    for (const sku of skuCodes) {
      if (!this.#isWaitedFor(sku)) continue;
      const [first] = await this.#waitingFor([sku], undefined, 1);
      if (first && byPaidAt(first, { _id: orderId, paidAt: intent.paidAt }) < 0) return true;
    }
    return false;
  }

  /** The queue in its order, as it stands in the database with this transaction's changes on top. */
  async #waitingFor(skuCodes: string[], after?: BackorderRecord, limit = FILL_PAGE): Promise<BackorderRecord[]> {
    const filter: mongo.Filter<BackorderRecord> = {
      state: 'waiting',
      skuCodes: skuCodes.length === 1 && skuCodes[0] ? skuCodes[0] : { $in: skuCodes },
      ...(after ? { $or: [{ paidAt: { $gt: after.paidAt } }, { paidAt: after.paidAt, _id: { $gt: after._id } }] } : {}),
    };
    const stored = await backorderCollection(this.#connection)
      .find(filter, { session: this.#session })
      .sort({ paidAt: 1, _id: 1 })
      .limit(limit)
      .toArray();
    const last = stored.length === limit ? stored.at(-1) : undefined;
    const changed = [...this.#backorders.values()].filter(
      (record): record is BackorderRecord =>
        record?.state === 'waiting' &&
        record.skuCodes.some((sku) => skuCodes.includes(sku)) &&
        (!after || byPaidAt(after, record) < 0) &&
        (!last || byPaidAt(record, last) < 0),
    );
    return [...stored.filter(({ _id }) => !this.#backorders.has(_id)), ...changed].sort(byPaidAt);
  }

  async #backorder(orderId: string): Promise<BackorderRecord | null> {
    const known = this.#backorders.get(orderId);
    if (known !== undefined) return known;
    const record = await backorderCollection(this.#connection).findOne({ _id: orderId }, { session: this.#session });
    this.#backorders.set(orderId, record);
    return record;
  }

  #setBackorder(orderId: string, record: BackorderRecord | null): void {
    this.#backorders.set(orderId, record);
    this.#changedBackorders.add(orderId);
  }
}

const byPaidAt = (a: Pick<BackorderRecord, '_id' | 'paidAt'>, b: Pick<BackorderRecord, '_id' | 'paidAt'>): number =>
  a.paidAt < b.paidAt ? -1 : a.paidAt > b.paidAt ? 1 : a._id < b._id ? -1 : a._id > b._id ? 1 : 0;

const reset = (set: Set<string>, values: readonly string[]): void => {
  set.clear();
  for (const value of values) set.add(value);
};

const intentOf = ({ round, paidAt, lines, province, city }: BackorderRecord): ReserveIntent => ({
  kind: 'reserve',
  round,
  paidAt,
  lines,
  province,
  city,
});

/** What each warehouse gives of each SKU. */
export const linesBySku = ({ lines, allocations }: Pick<BackorderRecord, 'lines' | 'allocations'>): StockLine[] => {
  const skuOf = new Map(lines.map(({ lineId, skuCode }) => [lineId, skuCode]));
  const sums = new Map<string, StockLine>();
  for (const { warehouseId, lines: given } of allocations)
    for (const { lineId, quantity } of given) {
      const skuCode = skuOf.get(lineId) ?? '';
      const id = stockId(warehouseId, skuCode);
      sums.set(id, { warehouseId, skuCode, quantity: (sums.get(id)?.quantity ?? 0) + quantity });
    }
  return [...sums.values()];
};
