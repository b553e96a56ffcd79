import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { OrderSnapshot } from '../../domain/order-model.ts';
import { caseResolvedSignal } from '../../workflows/contract.ts';
import { eventually } from '../support/temporal.ts';
import { CANCEL, deliver, lineOf, paidSnapshot, pay, release } from '../domain/samples.ts';
import { useOrders, type Order, type OrderBench } from './order-bench.ts';
import { receiverIn, report, Trade, traded } from './platform-trade.ts';

const HOUR_MS = 3_600_000;
const { temporal, story } = useOrders(undefined, { hasOutside: true });
const AT_ONCE = { timers: { paymentTimeoutMs: 1_800_000, autoCompleteMs: 0 } };

interface Traded extends OrderBench {
  /** Takes an order in and gives it with its platform's side. */
  trade(...args: Parameters<OrderBench['start']>): Promise<{ order: Order; trade: Trade }>;
}

/** One warehouse with a system of its own, and five of each of the goods. */
const onPlatform = (tell: (bench: OrderBench, trade: Traded['trade']) => Promise<void>) =>
  story(async (bench) => {
    bench.haveSystems('w1');
    for (const sku of ['SKU-1', 'SKU-2']) bench.ledger.receive('w1', sku, 5);
    await tell(bench, async (...args) => {
      const order = await bench.start(...args);
      return { order, trade: new Trade(order) };
    });
  });

const calls = ({ outside }: OrderBench, ...expected: string[]): Promise<void> =>
  eventually(() => assert.deepEqual(outside.calls, expected));

const holds = (order: Order): string[] => order.view.holds.map(({ code }) => code);
const isAt = (order: Order, revision: number): Promise<void> =>
  eventually(() => assert.equal(order.view.revision, revision));

test(
  'a platform’s order costs at most 38 events: handed over, sent in one parcel, told, finished there',
  onPlatform(async ({ outside, ledger }, start) => {
    const { order, trade } = await start(traded(), AT_ONCE);
    await eventually(() => assert.equal(order.view.status, 'awaiting_shipment'));
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    await trade.says({ phase: 'finished' });
    assert.deepEqual(await order.handle.result(), { status: 'completed', revision: 5 });
    assert.deepEqual(order.actions, ['opened', 'handedOver', 'reportParcels', 'platformTold', 'platformChanged']);
    assert.deepEqual([outside.told, ledger.counter('w1', 'SKU-1')], [['T1: 1'], '3/0']);
    assert.ok(order.isChained);
    const events = await order.events();
    assert.ok(events.length <= 38, events.join('\n'));
    assert.equal(events.filter((event) => event === 'workflowTaskCompleted').length, 5);
  }),
);

test(
  'O4: locked before hand-over: nothing goes to the warehouse until it lifts',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ lockedBy: 'PAID_FORBID_CONSIGN' }));
    await order.is('on_hold');
    assert.deepEqual(
      [holds(order), bench.outside.calls, bench.ledger.counter('w1', 'SKU-1')],
      [['platform_hold'], [], '5/2'],
    );
    assert.equal(await order.tell(release('platform_hold', 'operations', 'finance')), 'action_not_allowed');
    await trade.says({ lockedBy: null });
    await order.is('awaiting_shipment');
    assert.deepEqual([holds(order), bench.outside.book], [[], 'D1 taken']);
  }),
);

test(
  'O4: locked after hand-over: stopped at the warehouse, handed over anew under another code when it lifts',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    await trade.says({ lockedBy: 'RISK' });
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    await order.is('on_hold');
    assert.deepEqual([holds(order), bench.outside.book], [['platform_hold'], 'D1 stopped']);
    await trade.says({ lockedBy: null });
    await order.is('awaiting_shipment');
    assert.equal(bench.outside.book, 'D1 stopped, D2 taken');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 }, { delivery: 'D2' })), 'shipped');
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '3/0');
  }),
);

test(
  'O4: locked while the goods are packed: people are told, the hold stands until they have left',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    bench.outside.pack('D1');
    await trade.says({ lockedBy: 'RISK' });
    await eventually(() => assert.deepEqual(order.openCases, ['wms_refused']));
    assert.equal(order.view.status, 'on_hold');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    assert.deepEqual(holds(order), []);
    await eventually(() => assert.deepEqual(bench.outside.told, ['T1: 1']));
  }),
);

test(
  'O5: a status that nobody knows holds the order with a case, before and after hand-over, until one is known again',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ phase: 'unknown', status: 'WAIT_FOR_THE_MOON' }));
    await order.is('on_hold');
    assert.deepEqual(
      [holds(order), order.openCases, bench.outside.calls],
      [['unknown_status'], ['unknown_status'], []],
    );
    assert.match(order.view.holds[0]?.detail ?? '', /WAIT_FOR_THE_MOON/);
    await trade.says({ phase: 'paid' });
    await order.is('awaiting_shipment');
    assert.deepEqual(order.openCases, []);
    await trade.says({ phase: 'unknown', status: 'WAIT_FOR_MARS' });
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    await eventually(() => assert.deepEqual([holds(order), order.openCases], [['unknown_status'], ['unknown_status']]));
    await trade.says({ phase: 'paid' });
    await order.is('awaiting_shipment');
    assert.deepEqual([bench.outside.book, order.openCases], ['D1 stopped, D2 taken', []]);
  }),
);

test(
  'O7: two parcels: partly sent, then sent; the platform is told of each once, one after the other',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded(), { lines: [lineOf('1', 2), lineOf('2', 1)], ...AT_ONCE });
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('tellPlatform');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'partially_shipped');
    assert.equal(await order.tell(report(order, 'T2', { 2: 1 })), 'shipped');
    await calls(bench, 'handOver D1', 'tellPlatform T1');
    answer();
    await eventually(() => assert.deepEqual(bench.outside.told, ['T1: 1 in part', 'T2: 2 in part']));
    await calls(bench, 'handOver D1', 'tellPlatform T1', 'tellPlatform T2');
    await isAt(order, 6);
    await trade.says({ phase: 'finished' });
    assert.deepEqual(await order.handle.result(), { status: 'completed', revision: 7 });
    assert.deepEqual(
      order.view.shipments.map(({ trackingNo, status }) => `${trackingNo} ${status}`),
      ['T1 delivered', 'T2 delivered'],
    );
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), bench.ledger.counter('w1', 'SKU-2')], ['3/0', '4/0']);
  }),
);

test(
  'O7: two parcels in one report, and what the platform repeats of them is no foreign parcel',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded(), { lines: [lineOf('1', 2), lineOf('2', 2)] });
    await order.is('awaiting_shipment');
    const [one, two] = [report(order, 'T1', { 1: 2 }), report(order, 'T2', { 2: 1 })];
    assert.ok(one.type === 'reportParcels' && two.type === 'reportParcels');
    assert.equal(await order.tell({ ...one, parcels: [...one.parcels, ...two.parcels] }), 'partially_shipped');
    await eventually(() => assert.deepEqual(bench.outside.told, ['T1: 1 in part', 'T2: 2 in part']));
    await trade.says({ phase: 'partly_shipped', parcels: [{ courier: 'SF', trackingNo: 't1 ', lineIds: ['1'] }] });
    await eventually(() => assert.equal(order.actions.at(-1), 'platformChanged'));
    assert.deepEqual([order.view.status, holds(order)], ['partially_shipped', []]);
    assert.equal(await order.tell(report(order, 'T3', { 2: 1 })), 'shipped');
  }),
);

for (const [what, parcels] of [
  ['a parcel that nobody here has sent', [{ courier: 'SF', trackingNo: 'X1', lineIds: ['1'] }]],
  ['no parcel at all', []],
] as const)
  test(
    `an order that the platform calls sent, with ${what}, is called back and not sent again`,
    onPlatform(async (bench, start) => {
      const { order, trade } = await start(traded());
      await order.is('awaiting_shipment');
      await trade.says({ phase: 'shipped', parcels: parcels.map((parcel) => ({ ...parcel, lineIds: ['1'] })) });
      await calls(bench, 'handOver D1', 'stopDelivery D1');
      await order.is('on_hold');
      assert.deepEqual(holds(order), ['platform_hold']);
      await trade.says({ phase: 'finished' });
      await order.is('completed');
      assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), bench.outside.told], ['5/0', []]);
    }),
  );

test(
  'O8: the address is changed on the platform before hand-over: the goods go to the new one',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ phase: 'unpaid' }));
    await order.is('pending_payment');
    await trade.says({ phase: 'paid' }, { receiver: receiverIn('上城区') });
    await order.is('awaiting_shipment');
    assert.equal(bench.outside.deliveries.get('D1')?.district, '上城区');
    assert.deepEqual([bench.outside.book, order.openCases], ['D1 taken', []]);
  }),
);

test(
  'O8: … after hand-over: the delivery is replaced, with another code and the new receiver',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    await trade.says({}, { receiver: receiverIn('上城区') });
    await calls(bench, 'handOver D1', 'stopDelivery D1', 'handOver D2');
    await eventually(() => assert.equal(order.actions.at(-1), 'handedOver'));
    assert.equal(bench.outside.deliveries.get('D2')?.district, '上城区');
    assert.deepEqual(
      [bench.outside.book, order.openCases, order.view.status],
      ['D1 stopped, D2 taken', [], 'awaiting_shipment'],
    );
  }),
);

test(
  'O8: … while the warehouse is still being asked: it gets the old address, is stopped, and gets the new one',
  onPlatform(async (bench, start) => {
    const answer = bench.outside.hold('handOver', 'D1');
    const { order, trade } = await start(traded());
    await order.is('processing');
    await trade.says({}, { receiver: receiverIn('上城区') });
    await eventually(() => assert.equal(order.actions.at(-1), 'platformChanged'));
    await order.details();
    answer();
    await calls(bench, 'handOver D1', 'stopDelivery D1', 'handOver D2');
    await order.is('awaiting_shipment');
    assert.deepEqual(
      [...bench.outside.deliveries.values()].map(({ district }) => district),
      ['西湖区', '上城区'],
    );
  }),
);

test(
  'O8: … when it is packed: the goods go to the old address, which is a case',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    bench.outside.pack('D1');
    await trade.says({}, { receiver: receiverIn('上城区') });
    await eventually(() => assert.deepEqual(order.openCases, ['address_changed_late']));
    assert.deepEqual([order.view.status, holds(order), bench.outside.book], ['awaiting_shipment', [], 'D1 packed']);
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
  }),
);

test(
  'O8: … when it is called back for another reason and cannot be: that is the same case',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    bench.outside.pack('D1');
    const answer = bench.outside.hold('stopDelivery');
    await trade.says({ lockedBy: 'RISK' });
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    await trade.says({ lockedBy: null }, { receiver: receiverIn('上城区') });
    await isAt(order, 4);
    answer();
    await eventually(() => assert.deepEqual(order.openCases, ['address_changed_late']));
  }),
);

test(
  'O8: … after it was sent: nothing can be done but to tell people',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 })), 'shipped');
    await trade.says({}, { receiver: receiverIn('上城区') });
    await eventually(() => assert.deepEqual(order.openCases, ['address_changed_late']));
    assert.deepEqual(bench.outside.book, 'D1 taken');
    assert.equal(order.view.receiver.district, '西湖区');
  }),
);

test(
  'M15: called paid with less than its amounts make: held with a case, nothing is handed over until finance says so',
  onPlatform(async (bench, start) => {
    const { order } = await start(traded({ paid: 1900 }));
    await order.is('on_hold');
    assert.deepEqual([holds(order), order.openCases], [['amount_mismatch'], ['amount_mismatch']]);
    assert.equal(await order.tell(release('amount_mismatch', 'operations')), 'action_not_allowed');
    assert.deepEqual(bench.outside.calls, []);
    assert.equal(await order.tell(release('amount_mismatch', 'finance')), 'processing');
    await order.is('awaiting_shipment');
    assert.deepEqual(
      [order.openCases, bench.outside.book, bench.ledger.counter('w1', 'SKU-1')],
      [[], 'D1 taken', '5/2'],
    );
    assert.equal(order.view.totals.paid, 1900);
  }),
);

test(
  'M15: called paid with more than its amounts make: the same, and it ends by itself when the platform corrects it',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ paid: 2100 }));
    await order.is('on_hold');
    assert.deepEqual(
      [holds(order), order.openCases, bench.outside.calls],
      [['amount_mismatch'], ['amount_mismatch'], []],
    );
    await trade.says({ paid: 2000 });
    await order.is('awaiting_shipment');
    assert.deepEqual([order.openCases, bench.outside.book], [[], 'D1 taken']);
  }),
);

test(
  'O3: an older word that comes late, and the newest that comes again, change nothing',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ phase: 'unpaid' }));
    await order.is('pending_payment');
    await trade.says({ phase: 'paid' });
    await order.is('awaiting_shipment');
    const { revision } = order.view;
    await trade.saysLate({ phase: 'unpaid' });
    await trade.saysLate({ phase: 'closed_unpaid' }, { receiver: receiverIn('上城区') });
    await trade.repeats();
    assert.equal(await order.tell({ type: 'assign', username: 'ann' }), 'awaiting_shipment');
    assert.deepEqual([order.view.revision, holds(order), bench.outside.book], [revision + 1, [], 'D1 taken']);
    assert.equal(order.view.receiver.district, '西湖区');
  }),
);

for (const { at, expected } of [
  { at: 'before', expected: ['T1: 1'] },
  { at: 'after', expected: ['T1: 1'] },
] as const)
  test(
    `the platform’s answer is lost, ${at} it took effect: it knows the parcel once`,
    onPlatform(async (bench, start) => {
      bench.outside.fail('tellPlatform', { at });
      const { order } = await start(traded());
      await order.is('awaiting_shipment');
      await order.tell(report(order, 'T1', { 1: 2 }));
      await eventually(() => assert.equal(bench.outside.calls.at(-1), 'tellPlatform T1'));
      await temporal.pass(5000);
      await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
      assert.deepEqual([bench.outside.told, bench.outside.calls.length], [expected, 3]);
    }),
  );

test(
  'a platform that cannot be told for an hour is a case; the order does not end before it was told',
  onPlatform(async (bench, start) => {
    bench.outside.fail('tellPlatform', { at: 'before', times: Infinity });
    const { order } = await start(traded(), AT_ONCE);
    await order.is('awaiting_shipment');
    await order.tell(report(order, 'T1', { 1: 2 }));
    assert.equal(await order.tell(deliver('S1')), 'delivered');
    await temporal.pass(1.1 * HOUR_MS);
    await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
    assert.match(await order.details(), /^delivered: .*activity_exhausted/);
    bench.outside.recover();
    const [caseId = ''] = bench.ledger.caseIds(order.id, 'activity_exhausted');
    await order.newest.signal(caseResolvedSignal, { caseId });
    await order.is('completed');
    assert.deepEqual(bench.outside.told, ['T1: 1']);
  }),
);

test(
  'a parcel that the platform refuses is a case, does not keep the next one back, and is told again when that is resolved',
  onPlatform(async (bench, start) => {
    bench.outside.refuse('tellPlatform', 'no such courier', (trackingNo) => trackingNo === 'T1');
    const { order } = await start(traded(), { lines: [lineOf('1', 1), lineOf('2', 1)] });
    await order.is('awaiting_shipment');
    await order.tell(report(order, 'T1', { 1: 1 }));
    await order.tell(report(order, 'T2', { 2: 1 }));
    await eventually(() => assert.deepEqual(bench.outside.told, ['T2: 2 in part']));
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    assert.deepEqual(order.openCases, ['activity_exhausted']);
    bench.outside.recover();
    const [caseId = ''] = bench.ledger.caseIds(order.id, 'activity_exhausted');
    await order.newest.signal(caseResolvedSignal, { caseId });
    await eventually(() => assert.deepEqual(bench.outside.told, ['T2: 2 in part', 'T1: 1 in part']));
  }),
);

test(
  'the platform closes an unpaid order: it is cancelled, and only then',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ phase: 'unpaid' }));
    await order.is('pending_payment');
    // Platforms have longer times than our own shop, and end their orders themselves.
    await temporal.pass(3 * HOUR_MS);
    assert.equal(order.view.status, 'pending_payment');
    await trade.says({ phase: 'closed_unpaid' });
    await order.is('cancelled');
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-1'), order.openCases], ['5/0', []]);
    assert.equal((await order.handle.result()).status, 'cancelled');
  }),
);

test(
  'the platform pays everything back before hand-over: closed, the goods are free, people are told',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded({ lockedBy: 'RISK' }));
    await order.is('on_hold');
    await trade.says({ phase: 'closed_refunded' });
    await order.is('closed');
    assert.deepEqual(
      [bench.ledger.counter('w1', 'SKU-1'), order.openCases, bench.outside.calls],
      ['5/0', ['refunded_by_platform'], []],
    );
  }),
);

test(
  'the platform pays everything back after hand-over: the warehouse is stopped first, then it is closed',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('stopDelivery');
    await trade.says({ phase: 'closed_refunded' });
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '5/2');
    answer();
    await order.is('closed');
    assert.deepEqual([bench.outside.book, bench.ledger.counter('w1', 'SKU-1')], ['D1 stopped', '5/0']);
    assert.deepEqual(order.openCases, ['refunded_by_platform']);
  }),
);

test(
  'the platform closes an order whose cancel waits for the warehouse: the caller is answered, it ends once',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('stopDelivery');
    const cancelled = order.tell(CANCEL);
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    await trade.says({ phase: 'closed_refunded' });
    await isAt(order, 4);
    answer();
    assert.match(await cancelled, /^(cancelled|closed)$/);
    await order.handle.result();
    assert.equal(bench.ledger.counter('w1', 'SKU-1'), '5/0');
  }),
);

test(
  'the platform pays one line back: it is taken out, the rest is handed over anew and sent',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded(), { lines: [lineOf('1', 2), lineOf('2', 1)], ...AT_ONCE });
    await order.is('awaiting_shipment');
    await trade.says({ refundOpen: ['2'] });
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    await order.is('on_hold');
    assert.deepEqual(holds(order), ['refund_open']);
    await trade.says({ refundOpen: [], refunded: [{ lineId: '2', quantity: 1 }] });
    await order.is('awaiting_shipment');
    assert.deepEqual(
      [...bench.outside.deliveries].map(([code, { goods }]) => `${code}: ${goods}`),
      ['D1: 1×2 2×1', 'D2: 1×2'],
    );
    assert.deepEqual([bench.ledger.counter('w1', 'SKU-2'), order.openCases], ['5/0', ['refunded_by_platform']]);
    assert.equal(await order.tell(report(order, 'T1', { 1: 2 }, { delivery: 'D2' })), 'shipped');
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    await trade.says({ phase: 'finished' });
    await order.is('completed');
    assert.deepEqual(
      order.view.lines.map(({ shipped, cancelled }) => [shipped, cancelled]),
      [
        [2, 0],
        [0, 1],
      ],
    );
  }),
);

test(
  'a line is paid back while the goods are packed: they leave, and people are told',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded(), { lines: [lineOf('1', 2), lineOf('2', 1)] });
    await order.is('awaiting_shipment');
    bench.outside.pack('D1');
    await trade.says({ refunded: [{ lineId: '2', quantity: 1 }] });
    await eventually(() => assert.deepEqual(order.openCases, ['wms_refused']));
    assert.equal(await order.tell(report(order, 'T1', { 1: 2, 2: 1 })), 'shipped');
    assert.equal(bench.ledger.counter('w1', 'SKU-2'), '4/0');
    await eventually(() => assert.deepEqual(bench.outside.told, ['T1: 1,2']));
  }),
);

test(
  'finished on the platform: delivered at once, completed when its time has passed',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    await order.tell(report(order, 'T1', { 1: 2 }));
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    await trade.says({ phase: 'finished' });
    await order.is('delivered');
    await temporal.pass(10 * 24 * HOUR_MS + HOUR_MS);
    await order.is('completed');
    assert.deepEqual(bench.outside.told, ['T1: 1']);
  }),
);

test(
  'first seen when it was sent by somebody else: nothing is sent or told, it ends with the platform',
  onPlatform(async (bench, start) => {
    const parcels = [{ courier: 'SF', trackingNo: 'X1', lineIds: ['1'] }];
    const { order, trade } = await start(traded({ phase: 'shipped', parcels }), AT_ONCE);
    await order.is('shipped');
    await trade.says({ phase: 'finished', parcels });
    await order.is('completed');
    assert.deepEqual([bench.outside.calls, bench.ledger.counter('w1', 'SKU-1')], [[], '5/0']);
  }),
);

const unmapped = (snapshot: OrderSnapshot): OrderSnapshot => {
  const { platform: _platform, ...rest } = snapshot;
  return { ...rest, lines: [], payments: [], payable: 0, unmapped: 'it has no lines' };
};

test(
  'an order that nobody understands is held with a case, and goes on when it is understood',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start((rest) => unmapped(traded()(rest)));
    await order.is('on_hold');
    assert.deepEqual([holds(order), order.openCases], [['manual'], ['mapping_failed']]);
    const { lines, payable } = traded()();
    await trade.says({ phase: 'paid' }, { lines, payable });
    await order.is('awaiting_shipment');
    assert.deepEqual([order.openCases, bench.outside.book, order.view.totals.paid], [[], 'D1 taken', 2000]);
  }),
);

test(
  'an order that is not understood any more is called back, and goes on as before when it is understood again',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    await order.newest.signal('platformChanged', { snapshot: unmapped(order.snapshot) });
    await calls(bench, 'handOver D1', 'stopDelivery D1');
    await order.is('on_hold');
    assert.deepEqual(order.openCases, ['mapping_failed']);
    // Nothing has changed on the platform meanwhile.
    await trade.repeats();
    await order.is('awaiting_shipment');
    assert.deepEqual([order.openCases, holds(order), bench.outside.book], [[], [], 'D1 stopped, D2 taken']);
  }),
);

test(
  'a presale of a platform: the deposit is paid, then the balance; it is handed over with the second',
  onPlatform(async (bench, start) => {
    const presale = { deposit: 500 };
    const make = (rest: Partial<OrderSnapshot>) =>
      traded({ phase: 'deposit_paid', paid: 500 })({ ...rest, type: 'presale', presale });
    const { order, trade } = await start(make);
    await order.is('pending_payment');
    assert.deepEqual([order.view.paymentStatus, order.view.totals.paid], ['partially_paid', 500]);
    await temporal.pass(48 * HOUR_MS);
    assert.equal(order.view.status, 'pending_payment');
    await trade.says({ phase: 'paid' });
    await order.is('awaiting_shipment');
    assert.deepEqual([bench.outside.book, order.view.totals.paid, order.openCases], ['D1 taken', 2000, []]);
  }),
);

test(
  'a presale whose balance is never paid ends with the platform',
  onPlatform(async (bench, start) => {
    const make = (rest: Partial<OrderSnapshot>) =>
      traded({ phase: 'deposit_paid', paid: 500 })({ ...rest, type: 'presale', presale: { deposit: 500 } });
    const { order, trade } = await start(make);
    await order.is('pending_payment');
    await trade.says({ phase: 'closed_refunded' });
    await order.is('closed');
    assert.deepEqual([bench.outside.calls, bench.ledger.counter('w1', 'SKU-1')], [[], '5/0']);
  }),
);

test(
  'payments of a platform’s order come from the platform alone',
  onPlatform(async (_bench, start) => {
    const { order } = await start(traded({ phase: 'unpaid' }));
    await order.is('pending_payment');
    assert.equal(await order.tell(pay('p9', 2000)), 'action_not_allowed');
  }),
);

test(
  'O9: a worker dies while the platform is told: another goes on, it is told once',
  onPlatform(async (bench, start) => {
    const own = bench.ownQueue();
    const first = await own.work();
    const { order, trade } = await start(traded(), { taskQueue: own.taskQueue, ...AT_ONCE });
    await order.is('awaiting_shipment');
    const answer = bench.outside.hold('tellPlatform');
    await order.tell(report(order, 'T1', { 1: 2 }));
    await calls(bench, 'handOver D1', 'tellPlatform T1');
    await first.stop();
    answer();
    await own.work();
    await eventually(() => assert.equal(order.actions.at(-1), 'platformTold'));
    await trade.says({ phase: 'finished' });
    assert.deepEqual(await order.handle.result(), { status: 'completed', revision: 5 });
    assert.deepEqual([bench.outside.told, bench.outside.calls.length], [['T1: 1'], 2]);
    assert.ok(order.isChained);
  }),
);

test(
  'nonsense that somebody signals changes nothing, and the order goes on',
  onPlatform(async (bench, start) => {
    const { order, trade } = await start(traded());
    await order.is('awaiting_shipment');
    const { snapshot } = order;
    const late = '2099-01-01T00:00:00.000Z';
    const nonsense: unknown[] = [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { snapshot: null },
      { snapshot: { orderId: order.id, lines: [] } },
      { snapshot: { orderId: order.id, lines: [], platform: {} } },
      { snapshot: { orderId: order.id, lines: [], platform: { modifiedAt: late } } },
      { snapshot: { ...snapshot, platform: { ...snapshot.platform, modifiedAt: 'yesterday' } } },
      { snapshot: { ...snapshot, lines: [null], platform: { ...snapshot.platform, modifiedAt: late } } },
      { snapshot: { ...snapshot, payments: 'x', platform: { ...snapshot.platform, modifiedAt: late } } },
      { snapshot: { ...snapshot, orderId: 'own1.other', platform: { ...snapshot.platform, modifiedAt: late } } },
    ];
    for (const payload of nonsense) await order.newest.signal('platformChanged', payload);
    await order.newest.signal('warehouseProgressed', {});
    await order.newest.signal('caseResolved', { caseId: 7 });
    assert.equal(await order.tell({ type: 'assign', username: 'ann' }), 'awaiting_shipment');
    assert.deepEqual(
      [order.actions, holds(order), bench.outside.book],
      [['opened', 'handedOver', 'assign'], [], 'D1 taken'],
    );
    await trade.says({ lockedBy: 'RISK' });
    await order.is('on_hold');
  }),
);

test(
  'nobody makes a platform’s order of one of the own shop by a signal',
  onPlatform(async (bench, start) => {
    const { order } = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    const word = traded({ phase: 'closed_refunded', modifiedAt: '2099-01-01T00:00:00.000Z' });
    await order.newest.signal('platformChanged', { snapshot: word({ ...order.snapshot }) });
    assert.equal(await order.tell({ type: 'assign', username: 'ann' }), 'awaiting_shipment');
    assert.deepEqual([order.actions, bench.outside.book], [['opened', 'handedOver', 'assign'], 'D1 taken']);
  }),
);
