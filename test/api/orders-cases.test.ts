import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndedOrders } from '../../api/orders/ended-orders.ts';
import { startMissedMappings } from '../../api/sku-mappings/missed-mappings.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { caseCollection } from '../../models/case-records.ts';
import { skuMappingId } from '../../models/sku-mapping-records.ts';
import { StepCommitter } from '../../models/step-committer.ts';
import { counterOf } from '../support/stored-orders.ts';
import { orderBody, payment, problemOf, startOrderApp } from './order-app.ts';

const app = await startOrderApp();
const { connection } = app.deps;
await app.receive('wh1', 'TEE-M', 10);

const unmapped = (platformSku: string) => ({
  lines: [{ lineId: '1', platformSku, title: 'Goods', quantity: 2, unitPrice: 10000, discount: 0 }],
});
const casesOf = async (orderId: string, token = app.token) => {
  const { status, body } = await app.get(`/v1/cases?orderId=${orderId}`, token);
  assert.equal(status, 200);
  return Object.fromEntries(body.items.map((item: { code: string }) => [item.code, item]));
};
/** An unpaid order that was cancelled and is then paid: the cases late_payment and refund_due. */
const paidLate = async (platformOrderId: string, amount = 20000) => {
  const path = `/v1/orders/own1.${platformOrderId}`;
  await app.post('/v1/orders', orderBody(platformOrderId, { payments: [] }));
  await app.post(`${path}/cancel`, { reason: 'not paid' });
  const { body } = await app.post(`${path}/payments`, payment('p1', amount));
  assert.equal(body.status, 'cancelled');
  return { path, orderId: `own1.${platformOrderId}`, revision: body.revision as number };
};

test('O2 a payment after the cancellation is a case; reinstated, the goods are reserved again and the order goes on', async () => {
  const { path, orderId, revision } = await paidLate('L1');
  const { late_payment: late, refund_due: due } = await casesOf(orderId);
  assert.deepEqual([late.state, due.state, late.shopId], ['open', 'open', 'own1']);
  assert.deepEqual(
    late.nextSteps.map(({ action }: { action: string }) => action),
    ['reinstate', 'refund'],
  );
  assert.equal(await counterOf(connection, 'wh1', 'TEE-M'), '10/0/10');
  const { status, body } = await app.post(`/v1/cases/${late.caseId}/resolve`, {
    note: 'the buyer still wants it',
    action: 'reinstate',
  });
  assert.deepEqual(
    [status, body.state, body.note, body.resolvedBy, body.nextSteps],
    [200, 'resolved', 'the buyer still wants it', 'root', []],
  );
  const order = await app.stored(orderId);
  assert.deepEqual([order.status, order.revision, order.final], ['awaiting_shipment', revision + 1, null]);
  assert.equal(await counterOf(connection, 'wh1', 'TEE-M'), '10/2/8');
  assert.equal((await casesOf(orderId))['refund_due'].state, 'resolved');
  const shipped = await app.post(`${path}/shipments`, {
    warehouseId: 'wh1',
    courier: 'SF',
    trackingNo: 'SF1',
    lines: [{ lineId: '1', quantity: 2 }],
  });
  assert.equal(shipped.body.status, 'shipped');
  const entries = await auditCollection(connection)
    .find({ entity: `order/${orderId}` })
    .sort({ seq: 1 })
    .toArray();
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['order.opened', 'order.cancel', 'order.addPayment', 'order.reinstated', 'order.ship'],
  );
  entries.slice(1).forEach((entry, index) => assert.equal(entry.prevHash, entries[index]?.hash));
  const again = await app.post(`/v1/cases/${late.caseId}/resolve`, { note: 'x', action: 'reinstate' });
  assert.equal(problemOf(again), '409 action_not_allowed');
});

test('O2 a late payment that is to go back leaves the order cancelled and refund_due open', async () => {
  const { orderId } = await paidLate('L2');
  const { late_payment: late } = await casesOf(orderId);
  const { status, body } = await app.post(`/v1/cases/${late.caseId}/resolve`, { note: 'money back', action: 'refund' });
  assert.deepEqual([status, body.state], [200, 'resolved']);
  assert.equal((await casesOf(orderId))['refund_due'].state, 'open');
  const { status: orderStatus, final } = await app.stored(orderId);
  assert.equal(orderStatus, 'cancelled');
  assert.deepEqual(
    final?.cases.map(({ code }) => code),
    ['refund_due'],
  );
  const entries = await auditCollection(connection)
    .find({ entity: `case/${late.caseId}` })
    .toArray();
  assert.deepEqual(
    entries.map(({ action, actor, shopId }) => [action, actor.id, shopId]),
    [['case.resolved', 'root', 'own1']],
  );
});

test('an order that is not paid in full cannot be reinstated, and its case says so', async () => {
  const { orderId } = await paidLate('L3', 500);
  const { late_payment: late } = await casesOf(orderId);
  assert.deepEqual(
    late.nextSteps.map(({ action }: { action: string }) => action),
    ['refund'],
  );
  const { status } = await app.get(`/v1/cases/${late.caseId}`);
  assert.equal(status, 200);
  const refused = await app.post(`/v1/cases/${late.caseId}/resolve`, { note: 'x', action: 'reinstate' });
  assert.equal(problemOf(refused), '422 rule_violation');
  assert.equal((await casesOf(orderId))['late_payment'].state, 'open');
});

test('reinstated by five people at once, an order comes back once', async () => {
  const { orderId } = await paidLate('L4');
  const { late_payment: late } = await casesOf(orderId);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => app.post(`/v1/cases/${late.caseId}/resolve`, { note: 'x', action: 'reinstate' })),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length >= 1, true);
  assert.deepEqual(
    answers.filter(({ status }) => status !== 200 && status !== 409),
    [],
  );
  const order = await app.stored(orderId);
  assert.deepEqual([order.status, order.holds], ['awaiting_shipment', []]);
  const actions = await auditCollection(connection)
    .find({ entity: `order/${orderId}`, action: 'order.reinstated' })
    .toArray();
  assert.equal(actions.length, 1);
});

test('an order that another process changes while it is reinstated is reinstated from what that left', async () => {
  const { orderId, revision } = await paidLate('L5');
  const { late_payment: late } = await casesOf(orderId);
  const { desk, intake, timers } = app.services;
  const elsewhere = new EndedOrders({
    intake,
    timers,
    committer: new StepCommitter(connection, { onFilled: () => {} }),
  });
  const reinstate = desk.reinstate.bind(desk);
  desk.reinstate = async (input) => {
    desk.reinstate = reinstate;
    const message = { type: 'assign', username: 'root' } as const;
    const origin = { actor: { kind: 'user', id: 'root' } } as const;
    assert.deepEqual(await elsewhere.apply(orderId, { message, origin }), { revision: revision + 1 });
    return reinstate(input);
  };
  const { status, text } = await app.post(`/v1/cases/${late.caseId}/resolve`, { note: 'x', action: 'reinstate' });
  assert.equal(status, 200, text);
  const order = await app.stored(orderId);
  assert.deepEqual([order.status, order.assignee, order.revision], ['awaiting_shipment', 'root', revision + 2]);
});

test('a mapping lets every order of the shop go on that waits for it, and no other', async () => {
  await app.receive('wh1', 'MUG', 100);
  for (const id of ['M1', 'M2']) await app.post('/v1/orders', orderBody(id, unmapped('TB/红 1')));
  await app.post('/v1/orders', orderBody('M3', unmapped('TB-9')));
  await app.post('/v1/orders', orderBody('M4', { shopId: 'own2', ...unmapped('TB/红 1') }));
  const put = await app.call('PUT', `/v1/sku-mappings/own1/${encodeURIComponent('TB/红 1')}`, {
    token: app.token,
    body: { skuCode: 'MUG' },
  });
  assert.deepEqual([put.status, put.body.platformSku, put.body.skuCode, put.body.revision], [200, 'TB/红 1', 'MUG', 1]);
  for (const id of ['M1', 'M2']) {
    const order = await app.until(`own1.${id}`, ({ status }) => status === 'awaiting_shipment');
    assert.deepEqual([order.lines[0]?.skuCode, order.skuCodes], ['MUG', ['MUG']]);
    assert.equal((await casesOf(`own1.${id}`))['unknown_sku'].state, 'resolved');
  }
  assert.equal((await app.stored('own1.M3')).status, 'on_hold');
  assert.equal((await app.stored('own2.M4')).status, 'on_hold');
});

test('an order that was never told of its mapping is told when somebody starts', async () => {
  await app.post('/v1/orders', orderBody('M5', unmapped('TB-7')));
  const named = { shopId: 'own1', platformSku: 'TB-7', skuCode: 'MUG', revision: 1, updatedAt: new Date() };
  const mapping = { _id: skuMappingId('own1', 'TB-7'), ...named };
  await connection.collection('sku_mappings').insertOne(mapping as never);
  const sweep = startMissedMappings(app.services, app.deps.logger);
  try {
    const order = await app.until('own1.M5', ({ status }) => status === 'awaiting_shipment');
    assert.equal(order.lines[0]?.skuCode, 'MUG');
  } finally {
    await sweep.stop();
  }
});

test('mappings are written by revision, listed by page, audited, and kept to the shops of the caller', async () => {
  const url = (sku: string, shop = 'own2') => `/v1/sku-mappings/${shop}/${sku}`;
  const put = (path: string, body: unknown, headers: Record<string, string> = {}, token = app.token) =>
    app.call('PUT', path, { token, body, headers });
  for (const sku of ['A', 'B', 'C']) assert.equal((await put(url(sku), { skuCode: `SKU-${sku}` })).status, 200);
  assert.equal((await put(url('A'), { skuCode: 'SKU-A' })).body.revision, 1, 'the same again changes nothing');
  assert.equal((await put(url('A'), { skuCode: 'SKU-A2' })).body.revision, 2);
  assert.equal(problemOf(await put(url('A'), { skuCode: 'X' }, { 'If-Match': '"1"' })), '412 stale_revision');
  assert.equal(problemOf(await put(url('A'), { skuCode: '' })), '400 invalid_request skuCode');
  assert.equal(problemOf(await put(url('A'), { skuCode: 'X', note: 1 })), '400 invalid_request note');
  assert.equal(problemOf(await put(url('A', 'nowhere'), { skuCode: 'X' })), '404 not_found');
  const operator = await app.as('olga', ['operations'], ['own1']);
  assert.equal(problemOf(await put(url('A'), { skuCode: 'X' }, {}, operator)), '404 not_found');
  const agent = await app.as('agnes', ['cs_agent']);
  assert.equal(problemOf(await put(url('A'), { skuCode: 'X' }, {}, agent)), '403 forbidden');
  const first = await app.get('/v1/sku-mappings/own2?limit=2');
  assert.deepEqual(
    first.body.items.map((item: { skuCode: string }) => item.skuCode),
    ['SKU-A2', 'SKU-B'],
  );
  const rest = await app.get(`/v1/sku-mappings/own2?limit=2&cursor=${first.body.nextCursor}`);
  assert.deepEqual([rest.body.items.length, rest.body.nextCursor], [1, null]);
  const entries = await auditCollection(connection).find({ entity: 'sku-mapping/own2/A' }).sort({ seq: 1 }).toArray();
  assert.deepEqual(
    entries.map(({ before, after, shopId }) => [before, after, shopId]),
    [
      [null, { skuCode: 'SKU-A' }, 'own2'],
      [{ skuCode: 'SKU-A' }, { skuCode: 'SKU-A2' }, 'own2'],
    ],
  );
});

test('finance ends a hold for a surplus through its case, operations does not see that case', async () => {
  await app.receive('wh1', 'TEE-M', 10);
  await app.post('/v1/orders', orderBody('S1', { payments: [payment('p1', 20000), payment('p2', 500)] }));
  const { overpaid } = await casesOf('own1.S1');
  const operator = await app.as('otto', ['operations']);
  const path = `/v1/cases/${overpaid.caseId}/resolve`;
  assert.equal(problemOf(await app.post(path, { note: 'x', action: 'release' }, { token: operator })), '404 not_found');
  assert.equal(
    problemOf(await app.post(path, { note: 'x', action: 'release' })),
    '409 action_not_allowed',
    'by finance only',
  );
  assert.equal(problemOf(await app.post(path, { note: 'x', action: 'reinstate' })), '422 rule_violation action');
  const finance = await app.as('fay', ['finance']);
  const released = await app.post(path, { note: 'paid back by bank', action: 'release' }, { token: finance });
  assert.deepEqual(
    [released.status, released.body.state, released.body.note, released.body.resolvedBy],
    [200, 'resolved', 'paid back by bank', 'fay'],
  );
  assert.equal((await app.stored('own1.S1')).status, 'awaiting_shipment');
});

test('cases are listed newest first by page and filter, within the scope of the caller', async () => {
  for (const id of ['P1', 'P2', 'P3'])
    await app.post('/v1/orders', orderBody(id, { shopId: 'own2', ...unmapped(`X-${id}`) }));
  const page = '/v1/cases?state=open&code=unknown_sku&shopId=own2&limit=2';
  const first = await app.get(page);
  const rest = await app.get(`${page}&cursor=${first.body.nextCursor}`);
  const ids = [...first.body.items, ...rest.body.items].map(({ orderId }: { orderId: string }) => orderId);
  assert.deepEqual(ids, ['own2.P3', 'own2.P2', 'own2.P1', 'own2.M4']);
  assert.equal(rest.body.nextCursor, null);
  const operator = await app.as('oscar', ['operations'], ['own1']);
  const { body } = await app.get('/v1/cases', operator);
  assert.deepEqual([...new Set(body.items.map(({ shopId }: { shopId: string }) => shopId))], ['own1']);
  assert.ok(!body.items.some(({ code }: { code: string }) => code === 'refund_due'), 'not a case of operations');
  assert.equal(problemOf(await app.get(`/v1/cases/${first.body.items[0].caseId}`, operator)), '404 not_found');
  const service = await app.as('svc', ['service']);
  assert.equal(problemOf(await app.get('/v1/cases', service)), '403 forbidden');
  for (const query of ['state=closed', 'code=none', 'cursor=%21', 'cursor=AAAA', 'colour=red', 'limit=0'])
    assert.equal((await app.get(`/v1/cases?${query}`)).status, 400, query);
});

test('a case is resolved once, at its revision, with a note, and its open order knows', async () => {
  const { unknown_sku: open } = await casesOf('own1.M3');
  const path = `/v1/cases/${open.caseId}/resolve`;
  assert.equal(problemOf(await app.post(path, {})), '400 invalid_request note');
  assert.equal(problemOf(await app.post(path, { note: 'x', action: 'dance' })), '400 invalid_request action');
  assert.equal(problemOf(await app.post(path, { note: 'x' }, { headers: { 'If-Match': '9' } })), '412 stale_revision');
  assert.equal(problemOf(await app.post('/v1/cases/own1.M3.nothing.1/resolve', { note: 'x' })), '404 not_found');
  const auditor = await app.as('audrey', ['auditor']);
  assert.equal(problemOf(await app.post(path, { note: 'x' }, { token: auditor })), '403 forbidden');
  const { status, body, headers } = await app.post(path, { note: 'seen' });
  assert.deepEqual([status, body.state, headers.get('etag')], [200, 'resolved', '"2"']);
  assert.equal(problemOf(await app.post(path, { note: 'again' })), '409 action_not_allowed');
  await app.until('own1.M3', ({ revision }) => revision === 2);
  const entry = await auditCollection(connection).findOne({ entity: 'order/own1.M3', seq: 2 });
  assert.deepEqual([entry?.action, entry?.after], ['order.caseResolved', { cases: [] }]);
  assert.equal(await caseCollection(connection).countDocuments({ orderId: 'own1.M3', state: 'open' }), 0);
});
