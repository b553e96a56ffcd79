import type { ClientSession, Connection, mongo } from 'mongoose';
import type { ReservationOutcome } from '../domain/order-step.ts';
import type { StockLine } from '../domain/order-quantities.ts';
import { byNearness, type Warehouse } from '../domain/stock-allocation.ts';
import { movementId, stockId } from '../domain/ids.ts';
import type { OrderStepRequest } from './commit-requests.ts';
import { linesBySku } from './stock-book.ts';
import { movementCollection, stockCollection, type MovementRecord, type StockRecord } from './stock-records.ts';

interface Change {
  reserve: number;
  release: number;
  ship: number;
}

export interface OptimisticPlan {
  changes: Map<string, Change>;
  movements: MovementRecord[];
  outcomes: Map<OrderStepRequest, ReservationOutcome>;
}

/** For this long nobody tries to take a SKU from a warehouse that has just not had enough of it, without reading first. */
const SHORTAGE_MEMORY_MS = 3000;

/**
 * The plain case of stock: goods are there, all in the nearest warehouse, and nobody queues. Then the counters move by
 * conditional writes alone, nothing is read; if one does not match, the plan is dropped and the ledger is read.
 */
export class OptimisticStock {
  readonly #connection: Connection;
  readonly #shortUntil = new Map<string, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `null` when a step needs more than the plain case. */
  plan(steps: readonly OrderStepRequest[], warehouses: readonly Warehouse[]): OptimisticPlan | null {
    const plan: OptimisticPlan = { changes: new Map(), movements: [], outcomes: new Map() };
    for (const step of steps) {
      if (step.stock.length > 1) return null;
      const [intent] = step.stock;
      if (!intent) continue;
      if (intent.kind === 'withdraw') return null;
      if (intent.kind === 'reserve') {
        const [nearest] = byNearness(warehouses, intent.province, intent.city);
        // A later round may have been filled by the queue; an early payment may go before the queue.
        if (!nearest || intent.round > 1 || intent.onlyWarehouseId !== undefined) return null;
        const lines = intent.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
        const allocations = [{ warehouseId: nearest.warehouseId, courier: null, lines }];
        for (const line of linesBySku({ lines: intent.lines, allocations })) {
          if (this.#isShort(line)) return null;
          const id = movementId.reserve(step.orderId, intent.round, line.warehouseId, line.skuCode);
          this.#add(plan, id, 'reserve', line, step);
        }
        const handedOver = nearest.hasWms ? [] : [nearest.warehouseId];
        plan.outcomes.set(step, { state: 'reserved', allocations, handedOver });
      } else
        for (const line of intent.lines) {
          const id = movementId[intent.kind](step.orderId, step.revision, line.warehouseId, line.skuCode);
          this.#add(plan, id, intent.kind, line, step);
        }
    }
    return plan;
  }

  /** False when a counter did not match: the transaction must be rolled back. */
  async write(plan: OptimisticPlan, session: ClientSession): Promise<boolean> {
    if (plan.changes.size === 0) return true;
    const writes = [...plan.changes].map(
      ([_id, { reserve, release, ship }]): mongo.AnyBulkWriteOperation<StockRecord> => {
        const filter: mongo.Filter<StockRecord> = { _id };
        if (reserve > 0) filter.available = { $gte: reserve };
        if (release + ship > 0) filter.reserved = { $gte: release + ship };
        // Whoever queues is served first, and is served when goods come free.
        if (reserve + release > 0) filter.waiting = 0;
        const $inc = { onHand: -ship, reserved: reserve - release - ship, available: release - reserve, version: 1 };
        return { updateOne: { filter, update: { $inc } } };
      },
    );
    const result = await stockCollection(this.#connection).bulkWrite(writes, { session, ordered: true });
    if (result.matchedCount !== writes.length) return false;
    await movementCollection(this.#connection).insertMany(plan.movements, { session });
    return true;
  }

  /** After a mismatch: what is short is read first for a while; what only happened to be in the same batch is not. */
  async noteShortages(plan: OptimisticPlan): Promise<void> {
    const wanted = [...plan.changes].filter(([, { reserve }]) => reserve > 0);
    if (wanted.length === 0) return;
    const found = await stockCollection(this.#connection)
      .find({ _id: { $in: wanted.map(([id]) => id) } }, { projection: { available: 1, waiting: 1 } })
      .toArray();
    const counters = new Map(found.map((record) => [record._id, record]));
    for (const [id, { reserve }] of wanted) {
      const counter = counters.get(id);
      if (!counter || counter.waiting > 0 || counter.available < reserve)
        this.#shortUntil.set(id, Date.now() + SHORTAGE_MEMORY_MS);
    }
  }

  #isShort(line: StockLine): boolean {
    const id = stockId(line.warehouseId, line.skuCode);
    const until = this.#shortUntil.get(id);
    if (until === undefined) return false;
    if (until > Date.now()) return true;
    this.#shortUntil.delete(id);
    return false;
  }

  #add(plan: OptimisticPlan, _id: string, kind: keyof Change, line: StockLine, step: OrderStepRequest): void {
    const { warehouseId, skuCode, quantity } = line;
    const id = stockId(warehouseId, skuCode);
    const change = plan.changes.get(id) ?? { reserve: 0, release: 0, ship: 0 };
    change[kind] += quantity;
    plan.changes.set(id, change);
    plan.movements.push({
      _id,
      at: step.at,
      kind,
      warehouseId,
      skuCode,
      onHand: kind === 'ship' ? -quantity : 0,
      reserved: kind === 'reserve' ? quantity : -quantity,
      awaitingQc: 0,
      damaged: 0,
      orderId: step.orderId,
      actor: step.actor,
      reason: null,
    });
  }
}
