import { test } from 'node:test';
import assert from 'node:assert/strict';
import { caseResolvedSignal, searchAttributes } from '../../workflows/contract.ts';
import { LedgerMismatch } from '../../models/stock-book.ts';
import { eventually } from '../support/temporal.ts';
import { deliver, hold, paidSnapshot, pay, ship, snapshotOf } from '../domain/samples.ts';
import type { FakeLedger } from '../support/fake-ledger.ts';
import { useOrders, type Order } from './order-bench.ts';

const HOUR_MS = 3_600_000;
const { temporal, story } = useOrders();

const isExhausted = async (order: Order): Promise<boolean> => {
  const { typedSearchAttributes } = await order.newest.describe();
  return typedSearchAttributes.get(searchAttributes.caseCode)?.includes('activity_exhausted') ?? false;
};

for (const at of ['before', 'after'] as const)
  for (const { how, times, steps } of [
    { how: 'every step fails once', times: 1, steps: [1, 2, 3] },
    { how: 'a step fails until an ordinary activity takes over', times: 3, steps: [2] },
    { how: 'a step fails as an ordinary activity, too', times: 5, steps: [2] },
  ])
    test(
      `O9: ${how}, ${at} its effect: the order completes, each effect is there once`,
      story(async ({ ledger, start }) => {
        ledger.receive('w1', 'SKU-1', 5);
        for (const revision of steps) ledger.fail({ at, times, when: (request) => request.revision === revision });
        const order = await start(paidSnapshot, { timers: { paymentTimeoutMs: 1, autoCompleteMs: 0 } });
        // Time passes between the tries of an ordinary activity.
        const told = (async () => {
          await order.is('awaiting_shipment');
          assert.equal(await order.tell(ship('T1', { 1: 2 })), 'shipped');
          assert.equal(await order.tell(deliver('S1')), 'completed');
        })();
        await Promise.all([told, passWhile(told)]);
        assert.deepEqual([order.actions, ledger.counter('w1', 'SKU-1')], [['opened', 'ship', 'deliver'], '3/0']);
        assert.equal(ledger.calls, 3 + steps.length * times);
        assert.ok(order.isChained);
      }),
    );

/** The three local tries are over; within a task this server's clock cannot be moved on. */
const isTriedDurably = (ledger: FakeLedger): Promise<void> => eventually(() => assert.ok(ledger.calls > 4));

/** Lets virtual time pass until `work` is done. */
const passWhile = async (work: Promise<unknown>): Promise<void> => {
  let isDone = false;
  const note = () => void (isDone = true);
  work.then(note, note);
  while (!isDone) await temporal.pass(2000);
};

test(
  'O10: the store is away for a minute: the order waits, commands are answered afterwards',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    ledger.away();
    const shipped = order.tell(ship('T1', { 1: 2 }));
    await isTriedDurably(ledger);
    await temporal.pass(60_000);
    assert.equal(order.view.status, 'awaiting_shipment');
    ledger.recover();
    await Promise.all([passWhile(shipped), shipped]);
    assert.deepEqual([await shipped, order.openCases, ledger.counter('w1', 'SKU-1')], ['shipped', [], '3/0']);
    assert.ok(!(await isExhausted(order)));
  }),
);

test(
  'a store that is away for hours makes the order findable, and the order goes on by itself when it is back',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    ledger.away();
    const held = order.tell(hold('manual'));
    await isTriedDurably(ledger);
    await temporal.pass(1.2 * HOUR_MS);
    await eventually(async () => assert.ok(await isExhausted(order)));
    assert.match(await order.details(), /^awaiting_shipment: step 2 \(hold\) could not be written/);
    ledger.recover();
    await Promise.all([passWhile(held), held]);
    assert.equal(await held, 'on_hold');
    await eventually(async () => assert.ok(!(await isExhausted(order))));
    assert.deepEqual([order.actions, order.openCases], [['opened', 'hold'], []]);
  }),
);

test(
  'a step that the ledger contradicts becomes a case at once; when it is resolved the order goes on, once',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    const error = new LedgerMismatch('counters are wrong');
    ledger.fail({ at: 'before', times: Infinity, when: ({ revision }) => revision === 2, error });
    const shipped = order.tell(ship('T1', { 1: 2 }));
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    const [caseId = ''] = ledger.caseIds(order.id, 'activity_exhausted');
    // Resolved although nothing has changed: another case, because it still does not go.
    ledger.resolveCase(caseId);
    await order.newest.signal(caseResolvedSignal, { caseId });
    await eventually(() => assert.equal(ledger.caseIds(order.id, 'activity_exhausted').length, 2));
    const [, again = ''] = ledger.caseIds(order.id, 'activity_exhausted');
    ledger.recover();
    ledger.resolveCase(again);
    await order.newest.signal(caseResolvedSignal, { caseId: again });
    assert.equal(await shipped, 'shipped');
    assert.deepEqual([ledger.counter('w1', 'SKU-1'), order.openCases], ['3/0', []]);
    await eventually(async () => assert.ok(!(await isExhausted(order))));
    assert.deepEqual(order.actions, ['opened', 'ship']);
  }),
);

test(
  'a step that fails for an hour becomes a case; when it goes through after all, it closes the case itself',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 2);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    ledger.fail({ at: 'before', times: Infinity, when: ({ revision }) => revision === 2 });
    const held = order.tell(hold('manual'));
    await isTriedDurably(ledger);
    await temporal.pass(0.9 * HOUR_MS);
    assert.deepEqual(order.openCases, []);
    await temporal.pass(0.2 * HOUR_MS);
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    ledger.recover();
    await Promise.all([passWhile(held), held]);
    await eventually(() => assert.deepEqual(order.openCases, []));
    assert.deepEqual(order.actions, ['opened', 'hold', 'stepRecovered']);
    assert.ok(order.isChained);
  }),
);

test(
  'the payment time-out that finds the store away cancels later, unless the money came before',
  story(async ({ ledger, start }) => {
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    ledger.away();
    const paid = order.ask(pay('p1', 2000));
    await isTriedDurably(ledger);
    await temporal.pass(HOUR_MS);
    ledger.recover();
    await Promise.all([passWhile(paid), paid]);
    assert.deepEqual([order.view.status, order.actions.slice(0, 2)], ['backordered', ['opened', 'addPayment']]);
  }),
);
