import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { OrderDeskClient } from '../../api/orders/order-desk-client.ts';
import { eventually, useRealTemporal } from '../support/temporal.ts';
import { lineOf, paidSnapshot } from '../domain/samples.ts';
import { ORIGIN, useOrders, type Order } from './order-bench.ts';
import { report, Trade, traded } from './platform-trade.ts';

// The queues of warehouses and platforms have fixed names, and other files use the server too.
const temporal = useRealTemporal({ namespace: `outside-${randomUUID()}` });
const { story } = useOrders(temporal, { hasOutside: true });
const AT_ONCE = { paymentTimeoutMs: 1, autoCompleteMs: 0 };

/** Sent as the API sends: again, as the same update, when the run has just handed over. */
const assign = async (order: Order, ...usernames: string[]): Promise<void> => {
  const desk = new OrderDeskClient(temporal.client);
  for (const username of usernames)
    await desk.send(order.id, { updateId: username, command: { type: 'assign', username }, origin: ORIGIN });
};

const isFirstRun = async (order: Order): Promise<boolean> =>
  (await order.newest.describe()).runId === order.handle.firstExecutionRunId;

test(
  'a platform’s order over a warehouse’s system costs at most 38 events and 15 transitions of the engine',
  story(async (bench) => {
    bench.haveSystems('w1');
    const lines = [lineOf('1', 1), lineOf('2', 1), lineOf('3', 1)];
    for (const { skuCode } of lines) bench.ledger.receive('w1', skuCode ?? '', 5);
    const order = await bench.start(traded(), { lines, timers: AT_ONCE, isEager: true });
    await eventually(() => assert.equal(order.view.status, 'awaiting_shipment'));
    // What comes before a task is over joins it.
    await order.isQuiet();
    assert.equal(await order.tell(report(order, 'T1', { 1: 1, 2: 1, 3: 1 }, { isFinal: true })), 'shipped');
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    await order.isQuiet();
    await new Trade(order).says({ phase: 'finished' });
    assert.deepEqual(await order.handle.result(), { status: 'completed', revision: 5 });
    const events = await order.events();
    const { raw } = await order.newest.describe();
    const transitions = Number(raw.workflowExecutionInfo?.stateTransitionCount);
    assert.ok(events.length <= 38, events.join('\n'));
    assert.ok(transitions <= 15, `${transitions} transitions`);
  }),
);

test(
  'a run hands over to another while a warehouse cannot be reached: the next one asks it',
  story(async (bench) => {
    bench.haveSystems('w1');
    bench.ledger.receive('w1', 'SKU-1', 5);
    bench.outside.fail('handOver', { at: 'before', isFinal: true });
    const order = await bench.start(paidSnapshot, { continueAtEvents: 12 });
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    await assign(order, 'ann', 'bob');
    await order.is('awaiting_shipment');
    assert.ok(!(await isFirstRun(order)));
    assert.deepEqual([bench.outside.calls, bench.outside.book], [['handOver D1', 'handOver D1'], 'D1 taken']);
    assert.deepEqual([order.openCases, order.isChained], [[], true]);
  }),
);

test(
  'a run does not hand over while a warehouse is being asked',
  story(async (bench) => {
    bench.haveSystems('w1');
    bench.ledger.receive('w1', 'SKU-1', 5);
    const answer = bench.outside.hold('handOver');
    const order = await bench.start(paidSnapshot, { continueAtEvents: 8 });
    await order.is('processing');
    await assign(order, 'ann', 'bob');
    await order.details();
    assert.ok(await isFirstRun(order));
    answer();
    await order.is('awaiting_shipment');
    await eventually(async () => assert.ok(!(await isFirstRun(order))));
    assert.deepEqual([bench.outside.calls, bench.outside.book], [['handOver D1'], 'D1 taken']);
  }),
);

test(
  'a run hands over to another while a platform cannot be told: the next one tells it, and the order ends',
  story(async (bench) => {
    bench.haveSystems('w1');
    bench.ledger.receive('w1', 'SKU-1', 5);
    bench.outside.fail('tellPlatform', { at: 'before', isFinal: true });
    const order = await bench.start(traded(), { continueAtEvents: 30, timers: AT_ONCE });
    await order.is('awaiting_shipment');
    await order.tell(report(order, 'T1', { 1: 2 }));
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    await assign(order, 'ann', 'bob');
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    assert.ok(!(await isFirstRun(order)));
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'tellPlatform T1', 'tellPlatform T1']);
    assert.deepEqual(bench.outside.told, ['T1: 1']);
    await new Trade(order).says({ phase: 'finished' });
    await order.is('completed');
    assert.deepEqual([order.openCases, order.isChained], [[], true]);
  }),
);
