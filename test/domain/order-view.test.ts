import { test } from 'node:test';
import assert from 'node:assert/strict';
import { auditFacets, changedFacets, orderViewOf } from '../../domain/order-view.ts';
import { searchFieldsOf, stepRequest } from '../../domain/step-request.ts';
import { byNearness, chooseWarehouses } from '../../domain/stock-allocation.ts';
import { chainEntry } from '../../models/audit-log.ts';
import { lineOf, NOON, outOfStock, paidSnapshot, payment, Play, reservedFrom, ship, snapshotOf } from './samples.ts';

const ORIGIN = { actor: { kind: 'user' as const, id: 'ann' }, requestId: 'r1', ip: '127.0.0.1' };

test('the view adds up: goods, discount, freight, payable, paid, and every unit with its share', () => {
  const lines = [lineOf('1', 3, { unitPrice: 10_000, discount: 500 }), lineOf('2', 1, { unitPrice: 500 })];
  const order = Play.opened(
    snapshotOf({ lines, orderDiscount: 3000, freight: 1000, payments: [payment('p1', 28_000)] }),
  );
  const view = orderViewOf(order.state, NOON);
  assert.deepEqual(view.totals, {
    goods: 30_000,
    discount: 3500,
    freight: 1000,
    payable: 28_000,
    paid: 28_000,
    refunded: 0,
    refundable: 28_000,
  });
  assert.deepEqual(
    view.lines.map(({ paidShare, unitPaidShares }) => [paidShare, unitPaidShares]),
    [
      [26_550, [8850, 8850, 8850]],
      [450, [450]],
    ],
  );
  assert.deepEqual([view.paidAt, view.workflowId, view.revision], [NOON, 'order/own1.W1', 1]);
});

test('the view never has the sealed account of a payment', () => {
  const order = Play.opened(snapshotOf({ payments: [payment('p1', 2000, { accountSealed: 'v1.secret' })] }));
  assert.ok(!JSON.stringify(orderViewOf(order.state, NOON)).includes('v1.secret'));
});

test('what lists filter by is what the view shows', () => {
  const order = Play.opened(paidSnapshot({ lines: [lineOf('1', 2), lineOf('2', 1, { skuCode: null })] }));
  assert.deepEqual(searchFieldsOf(orderViewOf(order.state, NOON)), {
    holdCodes: ['unknown_sku'],
    skuCodes: ['SKU-1'],
    warehouseIds: [],
    waybills: [],
    phoneIndex: 'phone-index',
  });
  const sent = Play.opened(paidSnapshot(), reservedFrom('w1', 'w2'));
  sent.tell(ship('T1', { 1: 1 }));
  const fields = searchFieldsOf(orderViewOf(sent.state, NOON));
  assert.deepEqual([fields.warehouseIds, fields.waybills], [['w1', 'w2'], ['T1']]);
});

test('the audit shows what changed and nothing else, on both sides', () => {
  const order = Play.opened(paidSnapshot());
  const before = auditFacets(order.state);
  order.tell({ type: 'assign', username: 'ann' });
  assert.deepEqual(changedFacets(before, auditFacets(order.state)), {
    before: { assignee: null },
    after: { assignee: 'ann' },
  });
});

test('a step becomes a view and an audit entry, with what the ledger answered in both', () => {
  const order = new Play(paidSnapshot(), { paymentTimeoutMs: 1, autoCompleteMs: 0 });
  order.ledger = outOfStock;
  order.tell({ type: 'opened' });
  const input = {
    step: order.step,
    action: 'opened',
    message: { type: 'opened' as const },
    origin: ORIGIN,
    at: NOON,
    before: {},
    runId: 'run',
  };
  const request = stepRequest(input, chainEntry);
  assert.deepEqual([request.orderId, request.revision, request.runId, request.takesOver], ['own1.W1', 1, 'run', false]);
  assert.deepEqual(request.message, { type: 'opened' });
  const { fields, audit } = request.build({ state: 'backordered' });
  assert.deepEqual([fields.status, fields.final], ['backordered', null]);
  assert.deepEqual([audit.entity, audit.seq, audit.action], ['order/own1.W1', 1, 'order.opened']);
  assert.deepEqual([audit.from, audit.actor], [{ requestId: 'r1', ip: '127.0.0.1' }, ORIGIN.actor]);
  const { happened } = audit.detail as { happened: { code: string }[] };
  assert.deepEqual(
    happened.map(({ code }) => code),
    ['order_received', 'backordered'],
  );
  const given = request.build(reservedFrom('w1')(order.step));
  assert.equal(given.fields.status, 'awaiting_shipment');
});

test('the state of an order that has ended is kept with its newest audit hash, so that it can go on from there', () => {
  const order = Play.opened(paidSnapshot());
  order.tell({ type: 'cancel', reason: 'x' });
  const request = stepRequest(
    { step: order.step, action: 'cancel', origin: ORIGIN, at: NOON, before: {}, runId: 'run' },
    chainEntry,
  );
  const { fields, audit } = request.build(undefined);
  assert.deepEqual([fields.final?.ended?.status, fields.final?.auditHash], ['cancelled', audit.hash]);
});

test('goods come from the nearest warehouse that has them all, else from as few as it takes, else not at all', () => {
  const near = (id: string, province: string, city: string) => ({ warehouseId: id, province, city, hasWms: false });
  const all = [
    near('far', '广东省', '广州市'),
    near('same-b', '浙江省', '杭州市'),
    near('same-a', '浙江省', '杭州市'),
    near('province', '浙江省', '宁波市'),
  ];
  const order = byNearness(all, '浙江省', '杭州市').map(({ warehouseId }) => warehouseId);
  assert.deepEqual(order, ['same-a', 'same-b', 'province', 'far']);
  const lines = [
    { lineId: '1', skuCode: 'A', quantity: 2 },
    { lineId: '2', skuCode: 'A', quantity: 1 },
  ];
  const choose = (stock: Record<string, number>) =>
    chooseWarehouses(lines, order, (id) => stock[id] ?? 0)?.map(({ warehouseId, lines: given }) => [
      warehouseId,
      ...given.map(({ lineId, quantity }) => `${lineId}:${quantity}`),
    ]) ?? null;
  assert.deepEqual(choose({ far: 3, 'same-a': 2 }), [['far', '1:2', '2:1']]);
  assert.deepEqual(choose({ 'same-a': 1, province: 2 }), [
    ['same-a', '1:1'],
    ['province', '1:1', '2:1'],
  ]);
  assert.equal(choose({ 'same-a': 1, far: 1 }), null);
  assert.equal(choose({ 'same-a': -5, far: 2 }), null);
});
