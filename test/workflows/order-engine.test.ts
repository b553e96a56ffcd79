import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { eventually, useRealTemporal } from '../support/temporal.ts';
import { CANCEL, deliver, hold, lineOf, paidSnapshot, pay, ship, snapshotOf } from '../domain/samples.ts';
import { useOrders, type Order, type OrderBench } from './order-bench.ts';

const temporal = useRealTemporal();
const { story } = useOrders(temporal);

/** Goes back to before the last task: what it wrote is in the ledger, and the history does not know of it. */
const forgetLastTask = async (order: Order): Promise<void> => {
  const { events } = await order.newest.fetchHistory();
  const last = events?.findLast((event) => event.workflowTaskCompletedEventAttributes);
  await temporal.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: order.handle.workflowId },
    workflowTaskFinishEventId: last?.eventId ?? null,
    requestId: randomUUID(),
    // 1, 2: signals and updates that came after are not played again.
    resetReapplyExcludeTypes: [1, 2],
  });
};

test(
  'an ordinary order of three lines and a parcel costs 23 events and 4 transitions of the engine',
  story(async ({ ledger, start }) => {
    const lines = [lineOf('1', 1), lineOf('2', 1), lineOf('3', 1)];
    for (const { skuCode } of lines) ledger.receive('w1', skuCode ?? '', 5);
    const timers = { paymentTimeoutMs: 1, autoCompleteMs: 0 };
    const order = await start(paidSnapshot, { lines, timers, isEager: true });
    await order.is('awaiting_shipment');
    // What comes before the first task is over joins it.
    await order.details();
    await order.tell(ship('T1', { 1: 1, 2: 1, 3: 1 }));
    await order.tell(deliver('S1'));
    await order.handle.result();
    const events = await order.events();
    const { raw } = await order.newest.describe();
    const transitions = Number(raw.workflowExecutionInfo?.stateTransitionCount);
    assert.ok(events.length <= 23, events.join('\n'));
    assert.ok(transitions <= 4, `${transitions} transitions`);
  }),
);

test(
  'a command that the validator refuses leaves no event at all',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    await order.details();
    const before = await order.events();
    assert.equal(await order.tell(deliver('S1')), 'action_not_allowed');
    assert.equal(await order.tell(ship('T1', { 1: 9 })), 'rule_violation');
    assert.equal(await order.tell(pay('p2', 5), { expectedRevision: 9 }), 'stale_revision');
    assert.deepEqual(await order.events(), before);
  }),
);

test(
  'O9: a step that was written and then forgotten is made up for when another message comes first',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot, { lines: [lineOf('1', 3)] });
    await order.is('awaiting_shipment');
    await order.details();
    await order.tell(ship('T1', { 1: 2 }));
    await forgetLastTask(order);
    assert.equal(await order.tell(CANCEL), 'shipped');
    assert.deepEqual(order.actions, ['opened', 'ship', 'cancel']);
    assert.deepEqual([ledger.counter('w1', 'SKU-1'), order.view.shipments.length, order.view.revision], ['3/0', 1, 3]);
    assert.ok(order.isChained);
    assert.equal(await order.tell(deliver('S1')), 'delivered');
  }),
);

test(
  'O9: a step that was written and then forgotten is found when the same message comes again',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    await order.details();
    await order.tell(CANCEL);
    await forgetLastTask(order);
    assert.equal(await order.tell(CANCEL), 'cancelled');
    assert.deepEqual([order.actions, ledger.counter('w1', 'SKU-1')], [['opened', 'cancel'], '5/0']);
  }),
);

test(
  'O9: a forgotten end is found by whoever asks next',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(snapshotOf, {
      receivedAt: new Date(Date.now() - 59_000).toISOString(),
      placedAt: '2026-01-01T00:00:00.000Z',
    });
    await order.is('cancelled');
    await eventually(async () => assert.equal((await order.newest.describe()).status.name, 'COMPLETED'));
    await forgetLastTask(order);
    await eventually(async () => assert.equal((await order.newest.describe()).status.name, 'COMPLETED'));
    assert.deepEqual([order.actions, order.view.status], [['opened', 'paymentTimeout'], 'cancelled']);
  }),
);

/** These arrive together, in this order: nobody works the queue while they are sent. */
const askTogether = async <T>(
  { work }: ReturnType<OrderBench['ownQueue']>,
  worker: { stop(): Promise<void> },
  asks: (() => Promise<T>)[],
): Promise<T[]> => {
  await worker.stop();
  const answers: Promise<T>[] = [];
  for (const ask of asks) {
    answers.push(ask());
    await setTimeout(60);
  }
  await work();
  return Promise.all(answers);
};

test(
  'O9: of steps that one task asks for, each is written when the history has the one before',
  story(async (bench) => {
    const own = bench.ownQueue();
    const worker = await own.work();
    const order = await bench.start(snapshotOf, { taskQueue: own.taskQueue });
    await order.is('pending_payment');
    await order.details();
    const names = ['ann', 'bob', 'eve'];
    await askTogether(
      own,
      worker,
      names.map((username) => () => order.ask({ type: 'assign', username })),
    );
    assert.deepEqual([order.view.assignee, order.view.revision, bench.ledger.calls], ['eve', 4, 4]);
    const steps = (await order.events()).filter((event) =>
      /^(marker|activityTaskS|activityTaskC|workflowTaskC)/.test(event),
    );
    assert.deepEqual(steps.slice(2), [
      'workflowTaskCompleted',
      'markerRecorded',
      'activityTaskScheduled',
      'activityTaskStarted',
      'activityTaskCompleted',
      'workflowTaskCompleted',
      'markerRecorded',
    ]);
  }),
);

test(
  'whoever asks an order that is just ending is answered',
  story(async (bench) => {
    const own = bench.ownQueue();
    const worker = await own.work();
    const order = await bench.start(snapshotOf, { taskQueue: own.taskQueue });
    await order.is('pending_payment');
    await order.details();
    const answers = await askTogether(own, worker, [
      () => order.ask(CANCEL),
      () => order.ask(pay('p1', 2000)),
      () => order.ask({ type: 'assign', username: 'ann' }),
      () => order.ask(hold('manual')),
    ]);
    assert.deepEqual(
      answers.map((answer) => ('refusal' in answer ? answer.refusal.code : answer.revision)),
      [2, 3, 4, 'action_not_allowed'],
    );
    assert.deepEqual([order.view.status, order.openCases], ['cancelled', ['late_payment', 'refund_due']]);
    assert.deepEqual([order.view.assignee, order.view.final?.assignee], ['ann', 'ann']);
  }),
);
