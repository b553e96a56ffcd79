import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually, useRealTemporal } from '../support/temporal.ts';
import { lineOf } from '../domain/samples.ts';
import { useOrders } from './order-bench.ts';
import { report, Trade, traded } from './platform-trade.ts';

// The queues of warehouses and platforms have fixed names, and other files use the server too.
const temporal = useRealTemporal({ namespace: `cost-${randomUUID()}` });
const { story } = useOrders(temporal, { hasOutside: true });

test(
  'a platform’s order over a warehouse’s system costs at most 38 events and 15 transitions of the engine',
  story(async (bench) => {
    bench.haveSystems('w1');
    const lines = [lineOf('1', 1), lineOf('2', 1), lineOf('3', 1)];
    for (const { skuCode } of lines) bench.ledger.receive('w1', skuCode ?? '', 5);
    const timers = { paymentTimeoutMs: 1, autoCompleteMs: 0 };
    const order = await bench.start(traded(), { lines, timers, isEager: true });
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
