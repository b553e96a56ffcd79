import { test } from 'node:test';
import assert from 'node:assert/strict';
import { allowedActions } from '../../domain/order-actions.ts';
import { fulfilmentStatusOf, statusOf } from '../../domain/order-status.ts';
import { reservedStock } from '../../domain/order-quantities.ts';
import type { OrderCommand } from '../../domain/order-messages.ts';
import {
  CANCEL,
  deliver,
  hold,
  later,
  lineOf,
  outOfStock,
  paidSnapshot,
  pay,
  Play,
  RECEIVER,
  reservedFrom,
  ship,
  snapshotOf,
} from './samples.ts';

const THREE = paidSnapshot({ lines: [lineOf('1', 3), lineOf('2', 2)] });
const split = (...groups: Record<string, number>[]): OrderCommand => ({
  type: 'split',
  groups: groups.map((group) => ({ lines: Object.entries(group).map(([lineId, quantity]) => ({ lineId, quantity })) })),
});

test('several parcels: partly sent, then sent, then delivered when the last has arrived', () => {
  const order = Play.opened(THREE);
  const steps = [ship('T1', { 1: 2 }), ship('T2', { 1: 1, 2: 2 }), deliver('S2'), deliver('S1')];
  assert.deepEqual(
    steps.map((step) => [order.tell(step), fulfilmentStatusOf(order.state)]),
    [
      ['partially_shipped', 'partial'],
      ['shipped', 'fulfilled'],
      ['shipped', 'fulfilled'],
      ['delivered', 'delivered'],
    ],
  );
});

test('a first parcel that arrives before the second is sent leaves the order partly sent', () => {
  const order = Play.opened(THREE);
  order.tell(ship('T1', { 1: 3 }));
  assert.deepEqual([order.tell(deliver('S1')), order.state.deliveredAt], ['partially_shipped', null]);
});

test('an order is delivered when its last parcel was, and completes so long after that', () => {
  const order = Play.opened(THREE);
  order.tell(ship('T1', { 1: 3 }));
  order.tell(ship('T2', { 2: 2 }));
  order.at(later(86_400_000));
  order.tell(deliver('S1', '2026-11-22T20:00:00+08:00'));
  order.tell(deliver('S2', '2026-11-22T10:00:00Z'));
  assert.equal(order.state.deliveredAt, '2026-11-22T12:00:00.000Z');
  const due = later(864_000_000, '2026-11-22T12:00:00Z');
  assert.equal(order.at(later(-1, due)).tell({ type: 'autoComplete' }), 'unchanged');
  assert.equal(order.at(due).tell({ type: 'autoComplete' }), 'completed');
  assert.equal(order.tell({ type: 'autoComplete' }), 'unchanged');
});

test('a waybill is one parcel: the same again is known, with other goods or from elsewhere it is a conflict', () => {
  const order = Play.opened(THREE);
  order.tell(ship('T1', { 1: 2, 2: 1 }));
  const { revision } = order.state;
  assert.equal(order.tell(ship('T1', { 2: 1, 1: 2 })), 'unchanged');
  assert.equal(order.tell(ship('T1', { 1: 2 })), 'conflict');
  assert.equal(order.tell(ship('T1', { 1: 1, 2: 1 })), 'conflict');
  assert.equal(order.tell(ship('T1', { 1: 2, 2: 1 }, 'w2')), 'conflict');
  assert.equal(order.state.revision, revision);
  order.tell(ship('T2', { 1: 1, 2: 1 }));
  order.tell(deliver('S1'));
  order.tell(deliver('S2'));
  assert.equal(order.tell(ship('T1', { 1: 2, 2: 1 })), 'unchanged');
});

test('no more leaves than is left, nothing that is not there, nothing twice in one parcel, no halves', () => {
  const order = Play.opened(THREE);
  order.tell(ship('T1', { 1: 2 }));
  const lines = (...of: [string, number][]) =>
    ({ ...ship('T2', {}), lines: of.map(([lineId, quantity]) => ({ lineId, quantity })) }) as OrderCommand;
  for (const wrong of [
    lines(['1', 2]),
    lines(['9', 1]),
    lines(['1', 1], ['1', 1]),
    lines(['2', 1.5]),
    lines(['2', 0]),
    lines(['2', -1]),
    lines(),
    ship('T2', { 2: 1 }, 'w2'),
  ])
    assert.equal(order.tell(wrong), 'rule_violation', JSON.stringify(wrong));
  assert.deepEqual(reservedStock(order.state), [
    { warehouseId: 'w1', skuCode: 'SKU-1', quantity: 1 },
    { warehouseId: 'w1', skuCode: 'SKU-2', quantity: 2 },
  ]);
});

test('two lines of the same goods are one movement of the stock', () => {
  const lines = [lineOf('1', 1, { skuCode: 'A' }), lineOf('2', 2, { skuCode: 'A' })];
  const order = Play.opened(paidSnapshot({ lines }));
  order.tell(ship('T1', { 1: 1, 2: 2 }));
  assert.deepEqual(order.step.stock, [{ kind: 'ship', lines: [{ warehouseId: 'w1', skuCode: 'A', quantity: 3 }] }]);
  assert.deepEqual(order.step.happenings, [
    { code: 'shipped', params: { shipmentId: 'S1', courier: 'SF', trackingNo: 'T1', units: 3 } },
  ]);
});

test('what is unpaid, backordered, cancelled or sent is not shipped', () => {
  const orders = [Play.opened(snapshotOf()), Play.opened(paidSnapshot(), outOfStock), Play.opened(paidSnapshot())];
  orders[2]?.tell(CANCEL);
  for (const order of orders) assert.equal(order.tell(ship('T1', { 1: 2 })), 'action_not_allowed');
});

test('a delivery is told once; of a parcel that is not there, or is not under way, it is refused', () => {
  const order = Play.opened(THREE);
  assert.equal(order.tell(deliver('S1')), 'action_not_allowed');
  order.tell(ship('T1', { 1: 1 }));
  assert.equal(order.tell(deliver('S7')), 'rule_violation');
  assert.equal(order.tell(deliver('S1', later(400_000))), 'rule_violation');
  assert.equal(order.tell(deliver('S1', 'yesterday')), 'rule_violation');
  assert.equal(order.tell(deliver('S1', later(200_000))), 'partially_shipped');
  assert.equal(order.tell(deliver('S1', later(0))), 'unchanged');
});

test('K2: of five, two were sent and the rest is cancelled: its goods are released, the order is shipped', () => {
  const order = Play.opened(paidSnapshot({ lines: [lineOf('1', 5)] }));
  order.tell(ship('T1', { 1: 2 }));
  assert.equal(order.tell(CANCEL), 'shipped');
  assert.deepEqual(order.step.stock, [
    { kind: 'release', lines: [{ warehouseId: 'w1', skuCode: 'SKU-1', quantity: 3 }] },
  ]);
  assert.deepEqual([reservedStock(order.state), order.cases, order.state.ended], [[], ['refund_due'], null]);
  assert.equal(order.tell(CANCEL), 'action_not_allowed');
  assert.equal(order.tell(deliver('S1')), 'delivered');
});

test('the rest of an order whose sent parcels have all arrived is cancelled: it is delivered', () => {
  const order = Play.opened(THREE);
  order.tell(ship('T1', { 1: 3 }));
  order.tell(deliver('S1', later(-1000)));
  assert.deepEqual([order.tell(CANCEL), order.state.deliveredAt], ['delivered', later(-1000)]);
});

test('cancel gives back what was reserved, or leaves the queue, and makes what was paid due', () => {
  const reserved = Play.opened(THREE, reservedFrom('w1', 'w2'));
  assert.equal(reserved.tell(CANCEL), 'cancelled');
  assert.deepEqual([reserved.asked, reserved.cases], ['release', ['refund_due']]);
  const waiting = Play.opened(THREE, outOfStock);
  assert.equal(waiting.tell(CANCEL), 'cancelled');
  assert.deepEqual(waiting.step.stock, [{ kind: 'withdraw', round: 1 }]);
  const unpaid = Play.opened(snapshotOf());
  assert.equal(unpaid.tell(CANCEL), 'cancelled');
  assert.deepEqual([unpaid.asked, unpaid.cases], ['', []]);
});

test('cancel ends holds and cases of the order; a surplus stays with an order that is partly sent', () => {
  const whole = Play.opened(THREE);
  whole.tell(pay('p2', 1));
  whole.tell(hold('manual'));
  whole.tell(CANCEL);
  assert.deepEqual([whole.holds, whole.cases], [[], ['refund_due']]);
  const partly = Play.opened(THREE);
  partly.tell(ship('T1', { 1: 1 }));
  partly.tell(pay('p2', 1));
  partly.tell(hold('manual'));
  partly.tell(CANCEL);
  assert.deepEqual([partly.holds, partly.cases], [['overpaid'], ['overpaid', 'refund_due']]);
});

test('what has ended is not changed any more, but for payments, assignment and cases', () => {
  const order = Play.opened(THREE);
  order.tell(CANCEL);
  assert.deepEqual(allowedActions(order.state), ['payments', 'assign']);
  const refused: OrderCommand[] = [
    CANCEL,
    hold('manual'),
    { type: 'changeAddress', receiver: RECEIVER },
    { type: 'phoneConfirmation', outcome: 'confirmed', note: '' },
    ship('T1', { 1: 1 }),
    deliver('S1'),
    split({ 1: 3 }, { 2: 2 }),
    { type: 'allocate', warehouseId: 'w2' },
    { type: 'joinParcel', groupId: 'g', orderIds: ['own1.W1', 'own1.W2'] },
  ];
  for (const command of refused) assert.equal(order.tell(command), 'action_not_allowed', command.type);
  assert.equal(order.tell({ type: 'assign', username: 'ann' }), 'cancelled');
  assert.equal(order.tell({ type: 'assign', username: 'ann' }), 'unchanged');
  const caseId = order.state.cases[0]?.caseId ?? '';
  assert.equal(order.tell({ type: 'caseResolved', caseId }), 'cancelled');
  assert.deepEqual(order.cases, []);
});

test('late news about an order that has ended are old: nothing changes, nothing throws', () => {
  const order = Play.opened(THREE);
  order.tell(CANCEL);
  for (const news of [
    { type: 'opened' },
    { type: 'stockReserved', round: 1 },
    { type: 'skuMapped', platformSku: 'P', skuCode: 'A' },
    { type: 'caseResolved', caseId: 'own1.W1.overpaid.7' },
    { type: 'parcelShipped', groupId: 'g', warehouseId: 'w1', courier: 'SF', trackingNo: 'T' },
    { type: 'paymentTimeout' },
    { type: 'balanceOverdue' },
    { type: 'holdExpired' },
    { type: 'autoComplete' },
    { type: 'stillWaiting' },
  ] as const)
    assert.equal(order.tell(news), 'unchanged', news.type);
});

test('a split parts the reserved goods; every unit must be in a group, and in a warehouse that has it', () => {
  const order = Play.opened(THREE);
  for (const wrong of [
    split({ 1: 3 }),
    split({ 1: 2 }, { 1: 2, 2: 2 }),
    split({ 1: 3, 2: 2 }, {}),
    {
      type: 'split',
      groups: [
        {
          lines: [
            { lineId: '1', quantity: 2 },
            { lineId: '1', quantity: 1 },
          ],
        },
        { lines: [{ lineId: '2', quantity: 2 }] },
      ],
    },
    {
      type: 'split',
      groups: [
        {
          warehouseId: 'w2',
          lines: [
            { lineId: '1', quantity: 3 },
            { lineId: '2', quantity: 2 },
          ],
        },
      ],
    },
  ] as OrderCommand[])
    assert.equal(order.tell(wrong), 'rule_violation', JSON.stringify(wrong));
  assert.equal(order.tell(split({ 1: 1 }, { 1: 2, 2: 2 })), 'awaiting_shipment');
  assert.deepEqual([order.asked, order.state.reservation.allocations.length], ['', 2]);
  assert.equal(order.tell(ship('T1', { 1: 1 })), 'partially_shipped');
  assert.equal(order.tell(split({ 1: 2 }, { 2: 2 })), 'action_not_allowed');
});

test('an order in two warehouses is split along them', () => {
  const order = Play.opened(THREE, reservedFrom('w1', 'w2'));
  assert.equal(order.tell(split({ 1: 3, 2: 2 })), 'rule_violation');
  assert.equal(order.tell(split({ 1: 1 }, { 2: 1 }, { 1: 2, 2: 1 })), 'awaiting_shipment');
  assert.deepEqual(
    order.state.reservation.allocations.map(({ warehouseId }) => warehouseId),
    ['w1', 'w1', 'w2'],
  );
});

test('to allocate is to give back and ask again in one step, or to leave the queue', () => {
  const order = Play.opened(THREE);
  assert.equal(order.tell({ type: 'allocate', warehouseId: 'w1' }), 'unchanged');
  order.ledger = () => ({ state: 'short' });
  assert.equal(order.tell({ type: 'allocate', warehouseId: 'w2' }), 'short');
  assert.deepEqual(
    [order.asked, statusOf(order.state), order.state.reservation.round],
    ['release reserve', 'awaiting_shipment', 1],
  );
  order.ledger = reservedFrom('w2');
  assert.equal(order.tell({ type: 'allocate', warehouseId: 'w2' }), 'awaiting_shipment');
  assert.equal(order.state.reservation.round, 2);
  assert.equal(order.tell(ship('T1', { 1: 3 })), 'rule_violation');
  assert.equal(order.tell(ship('T1', { 1: 3 }, 'w2')), 'partially_shipped');
  const waiting = Play.opened(THREE, outOfStock);
  waiting.ledger = reservedFrom('w2');
  waiting.tell({ type: 'allocate', warehouseId: 'w2' });
  assert.equal(waiting.asked, 'withdraw reserve');
});

test('goods that the queue has given are taken once, news of another round are old', () => {
  const order = Play.opened(THREE, outOfStock);
  order.ledger = reservedFrom('w1');
  assert.equal(order.tell({ type: 'stockReserved', round: 2 }), 'unchanged');
  assert.equal(order.tell({ type: 'stockReserved', round: 1 }), 'awaiting_shipment');
  assert.equal(order.tell({ type: 'stockReserved', round: 1 }), 'unchanged');
});

const joined = (): Play => {
  const order = Play.opened(THREE);
  order.tell({ type: 'joinParcel', groupId: 'g1', orderIds: ['own1.W1', 'own1.W2'] });
  return order;
};
const left = (groupId = 'g1', warehouseId = 'w1') =>
  ({ type: 'parcelShipped', groupId, warehouseId, courier: 'SF', trackingNo: 'T1' }) as const;

test('an order leaves with the parcel that it has joined, whole and once', () => {
  const order = joined();
  assert.equal(order.tell(left()), 'shipped');
  assert.equal(order.tell(left()), 'unchanged');
  assert.equal(order.state.shipments[0]?.trackingNo, 'T1');
});

test('an order does not leave with a parcel that it is not in, that leaves elsewhere, or while it is held', () => {
  const held = joined();
  held.tell(hold('manual'));
  assert.equal(held.tell(left()), 'unchanged');
  assert.equal(joined().tell(left('g2')), 'unchanged');
  assert.equal(joined().tell(left('g1', 'w2')), 'unchanged');
  assert.equal(Play.opened(THREE).tell(left()), 'unchanged');
});

test('another address is another parcel, and a parcel of one is none', () => {
  const moved = joined();
  moved.tell({ type: 'changeAddress', receiver: RECEIVER });
  assert.deepEqual([moved.state.parcelGroup, moved.tell(left())], [null, 'unchanged']);
  const alone = joined();
  assert.equal(alone.tell({ type: 'joinParcel', groupId: 'g1', orderIds: ['own1.W1', 'own1.W2'] }), 'unchanged');
  alone.tell({ type: 'joinParcel', groupId: 'g0', orderIds: ['own1.W1'] });
  assert.equal(alone.state.parcelGroup, null);
  assert.equal(alone.tell({ type: 'joinParcel', groupId: 'g0', orderIds: ['own1.W1'] }), 'unchanged');
});
