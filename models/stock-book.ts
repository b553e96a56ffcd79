import type { ClientSession, Connection } from 'mongoose';
import type { Actor } from '../domain/order-messages.ts';
import type { ReservationOutcome, StockIntent } from '../domain/order-step.ts';
import type { StockLine } from '../domain/order-quantities.ts';
import { byNearness, chooseWarehouses } from '../domain/stock-allocation.ts';
import { movementId, stockId } from '../domain/ids.ts';
import { BackorderQueue, byPaidAt } from './backorder-queue.ts';
import { StockCounters, type KnownWarehouses } from './stock-counters.ts';
import type { BackorderRecord, StockRecord } from './stock-records.ts';
import { UndoLog } from './undo-log.ts';

export { LedgerMismatch, LostRace, StaleWarehouses } from './stock-errors.ts';

export interface OrderMovement {
  orderId: string;
  revision: number;
  actor: Actor;
  at: Date;
}

type ReserveIntent = Extract<StockIntent, { kind: 'reserve' }>;
type Allocations = BackorderRecord['allocations'];

/** Of one transaction; the rest follows in the next. */
const MAX_FILLED = 300;

/**
 * The goods that one transaction deals with, in memory: read once, changed by any number of requests, written
 * conditionally at the end. Used where stock is short, queued for, split or received.
 */
export class StockBook {
  readonly #warehouses: KnownWarehouses;
  readonly #undo = new UndoLog();
  readonly #counters: StockCounters;
  readonly #queue: BackorderQueue;
  /** Orders that wait for a SKU which no warehouse has ever had. */
  readonly #newWaiting = new Map<string, number>();
  readonly filled: { orderId: string; round: number }[] = [];
  /** SKUs whose queue was not served to its end, because one transaction must not grow without bound. */
  readonly unserved = new Set<string>();

  constructor(connection: Connection, session: ClientSession, warehouses: KnownWarehouses) {
    this.#warehouses = warehouses;
    this.#counters = new StockCounters(connection, session, warehouses, this.#undo);
    this.#queue = new BackorderQueue(connection, session, this.#undo);
  }

  /** Everything since is undone when `run` refuses or throws: an order moves all its goods or none. */
  atomically<T>(run: () => Promise<T>, isRefused: (result: T) => boolean): Promise<T> {
    return this.#undo.atomically(run, isRefused);
  }

  async reserve(intent: ReserveIntent, movement: OrderMovement): Promise<ReservationOutcome> {
    const { orderId } = movement;
    await this.#counters.load(intent.lines.map(({ skuCode }) => skuCode));
    const queued = await this.#queue.get(orderId);
    if (queued?.round === intent.round) return this.#pickUp(queued);
    if (queued) await this.withdraw(queued.round, movement);
    const isBlocked = intent.onlyWarehouseId === undefined && (await this.#isQueuedBefore(intent, orderId));
    const allocations = isBlocked ? null : this.#allocate(intent);
    if (allocations) {
      this.#takeGoods(allocations, intent, orderId, movement);
      return { state: 'reserved', allocations, handedOver: this.#withoutWms(allocations) };
    }
    if (intent.onlyWarehouseId !== undefined) return { state: 'short' };
    this.#enqueue(intent, orderId);
    return { state: 'backordered' };
  }

  async withdraw(round: number, movement: OrderMovement): Promise<void> {
    const queued = await this.#queue.get(movement.orderId);
    if (!queued || queued.round !== round) return;
    if (queued.state === 'filled') await this.release(linesBySku(queued), movement);
    else {
      await this.#counters.load(queued.skuCodes);
      this.#counters.countWaiting(queued.skuCodes, -1);
      // Whoever stood behind this order may now be served.
      await this.serve(queued.skuCodes);
    }
    this.#queue.set(queued._id, null);
  }

  async release(lines: readonly StockLine[], movement: OrderMovement): Promise<void> {
    await this.#counters.load(lines.map(({ skuCode }) => skuCode));
    for (const line of lines) {
      const id = movementId.release(movement.orderId, movement.revision, line.warehouseId, line.skuCode);
      this.#counters.move(id, 'release', line, { reserved: -line.quantity }, movement);
    }
  }

  async ship(lines: readonly StockLine[], movement: OrderMovement): Promise<void> {
    await this.#counters.load(lines.map(({ skuCode }) => skuCode));
    for (const line of lines) {
      const id = movementId.ship(movement.orderId, movement.revision, line.warehouseId, line.skuCode);
      this.#counters.move(id, 'ship', line, { onHand: -line.quantity, reserved: -line.quantity }, movement);
    }
  }

  /** What has to be known before goods come or go without an order. */
  async prepare(lines: readonly StockLine[]): Promise<void> {
    const skuCodes = lines.map(({ skuCode }) => skuCode);
    await this.#counters.load(skuCodes);
    for (const sku of skuCodes)
      if (this.#counters.of(sku).length === 0) this.#newWaiting.set(sku, await this.#queue.countFor(sku));
  }

  /** Goods that come or go without an order; of lines that were prepared. */
  adjust(
    id: string,
    kind: 'receipt' | 'adjustment',
    line: StockLine,
    { actor, at, reason }: { actor: Actor; at: Date; reason: string | null },
  ): void {
    const by = { orderId: null, actor, at, reason };
    this.#counters.move(id, kind, line, { onHand: line.quantity }, by, this.#newWaiting.get(line.skuCode));
  }

  /** Units as they stand now; of lines that were prepared. */
  levelOf({ warehouseId, skuCode }: StockLine): Pick<StockRecord, 'onHand' | 'reserved'> {
    const { onHand = 0, reserved = 0 } = this.#counters.at(warehouseId, skuCode) ?? {};
    return { onHand, reserved };
  }

  /** Whoever asks for what it already waits for has the queue looked at again: a word that got lost costs time only. */
  async recheck(orderId: string, round: number): Promise<void> {
    const queued = await this.#queue.get(orderId);
    if (queued?.state === 'waiting' && queued.round === round) await this.serve(queued.skuCodes);
  }

  /** The queue for these SKUs is to be looked at, whether or not there is more of them. */
  async serve(skuCodes: readonly string[]): Promise<void> {
    await this.#counters.load(skuCodes);
    for (const sku of skuCodes) this.#undo.add(this.#counters.increased, sku);
  }

  /** Serves the queue for every SKU of which there is more than before; who cannot be served blocks those behind. */
  async fillBackorders(at: Date): Promise<void> {
    const { increased } = this.#counters;
    // Who is served no longer stands before others for any of its SKUs, so those are looked at next.
    while (increased.size > 0) {
      const open = [...increased].filter((sku) => this.#counters.isWaitedFor(sku));
      increased.clear();
      if (open.length > 0) await this.#serveQueueOf(open, at);
    }
  }

  async write(): Promise<void> {
    await this.#counters.write();
    await this.#queue.write();
  }

  async #serveQueueOf(open: readonly string[], at: Date): Promise<void> {
    const blocked = new Set<string>();
    for await (const queued of this.#queue.waitingFor(open)) {
      if (this.filled.length >= MAX_FILLED) {
        for (const sku of open) this.unserved.add(sku);
        return;
      }
      await this.#counters.load(queued.skuCodes);
      const isBlocked = queued.skuCodes.some((sku) => blocked.has(sku));
      const allocations = isBlocked ? null : await this.#goodsFor(queued, open);
      if (allocations) {
        this.#fill(queued, allocations, at);
        for (const sku of queued.skuCodes) if (!open.includes(sku)) this.#counters.increased.add(sku);
      } else for (const sku of queued.skuCodes) blocked.add(sku);
      if (open.every((sku) => blocked.has(sku))) return;
    }
  }

  #fill(queued: BackorderRecord, allocations: Allocations, at: Date): void {
    const by: OrderMovement = { orderId: queued._id, revision: 0, actor: { kind: 'system', id: 'backorders' }, at };
    this.#takeGoods(allocations, queued, queued._id, by);
    this.#counters.countWaiting(queued.skuCodes, -1);
    const handedOver = this.#withoutWms(allocations);
    this.#queue.set(queued._id, { ...queued, state: 'filled', allocations, handedOver });
    this.filled.push({ orderId: queued._id, round: queued.round });
  }

  async #goodsFor(queued: BackorderRecord, open: readonly string[]): Promise<Allocations | null> {
    const allocations = (await this.#isBehindOthers(queued, open)) ? null : this.#allocate(queued);
    // Who brings another of its SKUs at this moment sees as little of our goods as we of theirs: one must see the other.
    if (!allocations) this.#counters.meetOthers(queued.skuCodes);
    return allocations;
  }

  /** Somebody who does not want any of the SKUs just looked at stands before this one for another of its SKUs. */
  async #isBehindOthers(queued: BackorderRecord, open: readonly string[]): Promise<boolean> {
    for (const sku of queued.skuCodes) {
      if (open.includes(sku)) continue;
      const head = await this.#queue.headOf(sku);
      if (head && byPaidAt(head, queued) < 0) return true;
    }
    return false;
  }

  async #isQueuedBefore({ lines, paidAt }: ReserveIntent, orderId: string): Promise<boolean> {
    for (const sku of skusOf(lines)) {
      if (!this.#counters.isWaitedFor(sku)) continue;
      const head = await this.#queue.headOf(sku);
      if (head && byPaidAt(head, { _id: orderId, paidAt }) < 0) return true;
    }
    return false;
  }

  #allocate(wanted: Pick<ReserveIntent, 'lines' | 'province' | 'city' | 'onlyWarehouseId'>): Allocations | null {
    const { lines, province, city, onlyWarehouseId } = wanted;
    const byDistance = byNearness(this.#warehouses.list, province, city).map(({ warehouseId }) => warehouseId);
    const ids = onlyWarehouseId === undefined ? byDistance : [onlyWarehouseId];
    return chooseWarehouses(lines, ids, (warehouseId, sku) => this.#counters.at(warehouseId, sku)?.available ?? 0);
  }

  #takeGoods(
    allocations: Allocations,
    { lines, round }: Pick<ReserveIntent, 'lines' | 'round'>,
    orderId: string,
    by: OrderMovement,
  ): void {
    for (const line of linesBySku({ lines, allocations })) {
      const id = movementId.reserve(orderId, round, line.warehouseId, line.skuCode);
      this.#counters.move(id, 'reserve', line, { reserved: line.quantity }, by);
    }
  }

  #withoutWms(allocations: Allocations): string[] {
    const withWms = new Set(this.#warehouses.list.filter(({ hasWms }) => hasWms).map(({ warehouseId }) => warehouseId));
    return [...new Set(allocations.map(({ warehouseId }) => warehouseId))].filter((id) => !withWms.has(id));
  }

  #pickUp(queued: BackorderRecord): ReservationOutcome {
    // Still in the queue: nothing to write.
    if (queued.state === 'waiting') return { state: 'short' };
    this.#queue.set(queued._id, null);
    return { state: 'reserved', allocations: queued.allocations, handedOver: queued.handedOver };
  }

  #enqueue({ round, paidAt, lines, province, city }: ReserveIntent, orderId: string): void {
    const skuCodes = skusOf(lines);
    const wanted = { round, paidAt, lines, skuCodes, province, city };
    this.#queue.set(orderId, { _id: orderId, ...wanted, state: 'waiting', allocations: [], handedOver: [] });
    this.#counters.countWaiting(skuCodes, 1);
  }
}

const skusOf = (lines: ReserveIntent['lines']): string[] => [...new Set(lines.map(({ skuCode }) => skuCode))];

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
