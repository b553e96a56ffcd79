import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { OrderCommand } from '../../domain/order-messages.ts';
import { commandUpdates, stockReservedSignal } from '../../workflows/contract.ts';
import { eventually } from '../support/temporal.ts';
import { CANCEL, deliver, hold, lineOf, paidSnapshot, pay, release, ship, snapshotOf } from '../domain/samples.ts';
import { ORIGIN, useOrders, type Order } from './order-bench.ts';

const { story } = useOrders();

/** Nothing that `ask` asks comes into the history; this server keeps the tasks in which it was refused, a real one does not. */
const leavesNoTrace = async (order: Order, ask: () => Promise<void>): Promise<void> => {
  const events = async () => {
    // A query is answered when the task before it is over.
    await order.details();
    return (await order.events()).filter((event) => !event.startsWith('workflowTask'));
  };
  const before = await events();
  await ask();
  assert.deepEqual(await events(), before);
};

test(
  'what a validator refuses leaves nothing in the history, and says what is possible',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    await leavesNoTrace(order, async () => {
      for (const [command, code] of [
        [deliver('S1'), 'action_not_allowed'],
        [ship('T1', { 1: 3 }), 'rule_violation'],
        [release('manual', 'admin'), 'action_not_allowed'],
        [{ ...pay('p2', 5), currency: 'USD' } as OrderCommand, 'rule_violation'],
        [pay('p1', 5), 'conflict'],
      ] as const) {
        const answer = await order.ask(command);
        assert.ok('refusal' in answer && answer.isRejected && answer.refusal.code === code, JSON.stringify(answer));
      }
    });
    assert.equal(order.view.revision, 1);
  }),
);

test(
  'a command at an old revision is refused as stale, at the one that stands it is carried out',
  story(async ({ start }) => {
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    assert.equal(await order.tell(hold('manual'), { expectedRevision: 1 }), 'on_hold');
    await leavesNoTrace(order, async () => {
      assert.equal(await order.tell(hold('risk_review'), { expectedRevision: 1 }), 'stale_revision');
    });
    assert.equal(await order.tell(hold('risk_review'), { expectedRevision: 2 }), 'on_hold');
  }),
);

test(
  'of two commands that ask for the same revision at the same time one is carried out',
  story(async ({ ledger, start }) => {
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    ledger.fail({ at: 'slow', delayMs: 200, when: ({ revision }) => revision === 2 });
    const answers = await Promise.all([
      order.ask({ type: 'assign', username: 'ann' }, { expectedRevision: 1 }),
      order.ask({ type: 'assign', username: 'bob' }, { expectedRevision: 1 }),
    ]);
    const refusals = answers.flatMap((answer) => ('refusal' in answer ? [answer.refusal.code] : []));
    assert.deepEqual([refusals, order.view.revision], [['stale_revision'], 2]);
  }),
);

test(
  'the same command again changes nothing and answers the same revision',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    const twice = async (command: OrderCommand): Promise<void> => {
      const first = await order.ask(command);
      assert.deepEqual(await order.ask(command), first, JSON.stringify(command));
    };
    await twice({ type: 'assign', username: 'ann' });
    await twice(hold('manual'));
    await order.tell(release('manual', 'operations'));
    await twice(pay('p1', 2000));
    await twice(ship('T1', { 1: 2 }));
    await twice(deliver('S1'));
    assert.deepEqual(order.actions, ['opened', 'assign', 'hold', 'release', 'ship', 'deliver']);
    assert.equal(ledger.counter('w1', 'SKU-1'), '3/0');
  }),
);

test(
  'the same update sent twice is one command',
  story(async ({ start }) => {
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    const send = () =>
      order.newest.executeUpdate(commandUpdates.addPayment, {
        args: [{ command: pay('p1', 500), origin: ORIGIN }],
        updateId: 'the-same',
      });
    const [first, second] = await Promise.all([send(), send()]);
    assert.deepEqual([first, await send()], [second, second]);
    assert.equal(order.view.revision, 2);
  }),
);

test(
  'many commands at the same time are applied one after the other, each once',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 20);
    const order = await start(paidSnapshot, { lines: [lineOf('1', 8)] });
    await order.is('awaiting_shipment');
    const parcels = Array.from({ length: 8 }, (_, index) => order.tell(ship(`T${index}`, { 1: 1 })));
    await Promise.all(parcels);
    await order.is('shipped');
    assert.deepEqual([order.view.shipments.length, ledger.counter('w1', 'SKU-1')], [8, '12/0']);
    assert.ok(order.isChained);
  }),
);

test(
  'of a cancel and a parcel at the same time, whichever comes first decides for both',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 2);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    ledger.fail({ at: 'slow', delayMs: 100 });
    const answers = await Promise.all([order.tell(ship('T1', { 1: 2 })), order.tell(CANCEL)]);
    assert.ok(answers.includes('action_not_allowed'), answers.join());
    assert.ok(['2/0', '0/0'].includes(ledger.counter('w1', 'SKU-1')));
  }),
);

test(
  'a command that reaches an order before it is opened waits for that, and is judged then',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 2);
    ledger.fail({ at: 'slow', delayMs: 150 });
    const order = await start(paidSnapshot);
    const answers = await Promise.all([
      order.tell(ship('T1', { 1: 2 })),
      order.tell(deliver('S9')),
      // Nonsense does not stop the order either.
      order.ask({ type: 'ship' } as OrderCommand),
      order.ask({ type: 'addPayment' } as OrderCommand),
      order.ask({ type: 'changeAddress' } as OrderCommand),
    ]);
    assert.equal(answers[0], 'shipped');
    for (const answer of answers.slice(2)) assert.ok(typeof answer === 'object' && 'refusal' in answer);
    assert.deepEqual(order.actions, ['opened', 'ship']);
  }),
);

test(
  'nonsense, and commands under the name of another, are refused and leave nothing',
  story(async ({ start }) => {
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    await leavesNoTrace(order, async () => {
      for (const args of [
        [],
        [null],
        [{}],
        [{ command: { type: 'cancel' } }],
        [{ command: { type: 'hold' }, origin: ORIGIN }],
      ])
        await assert.rejects(order.newest.executeUpdate('cancel', { args: args as [unknown] }));
      for (const command of [
        { type: 'addPayment' },
        { type: 'changeAddress' },
        { ...pay('p1', 1), payment: { amount: '5' } },
      ])
        assert.ok('refusal' in (await order.ask(command as OrderCommand)));
    });
  }),
);

test(
  'goods that a warehouse does not have are not allocated to it, and the order keeps what it has',
  story(
    async ({ ledger, start }) => {
      ledger.receive('w1', 'SKU-1', 2);
      ledger.receive('w2', 'SKU-1', 1);
      const order = await start(paidSnapshot);
      await order.is('awaiting_shipment');
      assert.equal(await order.tell({ type: 'allocate', warehouseId: 'w2' }), 'rule_violation');
      assert.deepEqual([ledger.counter('w1', 'SKU-1'), ledger.counter('w2', 'SKU-1')], ['2/2', '1/0']);
      ledger.receive('w2', 'SKU-1', 1);
      assert.equal(await order.tell({ type: 'allocate', warehouseId: 'w2' }), 'awaiting_shipment');
      assert.deepEqual([ledger.counter('w1', 'SKU-1'), ledger.counter('w2', 'SKU-1')], ['2/0', '2/2']);
      assert.equal(order.view.revision, 2);
    },
    'w1',
    'w2',
  ),
);

test(
  'signals never throw: news that are not understood, late or repeated change nothing',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 2);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    const news = ['stockReserved', 'skuMapped', 'caseResolved', 'parcelShipped', 'neverHeardOf'];
    for (const name of news)
      for (const payload of [
        undefined,
        null,
        'text',
        7,
        [],
        {},
        { round: '1', caseId: 5, platformSku: {}, courier: '' },
      ])
        await order.newest.signal(name, ...(payload === undefined ? [] : [payload]));
    for (let round = 0; round < 3; round += 1) await order.newest.signal(stockReservedSignal, { round });
    assert.equal(await order.tell({ type: 'assign', username: 'ann' }), 'awaiting_shipment');
    await eventually(() => assert.deepEqual(order.actions, ['opened', 'assign']));
    const tasks = (await order.events()).filter((event) => event === 'workflowTaskFailed');
    assert.deepEqual(tasks, []);
  }),
);

test(
  'an unknown SKU that is mapped lets the order go on, and closes its case',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'A', 2);
    const order = await start(paidSnapshot, { lines: [lineOf('1', 2, { skuCode: null, platformSku: 'P1' })] });
    await order.is('on_hold');
    assert.deepEqual(order.openCases, ['unknown_sku']);
    await order.newest.signal('skuMapped', { platformSku: 'P2', skuCode: 'A' });
    await order.newest.signal('skuMapped', { platformSku: 'P1', skuCode: 'A' });
    await order.newest.signal('skuMapped', { platformSku: 'P1', skuCode: 'B' });
    await order.is('awaiting_shipment');
    assert.deepEqual([order.openCases, order.actions, ledger.counter('w1', 'A')], [[], ['opened', 'skuMapped'], '2/2']);
  }),
);
