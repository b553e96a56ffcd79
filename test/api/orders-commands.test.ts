import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCollection } from '../../models/audit-log.ts';
import { caseCollection } from '../../models/case-records.ts';
import { orderCollection } from '../../models/order-records.ts';
import { movementCollection } from '../../models/stock-records.ts';
import { counterOf, ledgerSums, storedCounters } from '../support/stored-orders.ts';
import { orderBody, payment, problemOf, startOrderApp } from './order-app.ts';

const app = await startOrderApp();
const { connection } = app.deps;

let skus = 0;
/** An order of `quantity` units of a SKU of its own, of which `stock` are in wh1. */
const place = async (
  platformOrderId: string,
  changes: Record<string, unknown> = {},
  { quantity = 2, stock = 100 } = {},
) => {
  const skuCode = `SKU-${(skus += 1)}`;
  if (stock > 0) await app.receive('wh1', skuCode, stock);
  const lines = [{ lineId: '1', skuCode, title: 'Goods', quantity, unitPrice: 10000, discount: 0 }];
  const payments = [payment('p1', quantity * 10000)];
  const answer = await app.post('/v1/orders', orderBody(platformOrderId, { lines, payments, ...changes }));
  assert.equal(answer.status, 201, answer.text);
  return { path: `/v1/orders/own1.${platformOrderId}`, skuCode, body: answer.body };
};
const parcel = (trackingNo: string, quantity: number, changes: Record<string, unknown> = {}) => ({
  warehouseId: 'wh1',
  courier: 'SF',
  trackingNo,
  lines: [{ lineId: '1', quantity }],
  ...changes,
});

test('an order is shipped in parcels, delivered, and completes by itself when its time is over', async () => {
  const { body: timers, headers } = await app.get('/v1/config/timers');
  const content = timers.content ?? timers;
  const put = await app.call('PUT', '/v1/config/timers', {
    token: app.token,
    body: { ...content, autoComplete: 'PT0S' },
    headers: { 'If-Match': headers.get('etag') ?? '*' },
  });
  assert.equal(put.status, 200, put.text);
  const { path, skuCode } = await place('C1', {}, { quantity: 3 });
  const first = await app.post(`${path}/shipments`, parcel('SF1', 1));
  assert.deepEqual(
    [first.status, first.body.status, first.body.fulfilmentStatus],
    [200, 'partially_shipped', 'partial'],
  );
  assert.equal(first.headers.get('etag'), `"${first.body.revision}"`);
  const second = await app.post(`${path}/shipments`, parcel('SF2', 2));
  assert.deepEqual([second.body.status, second.body.fulfilmentStatus], ['shipped', 'fulfilled']);
  await app.post(`${path}/deliveries`, { shipmentId: 'S1', deliveredAt: '2026-11-22T11:00:00+08:00' });
  const last = await app.post(`${path}/deliveries`, { shipmentId: 'S2' });
  assert.deepEqual([last.status, last.body.status], [200, 'completed']);
  assert.equal(last.body.shipments[0].deliveredAt, '2026-11-22T03:00:00.000Z');
  assert.equal(await counterOf(connection, 'wh1', skuCode), '97/0/97');
});

test('the same waybill again changes nothing, with other goods it is a conflict, too much is refused', async () => {
  const { path } = await place('C2', {}, { quantity: 3 });
  const first = await app.post(`${path}/shipments`, parcel('SF10', 1));
  const again = await app.post(`${path}/shipments`, parcel('SF10', 1));
  assert.deepEqual([again.status, again.body.revision], [200, first.body.revision]);
  assert.equal(problemOf(await app.post(`${path}/shipments`, parcel('SF10', 2))), '409 conflict');
  assert.equal(problemOf(await app.post(`${path}/shipments`, parcel('SF11', 3))), '422 rule_violation');
  assert.equal(
    problemOf(await app.post(`${path}/shipments`, parcel('SF11', 1, { warehouseId: 'wh2' }))),
    '422 rule_violation',
  );
  assert.equal(problemOf(await app.post(`${path}/deliveries`, { shipmentId: 'S9' })), '422 rule_violation');
  const future = { shipmentId: 'S1', deliveredAt: '2099-01-01T00:00:00Z' };
  assert.equal(problemOf(await app.post(`${path}/deliveries`, future)), '422 rule_violation');
});

test('a hold keeps everything from shipping until it is released, and If-Match guards against older views', async () => {
  const { path, body } = await place('C3');
  const held = await app.post(`${path}/hold`, { code: 'manual', detail: 'ask first' });
  assert.deepEqual([held.body.status, held.body.holds[0].code], ['on_hold', 'manual']);
  const refused = await app.post(`${path}/shipments`, parcel('SF20', 2));
  assert.equal(problemOf(refused), '409 action_not_allowed');
  assert.ok(refused.body.allowedActions.includes('release') && !refused.body.allowedActions.includes('shipments'));
  const stale = await app.post(
    `${path}/release`,
    { code: 'manual' },
    { headers: { 'If-Match': `"${body.revision}"` } },
  );
  assert.equal(problemOf(stale), '412 stale_revision');
  const released = await app.post(
    `${path}/release`,
    { code: 'manual' },
    { headers: { 'If-Match': `"${held.body.revision}"` } },
  );
  assert.deepEqual([released.status, released.body.status], [200, 'awaiting_shipment']);
  assert.equal(problemOf(await app.post(`${path}/release`, { code: 'manual' })), '409 action_not_allowed');
  assert.equal(problemOf(await app.post(`${path}/hold`, { code: 'overpaid', detail: 'x' })), '422 rule_violation');
});

test('a timed hold ends by itself', async () => {
  const { path } = await place('C4');
  const until = new Date(Date.now() + 1500).toISOString();
  assert.equal((await app.post(`${path}/hold`, { code: 'manual', detail: 'wait', until })).body.holds[0].until, until);
  await app.until('own1.C4', ({ status }) => status === 'awaiting_shipment');
});

test('payments add up; the same again changes nothing; another currency (M14) or other content is refused; M16 a surplus is held', async () => {
  const { path } = await place('C5', { payments: [] });
  assert.equal(
    problemOf(await app.post(`${path}/payments`, payment('p1', 5000, { currency: 'USD' }))),
    '422 rule_violation currency',
  );
  const part = await app.post(`${path}/payments`, payment('p1', 5000));
  assert.deepEqual(
    [part.status, part.body.paymentStatus, part.body.status],
    [200, 'partially_paid', 'pending_payment'],
  );
  const again = await app.post(`${path}/payments`, payment('p1', 5000, { currency: 'CNY' }));
  assert.deepEqual([again.status, again.body.revision], [200, part.body.revision]);
  assert.equal(problemOf(await app.post(`${path}/payments`, payment('p1', 5001))), '409 conflict');
  assert.equal(
    problemOf(await app.post(`${path}/payments`, payment('p9', 1, { method: 'cod' }))),
    '422 rule_violation method',
  );
  const beyond = payment('p9', Number.MAX_SAFE_INTEGER);
  assert.equal(problemOf(await app.post(`${path}/payments`, beyond)), '422 rule_violation amount');
  const full = await app.post(`${path}/payments`, payment('p2', 15000));
  assert.deepEqual([full.body.paymentStatus, full.body.status], ['paid', 'awaiting_shipment']);
  const twice = await app.post(`${path}/payments`, payment('p3', 15000));
  assert.deepEqual([twice.body.status, twice.body.holds[0].code], ['on_hold', 'overpaid']);
  const supervisor = await app.as('sue', ['cs_supervisor']);
  const tried = await app.post(`${path}/release`, { code: 'overpaid' }, { token: supervisor });
  assert.equal(problemOf(tried), '403 forbidden', 'by finance only');
  const finance = await app.as('fay', ['finance']);
  const manual = await app.post(`${path}/release`, { code: 'manual' }, { token: finance });
  assert.equal(problemOf(manual), '403 forbidden', 'finance ends only what is its own');
  const released = await app.post(`${path}/release`, { code: 'overpaid' }, { token: finance });
  assert.deepEqual([released.status, released.body.status, released.body.holds], [200, 'awaiting_shipment', []]);
});

test('K2 two of five shipped, the rest cancelled: on hand less two, nothing reserved', async () => {
  const { path, skuCode } = await place('C6', {}, { quantity: 5, stock: 10 });
  await app.post(`${path}/shipments`, parcel('SF30', 2));
  const { status, body } = await app.post(`${path}/cancel`, { reason: 'the buyer does not want the rest' });
  assert.deepEqual([status, body.status, body.lines[0].cancelled], [200, 'shipped', 3]);
  assert.equal(await counterOf(connection, 'wh1', skuCode), '8/0/8');
  assert.equal(
    await caseCollection(connection).countDocuments({ orderId: 'own1.C6', code: 'refund_due', state: 'open' }),
    1,
  );
});

test('K5 each command repeated under its key leaves counters, ledger and revision as they were', async () => {
  const { path, skuCode } = await place('C7', {}, { quantity: 5, stock: 10 });
  const steps: [string, unknown][] = [
    ['shipments', parcel('SF40', 2)],
    ['deliveries', { shipmentId: 'S1' }],
    ['hold', { code: 'manual', detail: 'x' }],
    ['cancel', { reason: 'enough' }],
  ];
  for (const [word, body] of steps) {
    const headers = { 'Idempotency-Key': `C7-${word}` };
    const first = await app.post(`${path}/${word}`, body, { headers });
    const again = await app.post(`${path}/${word}`, body, { headers });
    assert.equal(again.headers.get('idempotency-replayed'), 'true', word);
    assert.deepEqual([again.status, again.text], [first.status, first.text], word);
  }
  assert.equal(await counterOf(connection, 'wh1', skuCode), '8/0/8');
  assert.equal(await movementCollection(connection).countDocuments({ orderId: 'own1.C7' }), 3);
});

test('forty commands at once on one order are all carried out, each once', async () => {
  const { path } = await place('C8', { payments: [] }, { quantity: 4 });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => app.post(`${path}/payments`, payment(`p${i}`, 1000))),
  );
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const { totals, revision, status } = await app.stored('own1.C8');
  assert.deepEqual([totals.paid, status], [40000, 'awaiting_shipment']);
  assert.equal(revision, 41);
});

test('a new address replaces the old one, sealed, and ends the hold for an incomplete one', async () => {
  const { path } = await place('C9', {
    receiver: { name: '王五', province: '浙江省', city: '杭州市', district: '西湖区' },
  });
  const receiver = {
    name: '赵六',
    phone: '13900001111',
    province: '广东省',
    city: '深圳市',
    district: '南山区',
    address: '科技园 1 号',
  };
  const { body, status } = await app.post(`${path}/address`, { receiver });
  assert.deepEqual(
    [status, body.status, body.receiver.name, body.receiver.city],
    [200, 'awaiting_shipment', '赵*', '深圳市'],
  );
  assert.ok(!JSON.stringify(await app.stored('own1.C9')).includes('13900001111'));
});

test('a phone confirmation that is refused keeps the hold and opens a case; a confirmed one ends both', async () => {
  const { path } = await place('C10');
  await app.post(`${path}/hold`, { code: 'phone_confirmation', detail: 'high risk' });
  const refused = await app.post(`${path}/phone-confirmation`, { outcome: 'refused', note: '' });
  assert.deepEqual([refused.body.status, refused.body.holds[0].code], ['on_hold', 'phone_confirmation']);
  const confirmed = await app.post(`${path}/phone-confirmation`, { outcome: 'confirmed', note: 'called back' });
  assert.equal(confirmed.body.status, 'awaiting_shipment');
  const cases = await caseCollection(connection).find({ orderId: 'own1.C10' }).toArray();
  assert.deepEqual(
    cases.map(({ code, state }) => [code, state]),
    [['phone_refused', 'resolved']],
  );
});

test('an agent takes an order of their shops by its id and may then act on it; nobody else may', async () => {
  const { path } = await place('C11');
  await app.post(`${path}/hold`, { code: 'phone_confirmation', detail: 'ask' });
  await app.post(`${path}/phone-confirmation`, { outcome: 'refused', note: '' });
  const agent = await app.as('Anna', ['cs_agent'], ['own1']);
  const hold = { code: 'manual', detail: 'mine' };
  assert.equal(problemOf(await app.post(`${path}/hold`, hold, { token: agent })), '404 not_found');
  assert.equal(problemOf(await app.post(`${path}/assign`, { username: 'root' }, { token: agent })), '403 forbidden');
  // What no agent may do is refused before it is asked whose order it is.
  assert.equal(problemOf(await app.post(`${path}/release`, { code: 'overpaid' }, { token: agent })), '403 forbidden');
  assert.equal(problemOf(await app.post(`${path}/release`, { code: 'manual' }, { token: agent })), '404 not_found');
  assert.deepEqual((await app.get('/v1/cases', agent)).body.items, []);
  const taken = await app.post(`${path}/assign`, { username: 'anna' }, { token: agent });
  assert.deepEqual([taken.status, taken.body.assignee], [200, 'Anna']);
  assert.equal((await app.post(`${path}/hold`, hold, { token: agent })).status, 200);
  const { body } = await app.get('/v1/cases', agent);
  assert.deepEqual(
    body.items.map(({ code }: { code: string }) => code),
    ['phone_refused'],
  );
  const stranger = await app.as('stan', ['cs_agent'], ['own2']);
  assert.equal(problemOf(await app.post(`${path}/assign`, { username: 'stan' }, { token: stranger })), '404 not_found');
  assert.equal(problemOf(await app.post(`${path}/assign`, { username: 'stan' })), '422 rule_violation username');
  assert.equal(problemOf(await app.post(`${path}/assign`, { username: 'nobody' })), '422 rule_violation username');
});

test('goods are split into parcels, moved to another warehouse all or nothing', async () => {
  const { path, skuCode } = await place('C12', {}, { quantity: 4 });
  const group = (quantity: number) => ({ lines: [{ lineId: '1', quantity }] });
  assert.equal(problemOf(await app.post(`${path}/split`, { groups: [group(1)] })), '422 rule_violation');
  const split = await app.post(`${path}/split`, { groups: [group(1), group(3)] });
  assert.deepEqual(
    split.body.allocations.map((a: { lines: { quantity: number }[] }) => a.lines[0]?.quantity),
    [1, 3],
  );
  assert.equal(problemOf(await app.post(`${path}/allocate`, { warehouseId: 'wh2' })), '422 rule_violation');
  assert.equal(await counterOf(connection, 'wh1', skuCode), '100/4/96');
  await app.receive('wh2', skuCode, 4);
  const moved = await app.post(`${path}/allocate`, { warehouseId: 'wh2' });
  assert.deepEqual(
    moved.body.allocations.map((a: { warehouseId: string }) => a.warehouseId),
    ['wh2'],
  );
  assert.equal(await counterOf(connection, 'wh1', skuCode), '100/0/100');
  assert.equal(await counterOf(connection, 'wh2', skuCode), '4/4/0');
});

test('orders of one buyer and address are merged and leave together; others are not', async () => {
  await place('C13');
  await place('C14');
  await place('C15', { buyer: { id: 'u2' } });
  await place('C16', { payments: [] });
  const merge = (...ids: string[]) => app.post('/v1/orders/merge', { orderIds: ids.map((id) => `own1.${id}`) });
  assert.equal(problemOf(await merge('C13', 'C15')), '422 rule_violation orderIds.1');
  assert.equal(problemOf(await merge('C13', 'C16')), '409 action_not_allowed');
  assert.equal(problemOf(await merge('C13', 'C99')), '404 not_found');
  assert.equal(problemOf(await merge('C13', 'C13')), '400 invalid_request orderIds');
  const { status, body } = await merge('C13', 'C14');
  assert.deepEqual([status, body.items.length], [200, 2]);
  assert.deepEqual(body.items[1].parcelGroup.orderIds, ['own1.C13', 'own1.C14']);
  const again = await merge('C14', 'C13');
  assert.equal(again.body.items[0].revision, body.items[1].revision);
  await app.post('/v1/orders/own1.C13/shipments', parcel('SF50', 2));
  const other = await app.until('own1.C14', (record) => record.status === 'shipped');
  assert.equal(other.shipments[0]?.trackingNo, 'SF50');
});

test('a merge that one of the orders refuses leaves none of them joined', async () => {
  const { path } = await place('C17');
  await place('C18');
  // As if a parcel of the second had left between the look and the command.
  const { desk } = app.services;
  const send = desk.send.bind(desk);
  desk.send = async (orderId, input) => {
    if (orderId === 'own1.C18' && input.command.type === 'joinParcel') {
      desk.send = send;
      await app.post('/v1/orders/own1.C18/shipments', parcel('SF60', 1));
    }
    return send(orderId, input);
  };
  const answer = await app.post('/v1/orders/merge', { orderIds: ['own1.C17', 'own1.C18'] });
  assert.equal(problemOf(answer), '409 action_not_allowed');
  assert.equal((await app.stored('own1.C17')).parcelGroup, null);
  const alone = await app.post(`${path}/shipments`, parcel('SF61', 2));
  assert.equal(alone.body.status, 'shipped');
});

test('an order that has ended takes payments and an assignee; everything else is refused', async () => {
  const { path } = await place('C19', { payments: [] });
  const cancelled = await app.post(`${path}/cancel`, { reason: 'changed my mind' });
  assert.equal(cancelled.body.status, 'cancelled');
  const paid = await app.post(`${path}/payments`, payment('p1', 20000));
  assert.deepEqual([paid.status, paid.body.status, paid.body.totals.paid], [200, 'cancelled', 20000]);
  const assigned = await app.post(`${path}/assign`, { username: 'root' });
  assert.deepEqual([assigned.body.assignee, assigned.body.revision], ['root', paid.body.revision + 1]);
  const again = await app.post(`${path}/payments`, payment('p1', 20000));
  assert.equal(again.body.revision, assigned.body.revision);
  const stale = await app.post(`${path}/assign`, { username: 'sue' }, { headers: { 'If-Match': '1' } });
  assert.equal(problemOf(stale), '412 stale_revision');
  for (const [word, body] of [
    ['cancel', { reason: 'x' }],
    ['hold', { code: 'manual', detail: 'x' }],
    ['address', { receiver: {} }],
    ['shipments', parcel('SF70', 1)],
    ['allocate', { warehouseId: 'wh1' }],
  ] as const) {
    const refused = await app.post(`${path}/${word}`, body);
    assert.equal(problemOf(refused), '409 action_not_allowed', word);
    assert.deepEqual(refused.body.allowedActions, ['payments', 'assign'], word);
  }
  const entries = await auditCollection(connection).find({ entity: 'order/own1.C19' }).sort({ seq: 1 }).toArray();
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['order.opened', 'order.cancel', 'order.addPayment', 'order.assign'],
  );
  entries.slice(1).forEach((entry, index) => assert.equal(entry.prevHash, entries[index]?.hash));
});

test('twenty payments at once to an order that has ended are all kept', async () => {
  const { path } = await place('C20', { payments: [] });
  await app.post(`${path}/cancel`, { reason: 'x' });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => app.post(`${path}/payments`, payment(`p${i}`, 100))),
  );
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const { payments, totals } = await app.stored('own1.C20');
  assert.deepEqual([payments.length, totals.paid], [20, 2000]);
});

const BAD: [word: string, body: unknown, problem: string][] = [
  ['cancel', {}, '400 invalid_request reason'],
  ['cancel', { reason: ' ' }, '400 invalid_request reason'],
  ['cancel', { reason: 'x', force: true }, '400 invalid_request force'],
  ['hold', { code: 'angry', detail: 'x' }, '400 invalid_request code'],
  ['hold', { code: 'manual', detail: 'x', until: 'tomorrow' }, '400 invalid_request until'],
  ['hold', { code: 'manual', detail: 'x', until: '2020-01-01T00:00:00Z' }, '422 rule_violation'],
  ['release', {}, '400 invalid_request code'],
  ['address', { receiver: { street: 'x' } }, '400 invalid_request receiver.street'],
  ['phone-confirmation', { outcome: 'maybe', note: '' }, '400 invalid_request outcome'],
  ['phone-confirmation', { outcome: 'confirmed', note: '' }, '409 action_not_allowed'],
  ['shipments', parcel('SF 80', 1), '400 invalid_request trackingNo'],
  ['shipments', parcel('SF80', 0), '400 invalid_request lines.0.quantity'],
  ['shipments', parcel('SF80', 1, { lines: [] }), '400 invalid_request lines'],
  [
    'shipments',
    parcel('SF80', 1, {
      lines: [
        { lineId: '1', quantity: 1 },
        { lineId: '1', quantity: 1 },
      ],
    }),
    '400 invalid_request lines.1.lineId',
  ],
  ['shipments', parcel('SF80', 1, { lines: [{ lineId: '9', quantity: 1 }] }), '422 rule_violation'],
  ['deliveries', { shipmentId: 'S1' }, '409 action_not_allowed'],
  ['payments', payment('p 1', 1), '400 invalid_request paymentId'],
  ['payments', payment('p1', -1), '400 invalid_request amount'],
  ['payments', payment('p1', 1, { method: 'Ali Pay' }), '400 invalid_request method'],
  ['split', { groups: [] }, '400 invalid_request groups'],
  ['assign', { username: '../root' }, '400 invalid_request username'],
];

test('bad commands get the problem that the contract names and change nothing', async () => {
  const { path, body } = await place('C21');
  for (const [word, bad, problem] of BAD)
    assert.equal(problemOf(await app.post(`${path}/${word}`, bad)), problem, `${word} ${JSON.stringify(bad)}`);
  assert.equal(problemOf(await app.post('/v1/orders/own1.NONE/cancel', { reason: 'x' })), '404 not_found');
  assert.equal(problemOf(await app.post('/v1/orders/nonsense/cancel', { reason: 'x' })), '400 invalid_request orderId');
  const elsewhere = await app.as('oscar', ['operations'], ['own2']);
  assert.equal(problemOf(await app.post(`${path}/cancel`, { reason: 'x' }, { token: elsewhere })), '404 not_found');
  const auditor = await app.as('audrey', ['auditor']);
  assert.equal(problemOf(await app.post(`${path}/cancel`, { reason: 'x' }, { token: auditor })), '403 forbidden');
  assert.equal((await app.stored('own1.C21')).revision, body.revision);
});

test('an open order whose workflow the engine has lost is answered 503, never silently', async () => {
  const { path } = await place('C22');
  await app.temporal.client.workflow.getHandle('order/own1.C22').terminate('lost');
  assert.equal(problemOf(await app.post(`${path}/hold`, { code: 'manual', detail: 'x' })), '503 unavailable');
});

test('a command that comes while the worker is away is carried out when it is back', async () => {
  const { path } = await place('C23');
  await app.stopWorker();
  const asked = app.post(`${path}/hold`, { code: 'manual', detail: 'x' }, { headers: { 'Idempotency-Key': 'C23' } });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await app.startWorker();
  const { status, body } = await asked;
  assert.deepEqual([status, body.status], [200, 'on_hold']);
});

test('K7 after all this the counters are the sums of their movements', async () => {
  assert.deepEqual(await storedCounters(connection), await ledgerSums(connection));
  assert.equal(await orderCollection(connection).countDocuments({ revision: 0 }), 0);
});
