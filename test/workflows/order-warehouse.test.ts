import { test } from 'node:test';
import assert from 'node:assert/strict';
import { caseResolvedSignal } from '../../workflows/contract.ts';
import { eventually } from '../support/temporal.ts';
import { CANCEL, deliver, hold, lineOf, paidSnapshot, release, ship } from '../domain/samples.ts';
import { useOrders, type Order, type OrderBench } from './order-bench.ts';
import { receiverIn, report } from './platform-trade.ts';

const HOUR_MS = 3_600_000;
const { temporal, story } = useOrders(undefined, { hasOutside: true });
const AT_ONCE = { timers: { paymentTimeoutMs: 1_800_000, autoCompleteMs: 0 } };

/** Every warehouse has a system of its own, and five of each of the goods. */
const withSystems = (tell: (bench: OrderBench) => Promise<void>, ...warehouseIds: string[]) =>
  story(
    async (bench) => {
      const ids = warehouseIds.length > 0 ? warehouseIds : ['w1'];
      bench.haveSystems(...ids);
      if (ids.length === 1) for (const sku of ['SKU-1', 'SKU-2']) bench.ledger.receive('w1', sku, 5);
      await tell(bench);
    },
    ...warehouseIds,
  );

/** A unit each in two warehouses, so that an order of two takes both. */
const inTwoWarehouses = (tell: (bench: OrderBench) => Promise<void>) =>
  withSystems(
    async (bench) => {
      for (const warehouseId of ['w1', 'w2']) bench.ledger.receive(warehouseId, 'SKU-1', 1);
      await tell(bench);
    },
    'w1',
    'w2',
  );

const books = ({ outside }: OrderBench, expected: string): Promise<void> =>
  eventually(() => assert.equal(outside.book, expected));

const holds = (order: Order): string[] => order.view.holds.map(({ code }) => code);

/** Lets virtual time pass until `check` holds. */
const inTime = (check: () => unknown): Promise<unknown> => {
  let isDone = false;
  const seen = eventually(check, 20_000).finally(() => (isDone = true));
  const passing = async () => {
    while (!isDone) await temporal.pass(2000);
  };
  return Promise.all([seen, passing()]);
};

test(
  'a paid order is handed over to its warehouse, once, and leaves on the word of its system',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot, AT_ONCE);
    await order.is('awaiting_shipment');
    assert.deepEqual(
      [...bench.outside.deliveries],
      [['D1', { warehouseId: 'w1', goods: '1×2', district: '西湖区', state: 'taken' }]],
    );
    assert.equal(await order.tell(ship('T1', { 1: 2 })), 'action_not_allowed');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '3/0');
    assert.equal(await order.tell(deliver('S1')), 'completed');
    await order.handle.result();
    assert.deepEqual(order.actions, ['opened', 'handedOver', 'reportParcels', 'deliver']);
    assert.deepEqual(bench.outside.calls, ['handOver D1']);
  }),
);

test(
  'nothing is handed over while a hold stands, and everything when it ends',
  withSystems(async (bench) => {
    const release1 = bench.outside.hold('handOver');
    const order = await bench.start(paidSnapshot, { receiver: { ...receiverIn('西湖区'), missing: ['phone'] } });
    await order.is('on_hold');
    assert.deepEqual([bench.outside.calls, bench.ledger.counter('w1', 'SKU-1')], [[], '5/2']);
    assert.equal(await order.tell(release('address_incomplete', 'operations')), 'processing');
    release1();
    await order.is('awaiting_shipment');
    assert.equal(bench.outside.book, 'D1 taken');
  }),
);

test(
  'a hold calls back what was handed over; when it ends, the goods are asked for anew under another code',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    assert.equal(await order.tell(hold('manual')), 'on_hold');
    await books(bench, 'D1 stopped');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'action_not_allowed');
    assert.equal(await order.tell(release('manual', 'operations')), 'processing');
    await order.is('awaiting_shipment');
    assert.equal(bench.outside.book, 'D1 stopped, D2 taken');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 }, { delivery: 'D2' })), 'shipped');
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '3/0');
  }),
);

test(
  'a hold that ends while the warehouse is still being asked to stop waits for its answer',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('stopDelivery');
    await order.tell(hold('manual'));
    assert.equal(await order.tell(release('manual', 'operations')), 'awaiting_shipment');
    await order.details();
    answer();
    await books(bench, 'D1 stopped, D2 taken');
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1', 'handOver D2']);
  }),
);

test(
  'a hold that comes too late is told to people, and the goods leave in spite of it',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    bench.outside.pack('D1');
    await order.tell(hold('manual'));
    await eventually(() => assert.deepEqual(order.openCases, ['wms_refused']));
    assert.equal(order.view.status, 'on_hold');
    // It is not asked again and again.
    assert.equal(await order.tell(hold('risk_review')), 'on_hold');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1']);
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '3/0');
  }),
);

test(
  'a cancel is answered when the warehouse has stopped; the stock is free then, once',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('stopDelivery');
    let said = '';
    const cancelled = order.tell(CANCEL).then((status) => (said = status));
    await eventually(() => assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1']));
    // Asked twice, cancelled once.
    const again = order.tell(CANCEL);
    await order.details();
    assert.deepEqual([said, bench.ledger.counter('w1', 'SKU-1')], ['', '5/2']);
    assert.match(await order.details(), /waits for warehouses to stop, to be cancelled then/);
    answer();
    assert.deepEqual([await cancelled, await again], ['cancelled', 'cancelled']);
    assert.deepEqual([bench.outside.book, bench.ledger.counter('w1', 'SKU-1')], ['D1 stopped', '5/0']);
    assert.deepEqual(
      [order.actions, order.openCases],
      [['opened', 'handedOver', 'cancel', 'deliveryStopped'], ['refund_due']],
    );
    assert.deepEqual(await order.handle.result(), { status: 'cancelled', revision: 4 });
  }),
);

test(
  'a cancel while the warehouse is still being asked for the goods waits for that, and stops them then',
  withSystems(async (bench) => {
    const answer = bench.outside.hold('handOver');
    const order = await bench.start(paidSnapshot);
    await order.is('processing');
    const cancelled = order.tell(CANCEL);
    await eventually(() => assert.deepEqual(order.actions, ['opened', 'cancel']));
    await order.details();
    assert.deepEqual(bench.outside.calls, ['handOver D1']);
    answer();
    assert.equal(await cancelled, 'cancelled');
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1']);
    assert.deepEqual([bench.outside.book, bench.ledger.counter('w1', 'SKU-1')], ['D1 stopped', '5/0']);
  }),
);

test(
  'O6: cancelled when the goods are packed: the warehouse refuses to stop, the caller is told, the order goes on',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot, AT_ONCE);
    await order.is('awaiting_shipment');
    bench.outside.pack('D1');
    const answer = await order.ask(CANCEL);
    assert.ok('refusal' in answer && !answer.isRejected, JSON.stringify(answer));
    assert.equal(answer.refusal.code, 'action_not_allowed');
    assert.ok(answer.refusal.allowedActions?.includes('cancel'), JSON.stringify(answer.refusal));
    assert.deepEqual(
      [order.view.status, order.openCases, bench.ledger.counter('w1', 'SKU-1')],
      ['awaiting_shipment', [], '5/2'],
    );
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    assert.equal(await order.tell(deliver('S1')), 'completed');
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '3/0');
  }),
);

test(
  'O6: of two warehouses one cannot stop: the cancel is refused, and the other is asked for its goods anew',
  inTwoWarehouses(async (bench) => {
    const order = await bench.start(paidSnapshot, AT_ONCE);
    await order.is('awaiting_shipment');
    assert.equal(bench.outside.book, 'D1 taken, D2 taken');
    bench.outside.pack('D2');
    assert.equal(await order.tell(CANCEL), 'action_not_allowed');
    await books(bench, 'D1 stopped, D2 packed, D3 taken');
    await order.is('awaiting_shipment');
    const [d2, d3] = ['D2', 'D3'].map((code) => bench.outside.deliveries.get(code)?.warehouseId ?? '');
    assert.equal(
      await order.tell(report(order, 'T2', { 1: 1 }, { delivery: 'D2', warehouseId: d2 })),
      'partially_shipped',
    );
    assert.equal(await order.tell(report(order, 'T3', { 1: 1 }, { delivery: 'D3', warehouseId: d3 })), 'shipped');
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), bench.ledger.counter('w2', 'SKU-1')], ['0/0', '0/0']);
  }),
);

test(
  'O6: the refusal of one warehouse comes before the other has stopped: nothing is cancelled then either',
  inTwoWarehouses(async (bench) => {
    const order = await bench.start(paidSnapshot, AT_ONCE);
    await order.is('awaiting_shipment');
    bench.outside.pack('D2');
    const answer = bench.outside.hold('stopDelivery', 'D1');
    assert.equal(await order.tell(CANCEL), 'action_not_allowed');
    assert.equal(bench.outside.book, 'D1 taken, D2 packed');
    // Asked once more while the first has not answered yet: the second refuses again.
    assert.equal(await order.tell(CANCEL), 'action_not_allowed');
    answer();
    await books(bench, 'D1 stopped, D2 packed, D3 taken');
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), bench.ledger.counter('w2', 'SKU-1')], ['1/1', '1/1']);
  }),
);

test(
  'both warehouses stop: everything is cancelled, with the last of them',
  inTwoWarehouses(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    assert.equal(await order.tell(CANCEL), 'cancelled');
    assert.equal(bench.outside.book, 'D1 stopped, D2 stopped');
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), bench.ledger.counter('w2', 'SKU-1')], ['1/0', '1/0']);
  }),
);

test(
  'goods that leave while the warehouse is asked to stop them were not cancelled, and the caller is told',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot, AT_ONCE);
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('stopDelivery');
    const cancelled = order.tell(CANCEL);
    await eventually(() => assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1']));
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    assert.equal(await cancelled, 'action_not_allowed');
    bench.outside.pack('D1');
    answer();
    assert.equal(await order.tell(deliver('S1')), 'completed');
    await order.handle.result();
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), order.openCases], ['3/0', []]);
  }),
);

test(
  'of two warehouses one has sent, the other stops: the rest is cancelled, what has left has left',
  inTwoWarehouses(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('stopDelivery');
    const cancelled = order.tell(CANCEL);
    await eventually(() => assert.equal(bench.outside.calls.length, 4));
    const d1 = bench.outside.deliveries.get('D1')?.warehouseId ?? '';
    assert.equal(await order.tell(report(order, 'T1', { 1: 1 }, { warehouseId: d1 })), 'partially_shipped');
    answer();
    assert.equal(await cancelled, 'shipped');
    assert.deepEqual([order.view.lines[0]?.shipped, order.view.lines[0]?.cancelled], [1, 1]);
    assert.deepEqual(order.openCases, ['refund_due']);
    const left = ['w1', 'w2'].map((id) => bench.ledger.counter(id, 'SKU-1')).toSorted();
    assert.deepEqual(left, ['0/0', '1/0']);
  }),
);

test(
  'a warehouse refuses the goods list: hold and case; when released it is asked again under another code',
  withSystems(async (bench) => {
    bench.outside.refuse('handOver', 'no such goods here');
    const order = await bench.start(paidSnapshot);
    await order.is('on_hold');
    assert.deepEqual([holds(order), order.openCases], [['manual'], ['wms_refused']]);
    assert.match(order.view.holds[0]?.detail ?? '', /^w1 refuses .*\.D1: no such goods here$/);
    assert.deepEqual(bench.outside.calls, ['handOver D1']);
    bench.outside.recover();
    assert.equal(await order.tell(release('manual', 'operations')), 'processing');
    await order.is('awaiting_shipment');
    assert.deepEqual([bench.outside.book, bench.ledger.counter('w1', 'SKU-1')], ['D2 taken', '5/2']);
  }),
);

test(
  'an order that its warehouse has refused is cancelled at once',
  withSystems(async (bench) => {
    bench.outside.refuse('handOver');
    const order = await bench.start(paidSnapshot);
    await order.is('on_hold');
    assert.equal(await order.tell(CANCEL), 'cancelled');
    assert.deepEqual([bench.outside.calls, bench.ledger.counter('w1', 'SKU-1')], [['handOver D1'], '5/0']);
  }),
);

test(
  'a report that comes twice is booked once, under its own number and under another',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot, { lines: [lineOf('1', 3)] });
    await order.is('awaiting_shipment');
    const first = report(order, 'T1', { 1: 2 });
    assert.equal(await order.tell(first), 'partially_shipped');
    const { revision } = order.view;
    assert.equal(await order.tell(first), 'partially_shipped');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 }, { outBizCode: 'another' })), 'partially_shipped');
    assert.equal(await order.tell(report(order, 'T1', { 1: 1 }, { outBizCode: 'third' })), 'rule_violation');
    assert.deepEqual([order.view.revision, bench.ledger.counter('w1', 'SKU-1')], [revision, '3/1']);
    assert.equal(await order.tell(report(order, 'T2', { 1: 1 })), 'shipped');
    assert.equal(await order.tell(first), 'shipped');
    assert.deepEqual([order.view.shipments.length, bench.ledger.counter('w1', 'SKU-1')], [2, '2/0']);
  }),
);

test(
  'a report of more than was asked for, of nobody’s delivery or of another warehouse changes nothing',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    const refused: [ReturnType<typeof report>, string][] = [
      [report(order, 'T1', { 1: 3 }), 'rule_violation'],
      [report(order, 'T1', { 9: 1 }), 'rule_violation'],
      [report(order, 'T1', [{ skuCode: 'SKU-2', quantity: 1 }]), 'rule_violation'],
      [report(order, 'T1', { 1: 0 }), 'rule_violation'],
      [report(order, 'T1', { 1: 1.5 }), 'rule_violation'],
      [report(order, 'T1', {}), 'rule_violation'],
      [report(order, 'T1', { 1: 2 }, { delivery: 'D2' }), 'not_found'],
      [report(order, 'T1', { 1: 2 }, { warehouseId: 'w2' }), 'not_found'],
    ];
    for (const [command, code] of refused) assert.equal(await order.tell(command), code, JSON.stringify(command));
    assert.deepEqual([order.view.revision, bench.ledger.counter('w1', 'SKU-1')], [2, '5/2']);
  }),
);

test(
  'goods that a warehouse names by SKU alone are found in the lines that have it',
  withSystems(async (bench) => {
    const lines = [lineOf('1', 1), lineOf('2', 2, { skuCode: 'SKU-1' })];
    const order = await bench.start(paidSnapshot, { lines });
    await order.is('awaiting_shipment');
    assert.equal(await order.tell(report(order, 'T1', [{ skuCode: 'SKU-1', quantity: 2 }])), 'partially_shipped');
    assert.deepEqual(order.view.shipments[0]?.lines, [
      { lineId: '1', quantity: 1 },
      { lineId: '2', quantity: 1 },
    ]);
    assert.equal(await order.tell(report(order, 'T2', [{ skuCode: 'SKU-1', quantity: 1 }])), 'shipped');
  }),
);

test(
  'a warehouse ends its work short: the rest is held, and is asked for anew when people release it',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    assert.equal(await order.tell(report(order, 'T1', { 1: 1 }, { isFinal: true })), 'partially_shipped');
    assert.deepEqual([holds(order), order.openCases], [['manual'], ['wms_refused']]);
    assert.deepEqual(bench.outside.calls, ['handOver D1']);
    assert.equal(await order.tell(release('manual', 'operations')), 'partially_shipped');
    await books(bench, 'D1 taken, D2 taken');
    assert.equal(bench.outside.deliveries.get('D2')?.goods, '1×1');
    assert.equal(await order.tell(report(order, 'T2', { 1: 1 }, { delivery: 'D2', isFinal: true })), 'shipped');
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '3/0');
  }),
);

test(
  'a last report without goods holds the order, and none that comes after its end changes anything',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    const nothing = { ...report(order, '', {}, { outBizCode: 'E1', isFinal: true }), parcels: [] } as typeof CANCEL;
    assert.equal(await order.tell(nothing), 'on_hold');
    assert.deepEqual(order.openCases, ['wms_refused']);
    const { revision } = order.view;
    assert.equal(await order.tell({ ...nothing, outBizCode: 'E2' } as typeof CANCEL), 'on_hold');
    assert.equal(order.view.revision, revision);
    assert.equal(await order.tell(CANCEL), 'cancelled');
  }),
);

for (const at of ['before', 'after'] as const)
  test(
    `O9: hand-over and stop fail once, ${at} their effect: each is there once`,
    withSystems(async (bench) => {
      bench.outside.fail('handOver', { at });
      bench.outside.fail('stopDelivery', { at });
      const order = await bench.start(paidSnapshot);
      await inTime(() => assert.equal(order.view.status, 'awaiting_shipment'));
      const cancelled = order.tell(CANCEL);
      await inTime(() => assert.equal(order.view.status, 'cancelled'));
      assert.equal(await cancelled, 'cancelled');
      assert.deepEqual(bench.outside.calls, ['handOver D1', 'handOver D1', 'stopDelivery D1', 'stopDelivery D1']);
      assert.deepEqual([bench.outside.book, bench.ledger.counter('w1', 'SKU-1')], ['D1 stopped', '5/0']);
    }),
  );

test(
  'a warehouse that cannot be reached for an hour is a case; when it is back, the order goes on and closes it',
  withSystems(async (bench) => {
    bench.outside.fail('handOver', { at: 'before', times: Infinity });
    const order = await bench.start(paidSnapshot);
    await order.is('processing');
    await temporal.pass(0.9 * HOUR_MS);
    assert.deepEqual(order.openCases, []);
    await temporal.pass(0.2 * HOUR_MS);
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    assert.equal(order.view.status, 'processing');
    bench.outside.recover();
    await temporal.pass(HOUR_MS);
    await order.is('awaiting_shipment');
    assert.deepEqual([bench.outside.book, order.openCases], ['D1 taken', []]);
    assert.deepEqual(order.actions, ['opened', 'errandStuck', 'handedOver']);
  }),
);

test(
  'a warehouse that does not take us is a case at once, and is asked again when people have dealt with it',
  withSystems(async (bench) => {
    bench.outside.fail('handOver', { at: 'before', times: 1, isFinal: true });
    const order = await bench.start(paidSnapshot);
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    const [caseId = ''] = bench.ledger.caseIds(order.id, 'activity_exhausted');
    await order.newest.signal(caseResolvedSignal, { caseId });
    await order.is('awaiting_shipment');
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'handOver D1']);
  }),
);

test(
  'a cancel of an order whose warehouse could not be reached asks it to stop all the same: it may have the goods',
  withSystems(async (bench) => {
    bench.outside.fail('handOver', { at: 'after', times: 1, isFinal: true });
    const order = await bench.start(paidSnapshot);
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    await order.details();
    assert.equal(await order.tell(CANCEL), 'cancelled');
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1']);
    assert.deepEqual([bench.outside.book, bench.ledger.counter('w1', 'SKU-1')], ['D1 stopped', '5/0']);
    assert.deepEqual(order.openCases, ['refund_due']);
  }),
);

test(
  'goods of which one warehouse is worked through REST and one by its system: each in its own way',
  story(
    async (bench) => {
      bench.haveSystems('w2');
      for (const warehouseId of ['w1', 'w2']) bench.ledger.receive(warehouseId, 'SKU-1', 1);
      const order = await bench.start(paidSnapshot);
      await order.is('awaiting_shipment');
      assert.deepEqual(
        [...bench.outside.deliveries].map(([code, { warehouseId }]) => `${code} ${warehouseId}`),
        ['D1 w2'],
      );
      assert.equal(await order.tell(ship('T1', { 1: 1 }, 'w2')), 'rule_violation');
      assert.equal(await order.tell(ship('T1', { 1: 1 }, 'w1')), 'partially_shipped');
      assert.equal(await order.tell(report(order, 'T2', { 1: 1 }, { warehouseId: 'w2' })), 'shipped');
    },
    'w1',
    'w2',
  ),
);

test(
  'an address that is changed by people calls the goods back and sends them to the new one',
  withSystems(async (bench) => {
    const order = await bench.start(paidSnapshot);
    await order.is('awaiting_shipment');
    assert.equal(await order.tell({ type: 'changeAddress', receiver: receiverIn('上城区') }), 'awaiting_shipment');
    await books(bench, 'D1 stopped, D2 taken');
    assert.equal(bench.outside.deliveries.get('D2')?.district, '上城区');
    bench.outside.pack('D2');
    await order.tell({ type: 'changeAddress', receiver: receiverIn('滨江区') });
    await eventually(() => assert.deepEqual(order.openCases, ['address_changed_late']));
    assert.equal(bench.outside.book, 'D1 stopped, D2 packed');
  }),
);

test(
  'O9: a worker dies while the warehouse is asked: another goes on, the goods are asked for once',
  withSystems(async (bench) => {
    const own = bench.ownQueue();
    const first = await own.work();
    const answer = bench.outside.hold('handOver');
    const order = await bench.start(paidSnapshot, { taskQueue: own.taskQueue, ...AT_ONCE });
    await eventually(() => assert.deepEqual(bench.outside.calls, ['handOver D1']));
    await first.stop();
    answer();
    const second = await own.work();
    await order.is('awaiting_shipment');
    const stopped = bench.outside.hold('stopDelivery');
    await order.tell(hold('manual'));
    await eventually(() => assert.equal(bench.outside.calls.length, 2));
    await second.stop();
    stopped();
    await own.work();
    await books(bench, 'D1 stopped');
    await eventually(() => assert.equal(order.actions.at(-1), 'deliveryStopped'));
    assert.deepEqual(bench.outside.calls, ['handOver D1', 'stopDelivery D1']);
    assert.ok(order.isChained);
  }),
);
