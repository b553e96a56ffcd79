import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { reservedStock } from '../../domain/order-quantities.ts';
import { chooseWarehouses } from '../../domain/stock-allocation.ts';
import { orderCollection } from '../../models/order-records.ts';
import { StepCommitter } from '../../models/step-committer.ts';
import { backorderCollection, movementCollection, stockCollection } from '../../models/stock-records.ts';
import {
  PlayedOrder,
  addWarehouses,
  ledgerSums,
  openDatabase,
  receive,
  storedCounters,
} from '../support/stored-orders.ts';

const connection = await openDatabase((opened) => void new StepCommitter(opened, { onFilled: () => {} }));
const WAREHOUSES = ['WH1', 'WH2'];
const SKUS = ['TEE', 'CAP'];
await addWarehouses(connection, ...WAREHOUSES);

type Action =
  | { kind: 'open'; units: Record<string, number>; minute: number }
  | { kind: 'ship' | 'cancel' | 'collect'; order: number; part: number }
  | { kind: 'allocate'; order: number; warehouseId: string }
  | { kind: 'receive'; warehouseId: string; skuCode: string; quantity: number };

const order = fc.nat({ max: 7 });
const warehouseId = fc.constantFrom(...WAREHOUSES);
const skuCode = fc.constantFrom(...SKUS);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      minute: fc.nat({ max: 59 }),
      units: fc.oneof(
        fc.record({ TEE: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ CAP: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ TEE: fc.integer({ min: 1, max: 5 }), CAP: fc.integer({ min: 1, max: 5 }) }),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('ship' as const, 'cancel' as const, 'collect' as const),
      order,
      part: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('allocate' as const), order, warehouseId }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('receive' as const),
      warehouseId,
      skuCode,
      quantity: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }) }, fc.constantFrom(-1, -3)),
    }),
  },
);

class Shop {
  readonly orders: PlayedOrder[] = [];
  readonly #hands = [1, 2].map(() => new StepCommitter(connection, { onFilled: () => {} }));
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** What runs at the same time never has two steps of one order in it: an order has one writer. */
  async play(actions: Action[]): Promise<void> {
    const busy = new Set<PlayedOrder>();
    await Promise.all(
      actions.map((one, index) => this.#do(one, this.#hands[index % this.#hands.length] as StepCommitter, busy)),
    );
  }

  async #do(one: Action, by: StepCommitter, busy: Set<PlayedOrder>): Promise<void> {
    if (one.kind === 'receive') {
      const { warehouseId, skuCode, quantity } = one;
      await receive(by, warehouseId, skuCode, quantity).catch(ignore('LedgerMismatch'));
      return;
    }
    if (one.kind === 'open') {
      const orderId = `${this.#name}.${this.orders.length}`;
      const paidAt = `2026-11-22T02:${String(one.minute).padStart(2, '0')}:00.000Z`;
      const fresh = new PlayedOrder({ orderId, units: one.units, paidAt });
      this.orders.push(fresh);
      busy.add(fresh);
      await fresh.store(connection);
      await fresh.apply(by, { type: 'opened' });
      return;
    }
    const known = this.orders[one.order];
    if (!known || busy.has(known)) return;
    busy.add(known);
    await this.#step(known, one, by).catch(ignore('NotPossible'));
  }

  async #step(
    known: PlayedOrder,
    one: Exclude<Action, { kind: 'open' | 'receive' }>,
    by: StepCommitter,
  ): Promise<void> {
    const { round, allocations } = known.state.reservation;
    if (one.kind === 'collect') await known.apply(by, { type: 'stockReserved', round });
    else if (one.kind === 'cancel') await known.apply(by, { type: 'cancel', reason: 'no' });
    else if (one.kind === 'allocate') await known.apply(by, { type: 'allocate', warehouseId: one.warehouseId });
    else {
      const from = allocations[0]?.warehouseId ?? 'WH1';
      const lines = reservedStock(known.state)
        .filter(({ warehouseId }) => warehouseId === from)
        .map(({ skuCode, quantity }) => ({ lineId: skuCode, quantity: Math.min(quantity, one.part) }));
      const trackingNo = `${known.orderId}-${known.state.shipments.length}`;
      await known.apply(by, { type: 'ship', warehouseId: from, courier: 'sf', trackingNo, lines });
    }
  }

  async check(): Promise<void> {
    const counters = await stockCollection(connection).find({}).toArray();
    const queue = await backorderCollection(connection).find({}).sort({ paidAt: 1, _id: 1 }).toArray();
    assert.deepEqual(await storedCounters(connection), await ledgerSums(connection));
    const promised = this.orders.flatMap(({ state }) => (state.ended ? [] : reservedStock(state)));
    for (const filled of queue.filter(({ state }) => state === 'filled'))
      for (const { warehouseId, lines } of filled.allocations)
        promised.push(...lines.map(({ lineId, quantity }) => ({ warehouseId, skuCode: lineId, quantity })));
    const waiting = queue.filter(({ state }) => state === 'waiting');
    for (const { warehouseId, skuCode, onHand, reserved, available, waiting: count } of counters) {
      const mine = promised.filter((line) => line.warehouseId === warehouseId && line.skuCode === skuCode);
      assert.equal(
        reserved,
        mine.reduce((sum, { quantity }) => sum + quantity, 0),
        `reserved of ${skuCode}`,
      );
      assert.equal(available, onHand - reserved);
      assert.ok(Math.min(onHand, reserved, available) >= 0);
      assert.equal(count, waiting.filter(({ skuCodes }) => skuCodes.includes(skuCode)).length, `queue of ${skuCode}`);
    }
    const availableAt = (warehouse: string, sku: string) =>
      counters.find(({ _id }) => _id === `${warehouse}/${sku}`)?.available ?? 0;
    for (const head of waiting) {
      const isFirst = head.skuCodes.every((sku) => waiting.find(({ skuCodes }) => skuCodes.includes(sku)) === head);
      if (isFirst)
        assert.equal(chooseWarehouses(head.lines, WAREHOUSES, availableAt), null, `${head._id} could be served`);
    }
  }
}

const ignore = (name: string) => (error: Error) => {
  const isRuleOfTheDomain = name === 'NotPossible' && /"kind":"(refused|unchanged)"/.test(error.message);
  if (error.name !== name && !isRuleOfTheDomain) throw error;
};

test('K7: whatever happens, at whatever time, the counters are the sums of the ledger and nobody is passed over', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(action, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
      async (rounds) => {
        for (const collection of [stockCollection, movementCollection, backorderCollection, orderCollection])
          await (collection(connection) as ReturnType<typeof orderCollection>).deleteMany({});
        run += 1;
        const shop = new Shop(`run${run}`);
        for (const actions of rounds) {
          await shop.play(actions);
          await shop.check();
        }
      },
    ),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 40), interruptAfterTimeLimit: 90_000 },
  );
});
