import { test } from 'node:test';
import assert from 'node:assert/strict';
import { eventually } from '../support/temporal.ts';
import {
  CANCEL,
  deliver,
  hold,
  lineOf,
  paidSnapshot,
  pay,
  payment,
  release,
  ship,
  snapshotOf,
} from '../domain/samples.ts';
import { reinstatable, useOrders } from './order-bench.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { temporal, story } = useOrders();

test(
  'an ordinary order goes from the store to the buyer in three steps, three tasks and 23 events at most',
  story(async ({ ledger, start }) => {
    const lines = [lineOf('1', 2), lineOf('2', 1), lineOf('3', 1)];
    for (const { skuCode } of lines) ledger.receive('w1', skuCode ?? '', 5);
    const order = await start(paidSnapshot, { lines, timers: { paymentTimeoutMs: 1, autoCompleteMs: 0 } });
    // Without a query, for which this server makes a task.
    await eventually(() => assert.equal(order.view.status, 'awaiting_shipment'));
    assert.equal(await order.tell(ship('T1', { 1: 2, 2: 1, 3: 1 })), 'shipped');
    assert.equal(await order.tell(deliver('S1')), 'completed');
    assert.deepEqual(await order.handle.result(), { status: 'completed', revision: 3 });
    assert.deepEqual([order.actions, ledger.counter('w1', 'SKU-1')], [['opened', 'ship', 'deliver'], '3/0']);
    assert.ok(order.isChained);
    const events = await order.events();
    assert.ok(events.length <= 23, events.join('\n'));
    assert.equal(events.filter((event) => event === 'workflowTaskCompleted').length, 3);
  }),
);

test(
  'O1: unpaid for the payment time-out: cancelled within seconds of it, nothing reserved',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    await temporal.pass(1_795_000);
    assert.equal(order.view.status, 'pending_payment');
    await temporal.pass(10_000);
    await order.is('cancelled');
    const late = Date.parse(order.view.updatedAt) - Date.parse(order.view.placedAt) - 1_800_000;
    assert.ok(late >= 0 && late < 5000, `${late} ms after its time`);
    assert.deepEqual([ledger.counter('w1', 'SKU-1'), order.openCases], ['5/0', []]);
    assert.deepEqual(await order.handle.result(), { status: 'cancelled', revision: 2 });
  }),
);

test(
  'an order that comes in long after it was placed still has 60 s to be paid',
  story(async ({ start }) => {
    const order = await start(snapshotOf, { placedAt: '2026-01-01T00:00:00.000Z' });
    await order.is('pending_payment');
    await temporal.pass(55_000);
    assert.equal(order.view.status, 'pending_payment');
    await temporal.pass(6000);
    await order.is('cancelled');
  }),
);

test(
  'money that comes in two parts stops the payment timer with the second',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(snapshotOf);
    assert.equal(await order.tell(pay('p1', 500)), 'pending_payment');
    await temporal.pass(1_700_000);
    assert.equal(await order.tell(pay('p2', 1500)), 'awaiting_shipment');
    await temporal.pass(HOUR_MS);
    assert.deepEqual([order.view.status, order.actions], ['awaiting_shipment', ['opened', 'addPayment', 'addPayment']]);
  }),
);

test(
  'O2: an order cancelled unpaid is brought back by a new run, which owns it from then on',
  story(async ({ ledger, start, reinstate }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const first = await start(snapshotOf);
    await temporal.pass(31 * 60_000);
    await first.is('cancelled');
    const order = await reinstate(reinstatable(first.view.final, payment('p1', 2000)));
    await order.is('awaiting_shipment');
    assert.equal(ledger.counter('w1', 'SKU-1'), '5/2');
    assert.equal(await order.tell(ship('T1', { 1: 2 })), 'shipped');
    assert.equal(await order.tell(deliver('S1')), 'delivered');
    await temporal.pass(10 * DAY_MS);
    await order.is('completed');
  }),
);

test(
  'what cannot be brought back ends at once and changes nothing',
  story(async ({ start, reinstate }) => {
    const first = await start(snapshotOf);
    assert.equal(await first.tell(CANCEL), 'cancelled');
    const { revision, final } = first.view;
    const order = await reinstate(final);
    assert.deepEqual(await order.handle.result(), { status: 'cancelled', revision });
    assert.equal(order.view.revision, revision);
  }),
);

test(
  'a hold with an end ends by itself, on time',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    const until = new Date((await temporal.now()) + 2 * HOUR_MS).toISOString();
    assert.equal(await order.tell(hold('manual', until)), 'on_hold');
    assert.equal(await order.tell(hold('risk_review')), 'on_hold');
    await temporal.pass(HOUR_MS + 1_700_000);
    assert.deepEqual(
      order.view.holds.map(({ code }) => code),
      ['manual', 'risk_review'],
    );
    await temporal.pass(HOUR_MS);
    await eventually(() =>
      assert.deepEqual(
        order.view.holds.map(({ code }) => code),
        ['risk_review'],
      ),
    );
    assert.equal(await order.tell(release('risk_review', 'operations')), 'awaiting_shipment');
  }),
);

test(
  'K6: stock arrives for three backordered orders, enough for two: those that paid first go on at once',
  story(async ({ ledger, start }) => {
    const orders = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const order = await start(paidSnapshot);
      await order.is('backordered');
      await temporal.pass(1000);
      orders.push(order);
    }
    ledger.receive('w1', 'SKU-1', 5);
    await orders[0]?.is('awaiting_shipment');
    await orders[1]?.is('awaiting_shipment');
    assert.deepEqual([orders[2]?.view.status, ledger.counter('w1', 'SKU-1')], ['backordered', '5/4']);
  }),
);

test(
  'a lost word of the queue costs an hour at most',
  story(async ({ ledger, start }) => {
    const order = await start(paidSnapshot);
    await order.is('backordered');
    ledger.onFilled = () => undefined;
    ledger.receive('w1', 'SKU-1', 2);
    await temporal.pass(HOUR_MS - 60_000);
    assert.equal(order.view.status, 'backordered');
    await temporal.pass(120_000);
    await order.is('awaiting_shipment');
    assert.deepEqual([order.actions, ledger.counter('w1', 'SKU-1')], [['opened', 'stockReserved'], '2/2']);
  }),
);

test(
  'an order looks at the queue every hour without writing anything while nothing is there',
  story(async ({ ledger, start }) => {
    const order = await start(paidSnapshot);
    await order.is('backordered');
    await temporal.pass(6 * HOUR_MS);
    assert.ok(ledger.calls >= 6, `${ledger.calls} calls`);
    assert.deepEqual([order.view.revision, order.actions], [1, ['opened']]);
    assert.equal(await order.tell(CANCEL), 'cancelled');
    assert.deepEqual(ledger.queued(), []);
  }),
);

test(
  'two parcels from two warehouses, the second of them reminded of, and an end ten days after the last arrived',
  story(
    async ({ ledger, start }) => {
      ledger.receive('w1', 'SKU-1', 1);
      ledger.receive('w2', 'SKU-1', 1);
      const order = await start(paidSnapshot);
      await order.is('awaiting_shipment');
      assert.equal(await order.tell(ship('T1', { 1: 1 })), 'partially_shipped');
      await temporal.pass(3 * DAY_MS + HOUR_MS);
      await eventually(() => assert.deepEqual(order.actions, ['opened', 'ship', 'stillWaiting']));
      assert.equal(await order.tell(ship('T2', { 1: 1 }, 'w2')), 'shipped');
      assert.equal(await order.tell(deliver('S2')), 'shipped');
      assert.equal(await order.tell(deliver('S1')), 'delivered');
      await temporal.pass(10 * DAY_MS - HOUR_MS);
      assert.equal(order.view.status, 'delivered');
      await temporal.pass(2 * HOUR_MS);
      await order.is('completed');
    },
    'w1',
    'w2',
  ),
);

test(
  'K2: the rest of a partly sent order is cancelled: its goods are free at once, the order goes on as shipped',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot, { lines: [lineOf('1', 5)] });
    await order.is('awaiting_shipment');
    await order.tell(ship('T1', { 1: 2 }));
    assert.equal(await order.tell(CANCEL), 'shipped');
    assert.deepEqual([ledger.counter('w1', 'SKU-1'), order.openCases], ['3/0', ['refund_due']]);
    assert.equal(await order.tell(deliver('S1')), 'delivered');
  }),
);

test(
  'orders of one parcel leave together, told by the one that was sent',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 8);
    const orders = [await start(paidSnapshot), await start(paidSnapshot), await start(paidSnapshot)];
    const orderIds = orders.map(({ id }) => id);
    for (const order of orders) await order.tell({ type: 'joinParcel', groupId: 'g1', orderIds });
    const [first, second, third] = orders;
    await third?.tell(hold('manual'));
    assert.equal(await first?.tell(ship('T1', { 1: 2 })), 'shipped');
    await second?.is('shipped');
    assert.deepEqual([second?.view.shipments[0]?.trackingNo, ledger.counter('w1', 'SKU-1')], ['T1', '4/2']);
    assert.equal(third?.view.status, 'on_hold');
  }),
);
