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
  stockGuardCollection,
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

/** There are goods in a warehouse that is newer than the list of warehouses; the batch is run again with a new one. */
export class StaleWarehouses extends Error {
  override name = 'StaleWarehouses';
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
/** Of one transaction; the rest follows in the next. */
const MAX_FILLED = 300;
const DUPLICATE_KEY = 11000;

/**
 * The counters, queue and movements that one transaction deals with, in memory: read once, changed by any number of
 * requests, written conditionally at the end. Used where stock is short, queued for, split or received.
 */
export class StockBook {
  readonly #connection: Connection;
  readonly #session: ClientSession;
  readonly #warehouses: readonly Warehouse[];
  readonly #isListFresh: boolean;
  readonly #counters = new Map<string, StockRecord>();
  readonly #read = new Map<string, number>();
  readonly #loadedSkus = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #increased = new Set<string>();
  readonly #backorders = new Map<string, BackorderRecord | null>();
  readonly #changedBackorders = new Set<string>();
  /** First of the queue for a SKU, as far as it has been looked up. */
  readonly #heads = new Map<string, BackorderRecord | null>();
  /** SKUs that get their first counter, or their first order in the queue while they have none. */
  readonly #guarded = new Set<string>();
  readonly #movements: MovementRecord[] = [];
  #undo: (() => void)[] | null = null;
  readonly filled: { orderId: string; round: number }[] = [];
  /** SKUs whose queue was not served to its end, because one transaction must not grow without bound. */
  readonly unserved = new Set<string>();

  /** `isListFresh`: the warehouses were read just now, so that one which is missing there does not exist. */
  constructor(
    connection: Connection,
    session: ClientSession,
    { warehouses, isListFresh }: { warehouses: readonly Warehouse[]; isListFresh: boolean },
  ) {
    this.#connection = connection;
    this.#session = session;
    this.#warehouses = warehouses;
    this.#isListFresh = isListFresh;
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
      this.#read.set(record._id, record.version);
    }
    for (const sku of missing) this.#loadedSkus.add(sku);
  }

  /** Everything since is undone when `run` refuses or throws: an order moves all its goods or none. */
  async atomically<T>(run: () => Promise<T>, isRefused: (result: T) => boolean): Promise<T> {
    const undo: (() => void)[] = [];
    this.#undo = undo;
    let isKept = false;
    try {
      const result = await run();
      isKept = !isRefused(result);
      return result;
    } finally {
      this.#undo = null;
      if (!isKept) for (const restore of undo.toReversed()) restore();
    }
  }

  async reserve(intent: ReserveIntent, movement: OrderMovement): Promise<ReservationOutcome> {
    const { orderId } = movement;
    await this.load(intent.lines.map(({ skuCode }) => skuCode));
    const queued = await this.#backorder(orderId);
    if (queued?.round === intent.round) return this.#pickUp(queued);
    if (queued) await this.withdraw(queued.round, movement);
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
      for (const sku of queued.skuCodes) this.#mark(this.#increased, sku);
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

  /** Whoever asks for what it already waits for has the queue looked at again: a word that got lost costs time only. */
  async recheck(orderId: string, round: number): Promise<void> {
    const queued = await this.#backorder(orderId);
    if (queued?.state !== 'waiting' || queued.round !== round) return;
    await this.load(queued.skuCodes);
    this.serve(queued.skuCodes);
  }

  /** The queue for these SKUs is to be looked at, whether or not there is more of them. */
  serve(skuCodes: readonly string[]): void {
    for (const sku of skuCodes) this.#mark(this.#increased, sku);
  }

  /** Units as they stand now; of a SKU that was loaded. */
  levelOf(warehouseId: string, skuCode: string): Pick<StockRecord, 'onHand' | 'reserved'> {
    const counter = this.#counters.get(stockId(warehouseId, skuCode));
    return { onHand: counter?.onHand ?? 0, reserved: counter?.reserved ?? 0 };
  }

  /** Serves the queue for every SKU of which there is more than before; who cannot be served blocks those behind. */
  async fillBackorders(at: Date): Promise<void> {
    // Who is served no longer stands before others for any of its SKUs, so those are looked at next.
    while (this.#increased.size > 0) {
      const open = [...this.#increased].filter((sku) => this.#isWaitedFor(sku));
      this.#increased.clear();
      if (open.length > 0) await this.#serveQueueOf(open, at);
    }
  }

  async #serveQueueOf(open: readonly string[], at: Date): Promise<void> {
    const blocked = new Set<string>();
    for await (const queued of this.#queueFor(open)) {
      if (this.filled.length >= MAX_FILLED) {
        for (const sku of open) this.unserved.add(sku);
        return;
      }
      await this.load(queued.skuCodes);
      const allocations = queued.skuCodes.some((sku) => blocked.has(sku)) ? null : await this.#goodsFor(queued, open);
      if (allocations) this.#fill(queued, allocations, at);
      else for (const sku of queued.skuCodes) blocked.add(sku);
      for (const sku of queued.skuCodes) if (allocations && !open.includes(sku)) this.#increased.add(sku);
      if (open.every((sku) => blocked.has(sku))) return;
    }
  }

  #fill(queued: BackorderRecord, allocations: BackorderRecord['allocations'], at: Date): void {
    const by: OrderMovement = { orderId: queued._id, revision: 0, actor: { kind: 'system', id: 'backorders' }, at };
    this.#takeGoods(allocations, intentOf(queued), queued._id, by);
    this.#countWaiting(queued.skuCodes, -1);
    const handedOver = this.#withoutWms(allocations);
    this.#setBackorder(queued._id, { ...queued, state: 'filled', allocations, handedOver });
    this.filled.push({ orderId: queued._id, round: queued.round });
  }

  async #goodsFor(queued: BackorderRecord, open: readonly string[]): Promise<BackorderRecord['allocations'] | null> {
    const allocations = (await this.#isBehindOthers(queued, open)) ? null : this.#allocate(intentOf(queued));
    // Who brings another of its SKUs at this moment sees as little of our goods as we of theirs: one must see the other.
    if (!allocations) this.#meetOthers(queued.skuCodes);
    return allocations;
  }

  /** Makes our transaction conflict with every other one that moves these SKUs. */
  #meetOthers(skuCodes: readonly string[]): void {
    for (const skuCode of skuCodes) {
      const counters = this.#countersOf(skuCode);
      for (const { _id } of counters) this.#mark(this.#changed, _id);
      if (counters.length === 0) this.#mark(this.#guarded, skuCode);
    }
  }

  /** Somebody who does not want any of the SKUs just looked at stands before this one for another of its SKUs. */
  async #isBehindOthers(queued: BackorderRecord, open: readonly string[]): Promise<boolean> {
    for (const sku of queued.skuCodes) {
      if (open.includes(sku)) continue;
      const head = await this.#headOf(sku);
      if (head && byPaidAt(head, queued) < 0) return true;
    }
    return false;
  }

  /** Writes what changed, each counter only if it is as it was read. */
  async write(): Promise<void> {
    const session = this.#session;
    try {
      const writes = [...this.#changed].map((id) => this.#counterWrite(id));
      if (writes.length > 0) {
        const result = await stockCollection(this.#connection).bulkWrite(writes, { session });
        if (result.matchedCount + result.upsertedCount !== writes.length) throw new LostRace('a stock counter moved');
      }
      for (const _id of this.#guarded)
        await stockGuardCollection(this.#connection).updateOne(
          { _id },
          { $inc: { version: 1 } },
          { session, upsert: true },
        );
      if (this.#movements.length > 0)
        await movementCollection(this.#connection).insertMany(this.#movements, { session });
    } catch (error) {
      if ((error as { code?: number }).code === DUPLICATE_KEY)
        throw new LostRace('a counter or movement is new to somebody else too');
      throw error;
    }
    const queue = [...this.#changedBackorders].map((id): mongo.AnyBulkWriteOperation<BackorderRecord> => {
      const record = this.#backorders.get(id);
      return record
        ? { replaceOne: { filter: { _id: id }, replacement: record, upsert: true } }
        : { deleteOne: { filter: { _id: id } } };
    });
    if (queue.length > 0) await backorderCollection(this.#connection).bulkWrite(queue, { session });
  }

  #counterWrite(id: string): mongo.AnyBulkWriteOperation<StockRecord> {
    const record = this.#counters.get(id);
    if (!record) throw new LedgerMismatch(`no counter ${id}`);
    const { _id, version: _version, ...fields } = record;
    const read = this.#read.get(id);
    if (read === undefined)
      return { updateOne: { filter: { _id, version: 0 }, update: { $set: { ...fields, version: 1 } }, upsert: true } };
    return { updateOne: { filter: { _id, version: read }, update: { $set: { ...fields, version: read + 1 } } } };
  }

  #move(
    id: string,
    kind: MovementRecord['kind'],
    line: StockLine,
    delta: Delta,
    by: Omit<OrderMovement, 'orderId' | 'revision'> & { orderId: string | null; reason?: string | null },
  ): void {
    const counter = this.#counter(line.warehouseId, line.skuCode);
    this.#remember(counter);
    counter.onHand += delta.onHand ?? 0;
    counter.reserved += delta.reserved ?? 0;
    counter.awaitingQc += delta.awaitingQc ?? 0;
    counter.damaged += delta.damaged ?? 0;
    const available = counter.onHand - counter.reserved;
    if (available > counter.available) this.#mark(this.#increased, line.skuCode);
    counter.available = available;
    if (Math.min(counter.onHand, counter.reserved, counter.available, counter.awaitingQc, counter.damaged) < 0)
      throw new LedgerMismatch(`${kind} of ${line.quantity} would make a counter of ${counter._id} negative`);
    this.#mark(this.#changed, counter._id);
    this.#undo?.push(() => void this.#movements.pop());
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
    this.#assertKnown(warehouseId);
    const waiting = this.#countersOf(skuCode)[0]?.waiting ?? this.#newWaiting.get(skuCode) ?? 0;
    const fresh: StockRecord = {
      _id,
      warehouseId,
      skuCode,
      onHand: 0,
      reserved: 0,
      available: 0,
      awaitingQc: 0,
      damaged: 0,
      waiting,
      version: 0,
    };
    // Whoever joins the queue meanwhile counts itself on the counters that it sees.
    this.#meetOthers([skuCode]);
    this.#counters.set(_id, fresh);
    this.#undo?.push(() => void this.#counters.delete(_id));
    return fresh;
  }

  #countersOf(skuCode: string): StockRecord[] {
    return [...this.#counters.values()].filter((record) => record.skuCode === skuCode);
  }

  #assertKnown(warehouseId: string): void {
    if (this.#isListFresh || this.#warehouses.some((warehouse) => warehouse.warehouseId === warehouseId)) return;
    throw new StaleWarehouses(`warehouse ${warehouseId} is new`);
  }

  #remember(counter: StockRecord): void {
    if (!this.#undo) return;
    const before = { ...counter };
    this.#undo.push(() => void Object.assign(counter, before));
  }

  #mark(set: Set<string>, value: string): void {
    if (set.has(value)) return;
    set.add(value);
    this.#undo?.push(() => void set.delete(value));
  }

  /** Orders that wait for a SKU which no warehouse has ever had. */
  readonly #newWaiting = new Map<string, number>();

  /** Before the first goods of a SKU come, its queue is counted from the queue itself. */
  async countQueueOf(skuCodes: readonly string[]): Promise<void> {
    for (const skuCode of skuCodes) {
      if (this.#countersOf(skuCode).length > 0) continue;
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
    return chooseWarehouses(
      intent.lines,
      ids,
      (warehouseId, sku) => this.#counters.get(stockId(warehouseId, sku))?.available ?? 0,
    );
  }

  #takeGoods(
    allocations: BackorderRecord['allocations'],
    intent: ReserveIntent,
    orderId: string,
    by: OrderMovement,
  ): void {
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
    this.#setBackorder(orderId, {
      _id: orderId,
      round,
      paidAt,
      lines,
      skuCodes,
      province,
      city,
      state: 'waiting',
      allocations: [],
      handedOver: [],
    });
    this.#countWaiting(skuCodes, 1);
  }

  #countWaiting(skuCodes: readonly string[], change: 1 | -1): void {
    for (const record of skuCodes.flatMap((skuCode) => this.#countersOf(skuCode))) {
      this.#remember(record);
      record.waiting = Math.max(0, record.waiting + change);
    }
    this.#meetOthers(skuCodes);
  }

  #isWaitedFor(skuCode: string): boolean {
    return this.#countersOf(skuCode).some(({ waiting }) => waiting > 0);
  }

  async #isQueuedBefore(intent: ReserveIntent, orderId: string): Promise<boolean> {
    for (const sku of new Set(intent.lines.map(({ skuCode }) => skuCode))) {
      if (!this.#isWaitedFor(sku)) continue;
      const head = await this.#headOf(sku);
      if (head && byPaidAt(head, { _id: orderId, paidAt: intent.paidAt }) < 0) return true;
    }
    return false;
  }

  async #headOf(sku: string): Promise<BackorderRecord | null> {
    const known = this.#heads.get(sku);
    if (known !== undefined) return known;
    const changed = this.#changedQueueFor([sku]);
    // What this transaction has changed may stand before all that it has not.
    const stored = await this.#storedQueue([sku])
      .limit(this.#backorders.size + 1)
      .toArray();
    const first = [...stored.filter(({ _id }) => !this.#backorders.has(_id)), ...changed].sort(byPaidAt)[0] ?? null;
    this.#heads.set(sku, first);
    return first;
  }

  /** The queue in its order: as it stands in the database, with this transaction's changes on top. */
  async *#queueFor(skuCodes: readonly string[]): AsyncGenerator<BackorderRecord> {
    const changed = this.#changedQueueFor(skuCodes);
    const known = new Set(this.#backorders.keys());
    for await (const stored of this.#storedQueue(skuCodes).batchSize(FILL_PAGE)) {
      while (changed[0] && byPaidAt(changed[0], stored) < 0) yield changed.shift() as BackorderRecord;
      if (!known.has(stored._id)) yield stored;
    }
    yield* changed;
  }

  #storedQueue(skuCodes: readonly string[]): mongo.FindCursor<BackorderRecord> {
    const [first] = skuCodes;
    return backorderCollection(this.#connection)
      .find(
        { state: 'waiting', skuCodes: skuCodes.length === 1 && first !== undefined ? first : { $in: [...skuCodes] } },
        { session: this.#session },
      )
      .sort({ paidAt: 1, _id: 1 });
  }

  #changedQueueFor(skuCodes: readonly string[]): BackorderRecord[] {
    return [...this.#backorders.values()]
      .filter((record) => record !== null)
      .filter((record) => record.state === 'waiting' && record.skuCodes.some((sku) => skuCodes.includes(sku)))
      .sort(byPaidAt);
  }

  async #backorder(orderId: string): Promise<BackorderRecord | null> {
    const known = this.#backorders.get(orderId);
    if (known !== undefined) return known;
    const record = await backorderCollection(this.#connection).findOne({ _id: orderId }, { session: this.#session });
    this.#backorders.set(orderId, record);
    return record;
  }

  #setBackorder(orderId: string, record: BackorderRecord | null): void {
    const before = this.#backorders.get(orderId);
    this.#backorders.set(orderId, record);
    const forgetHeads = () => {
      for (const sku of [...(before?.skuCodes ?? []), ...(record?.skuCodes ?? [])]) this.#heads.delete(sku);
    };
    forgetHeads();
    this.#mark(this.#changedBackorders, orderId);
    this.#undo?.push(() => {
      if (before === undefined) this.#backorders.delete(orderId);
      else this.#backorders.set(orderId, before);
      forgetHeads();
    });
  }
}

const byPaidAt = (a: Pick<BackorderRecord, '_id' | 'paidAt'>, b: Pick<BackorderRecord, '_id' | 'paidAt'>): number =>
  a.paidAt < b.paidAt ? -1 : a.paidAt > b.paidAt ? 1 : a._id < b._id ? -1 : a._id > b._id ? 1 : 0;

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
