import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Payload } from '@temporalio/common';
import { intakeRecord } from '../../api/orders/intake.ts';
import { newOrderSchema } from '../../api/orders/order-schemas.ts';
import { startUntakenOrders } from '../../api/orders/untaken-orders.ts';
import { orderCollection } from '../../models/order-records.ts';
import { caseCollection } from '../../models/case-records.ts';
import { movementCollection } from '../../models/stock-records.ts';
import { orderBody, payment, problemOf, startOrderApp } from './order-app.ts';

const app = await startOrderApp();
const { connection, sealer } = app.deps;
await app.receive('wh1', 'TEE-M', 1000);

const line = (changes: Record<string, unknown> = {}) => ({
  lineId: '1',
  skuCode: 'TEE-M',
  title: 'T-shirt M',
  quantity: 2,
  unitPrice: 10000,
  discount: 0,
  ...changes,
});

test('a paid order is answered with its goods reserved, masked, and its times in UTC', async () => {
  const { status, body, headers } = await app.post('/v1/orders', orderBody('W1'));
  assert.equal(status, 201);
  assert.equal(headers.get('etag'), '"1"');
  assert.equal(body.status, 'awaiting_shipment');
  assert.deepEqual(body.allocations, [{ warehouseId: 'wh1', courier: null, lines: [{ lineId: '1', quantity: 2 }] }]);
  assert.deepEqual(
    [body.receiver.name, body.receiver.phone, body.receiver.address, body.placedAt, body.workflowId],
    ['张*', '138****8000', '浙江省杭州市西湖区', '2026-11-22T02:00:00.000Z', 'order/own1.W1'],
  );
});

test('the workflow is found in Temporal by shop, channel and status, and its history holds nothing in clear', async () => {
  await app.post('/v1/orders', orderBody('W2', { payments: [] }));
  const handle = app.temporal.client.workflow.getHandle('order/own1.W2');
  const { typedSearchAttributes, type } = await handle.describe();
  assert.equal(type, 'orderWorkflow');
  const found = Object.fromEntries(typedSearchAttributes.toJSON().map(({ key, value }) => [key.name, value]));
  assert.deepEqual([found['OrderStatus'], found['ShopId'], found['Channel']], ['pending_payment', 'own1', 'own']);
  const payloads = payloadsOf(await handle.fetchHistory());
  const history = payloads.map(({ data }) => Buffer.from(data ?? []).toString('utf8')).join('\n');
  const [codec] = app.temporal.dataConverter.payloadCodecs ?? [];
  const decoded = (await codec?.decode(payloads))
    ?.map(({ data }) => Buffer.from(data ?? []).toString('utf8'))
    .join('\n');
  assert.ok(decoded?.includes('T-shirt M'), 'what is encrypted is there');
  const record = JSON.stringify(await app.stored('own1.W2'));
  for (const secret of ['张三丰', '13812348000', '文三路', 'T-shirt M']) {
    assert.ok(!history.includes(secret), `${secret} in the history`);
    if (secret === 'T-shirt M') continue;
    assert.ok(!decoded?.includes(secret), `${secret} in the decoded history`);
    assert.ok(!record.includes(secret), `${secret} in the record`);
  }
  const { receiver } = await app.stored('own1.W2');
  assert.deepEqual(sealer.unseal(receiver.sealed), {
    name: '张三丰',
    phone: '13812348000',
    address: '文三路 138 号 3-201',
  });
  assert.equal(receiver.phoneIndex, sealer.blindIndex('phone', '+86 138 1234 8000'));
});

test('the same again is answered 200 with the same view, other content 409, and neither changes anything', async () => {
  const first = await app.post('/v1/orders', orderBody('W3'));
  const again = await app.post('/v1/orders', orderBody('W3', { placedAt: '2026-11-22T02:00:00Z' }));
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, first.body);
  const other = await app.post('/v1/orders', orderBody('W3', { freight: 1 }));
  assert.equal(problemOf(other), '409 conflict');
  assert.equal((await app.stored('own1.W3')).totals.freight, 0);
  assert.equal((await app.stored('own1.W3')).revision, 1);
});

test('an order posted ten times at once is taken in once', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => app.post('/v1/orders', orderBody('W4'))));
  assert.deepEqual(
    [200, 201].map((status) => answers.filter((answer) => answer.status === status).length),
    [9, 1],
  );
  assert.equal(await movementCollection(connection).countDocuments({ orderId: 'own1.W4' }), 1);
});

test('a receiver without name, phone or address holds the order, which has none of its goods sent', async () => {
  const receiver = { name: ' ', province: '浙江省', city: '杭州市' };
  const { body } = await app.post('/v1/orders', orderBody('W5', { receiver }));
  assert.equal(body.status, 'on_hold');
  assert.deepEqual(
    body.holds.map(({ code, detail }: { code: string; detail: string }) => [code, detail]),
    [['address_incomplete', 'missing: name, phone, address']],
  );
});

test('goods that nobody knows hold the order with a case; the mapping that comes first is used', async () => {
  const unknown = await app.post(
    '/v1/orders',
    orderBody('W6', { lines: [line({ skuCode: undefined, platformSku: 'TB-1' })] }),
  );
  assert.deepEqual(
    [unknown.body.status, unknown.body.holds[0].code, unknown.body.lines[0].skuCode],
    ['on_hold', 'unknown_sku', null],
  );
  await app.call('PUT', '/v1/sku-mappings/own1/TB-2', { token: app.token, body: { skuCode: 'TEE-M' } });
  const mapped = await app.post(
    '/v1/orders',
    orderBody('W7', { lines: [line({ skuCode: 'MERCHANT', platformSku: 'TB-2' })] }),
  );
  assert.deepEqual([mapped.body.status, mapped.body.lines[0].skuCode], ['awaiting_shipment', 'TEE-M']);
  const nameless = await app.post('/v1/orders', orderBody('W8', { lines: [line({ skuCode: undefined })] }));
  assert.equal(nameless.body.holds[0].detail, 'no SKU for: W8:1');
});

test('cash on delivery is held with a case, a surplus is held as overpaid (M16), payable 0 is paid', async () => {
  const cod = await app.post('/v1/orders', orderBody('W9', { payments: [payment('p1', 20000, { method: 'cod' })] }));
  assert.equal(cod.body.holds[0].code, 'manual');
  assert.equal(await caseCollection(connection).countDocuments({ orderId: 'own1.W9', state: 'open' }), 1);
  const twice = await app.post(
    '/v1/orders',
    orderBody('W10', { payments: [payment('p1', 20000), payment('p2', 20000)] }),
  );
  assert.deepEqual([twice.body.holds[0].code, twice.body.totals.paid], ['overpaid', 40000]);
  const free = await app.post('/v1/orders', orderBody('W11', { lines: [line({ discount: 20000 })], payments: [] }));
  assert.deepEqual([free.body.paymentStatus, free.body.status], ['paid', 'awaiting_shipment']);
});

test('bank accounts of payments are stored sealed and never shown', async () => {
  const account = { name: '李四', number: '6222021234567890', bank: 'ICBC' };
  const { text } = await app.post(
    '/v1/orders',
    orderBody('W12', { payments: [payment('p1', 20000, { method: 'bank', account })] }),
  );
  assert.ok(!text.includes('6222021234567890') && !text.includes('ccountSealed'));
  const { snapshot } = await app.stored('own1.W12');
  const [paid] = snapshot.payments;
  assert.deepEqual(sealer.unseal(paid?.accountSealed ?? '', 'order/own1.W12/payment/p1'), account);
});

const BAD: [name: string, changes: Record<string, unknown>, problem: string][] = [
  ['an unknown field', { colour: 'red' }, '400 invalid_request colour'],
  ['an unknown field of a line', { lines: [line({ size: 'M' })] }, '400 invalid_request lines.0.size'],
  ['no lines', { lines: [] }, '400 invalid_request lines'],
  ['a quantity of 0', { lines: [line({ quantity: 0 })] }, '400 invalid_request lines.0.quantity'],
  ['a quantity of 1.5', { lines: [line({ quantity: 1.5 })] }, '400 invalid_request lines.0.quantity'],
  ['a quantity as text', { lines: [line({ quantity: '2' })] }, '400 invalid_request lines.0.quantity'],
  ['too large a quantity', { lines: [line({ quantity: 10_001 })] }, '400 invalid_request lines.0.quantity'],
  ['a fraction of a fen', { freight: 0.5 }, '400 invalid_request freight'],
  ['a negative price', { lines: [line({ unitPrice: -1 })] }, '400 invalid_request lines.0.unitPrice'],
  ['an unsafe integer', { freight: 2 ** 53 }, '400 invalid_request freight'],
  ['a payment of 0', { payments: [payment('p1', 0)] }, '400 invalid_request payments.0.amount'],
  ['a line id twice', { lines: [line(), line()] }, '400 invalid_request lines.1.lineId'],
  ['a payment id twice', { payments: [payment('p', 1), payment('p', 2)] }, '400 invalid_request payments.1.paymentId'],
  ['an id with a dot', { platformOrderId: 'W.1' }, '400 invalid_request platformOrderId'],
  ['an id that is too long', { platformOrderId: 'W'.repeat(65) }, '400 invalid_request platformOrderId'],
  ['a time without offset', { placedAt: '2026-11-22T02:00:00' }, '400 invalid_request placedAt'],
  ['a day that does not exist', { placedAt: '2026-02-30T02:00:00Z' }, '400 invalid_request placedAt'],
  ['a presale without its dates', { type: 'presale' }, '400 invalid_request presale'],
  [
    'presale dates of a normal order',
    { presale: { deposit: 1, balanceDueAt: '2026-12-01T00:00:00Z', promisedShipAt: '2026-12-09T00:00:00Z' } },
    '400 invalid_request presale',
  ],
  ['a phone of letters', { receiver: { phone: 'call me' } }, '400 invalid_request receiver.phone'],
  ['a name with control characters', { receiver: { name: 'a\u0000b' } }, '400 invalid_request receiver.name'],
  ['another payable', { payable: 19999 }, '422 rule_violation payable'],
  ['a discount above its line', { lines: [line({ discount: 20001 })] }, '422 rule_violation lines.0.discount'],
  ['an order discount above the goods', { orderDiscount: 20001 }, '422 rule_violation orderDiscount'],
  ['a product beyond the exact integers', { lines: [line({ unitPrice: 2 ** 52 })] }, '422 rule_violation lines'],
  [
    'a sum beyond the exact integers',
    { payments: [payment('p1', Number.MAX_SAFE_INTEGER), payment('p2', 1)] },
    '422 rule_violation lines',
  ],
  [
    'too many units together',
    { lines: [line({ quantity: 6000 }), line({ lineId: '2', quantity: 6000 })] },
    '422 rule_violation lines',
  ],
  [
    'a deposit above the payable',
    {
      type: 'presale',
      presale: { deposit: 20001, balanceDueAt: '2026-12-01T00:00:00Z', promisedShipAt: '2026-12-09T00:00:00Z' },
    },
    '422 rule_violation presale.deposit',
  ],
  ["another currency than the shop's", { currency: 'USD' }, '422 rule_violation currency'],
  [
    'M14 a payment in another currency than the order',
    { payments: [payment('p1', 20000, { currency: 'USD' })] },
    '422 rule_violation payments.0.currency',
  ],
  ['a shop of a platform', { shopId: 'tao1' }, '422 rule_violation shopId'],
  ['a shop that is not there', { shopId: 'nowhere' }, '404 not_found'],
];

test('what is malformed, too large, out of range or foreign is refused by name and leaves nothing behind', async () => {
  const before = await orderCollection(connection).countDocuments();
  for (const [name, changes, problem] of BAD)
    assert.equal(problemOf(await app.post('/v1/orders', orderBody('BAD', changes))), problem, name);
  const missing = orderBody('BAD');
  delete missing['buyer'];
  assert.equal(problemOf(await app.post('/v1/orders', missing)), '400 invalid_request buyer');
  assert.equal(await orderCollection(connection).countDocuments(), before);
  await assert.rejects(app.temporal.client.workflow.getHandle('order/own1.BAD').describe());
});

test('role before scope: 403, then 404', async () => {
  const agent = await app.as('agnes', ['cs_agent']);
  assert.equal(problemOf(await app.post('/v1/orders', orderBody('W20'), { token: agent })), '403 forbidden');
  const service = await app.as('svc2', ['service'], ['own2']);
  assert.equal(problemOf(await app.post('/v1/orders', orderBody('W20'), { token: service })), '404 not_found');
  assert.equal((await app.post('/v1/orders', orderBody('W20', { shopId: 'own2' }), { token: service })).status, 201);
});

test('K5 the same Idempotency-Key is answered the same, another body under it is refused', async () => {
  const headers = { 'Idempotency-Key': 'order-W21' };
  const first = await app.post('/v1/orders', orderBody('W21'), { headers });
  const again = await app.post('/v1/orders', orderBody('W21'), { headers });
  assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [201, 'true']);
  assert.equal(again.text, first.text);
  const other = await app.post('/v1/orders', orderBody('W22'), { headers });
  assert.equal(problemOf(other), '422 idempotency_key_reused');
});

/** Every payload of a history. */
const payloadsOf = (value: unknown): Payload[] => {
  if (value === null || typeof value !== 'object') return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) return [value as Payload];
  return Object.values(value).flatMap(payloadsOf);
};

/** As an API process leaves an order that dies between storing and starting it, `ageMs` ago. */
const storeOnly = async (
  platformOrderId: string,
  ageMs: number,
  changes: Record<string, unknown> = {},
): Promise<void> => {
  const shop = { shopId: 'own1', channel: 'own' as const };
  const body = newOrderSchema.parse(orderBody(platformOrderId, changes));
  const origin = { actor: { kind: 'service' as const, id: 'test' } };
  const now = new Date(Date.now() - ageMs).toISOString();
  assert.ok(await app.services.intake.insert(intakeRecord({ body, shop, skuCodes: new Map(), origin, sealer, now })));
};

test('an order that was stored and never started is started by the sweep', async () => {
  await storeOnly('W30', 6000);
  await storeOnly('W31', 0);
  const sweep = startUntakenOrders({ ...app.services, logger: app.deps.logger });
  await app.until('own1.W30', ({ status }) => status === 'awaiting_shipment');
  await sweep.stop();
  assert.equal((await app.stored('own1.W31')).revision, 0, 'somebody may be starting it just now');
});

test('while Temporal is away an order is taken in, and the same again starts it', async () => {
  const { desk } = app.services;
  const start = desk.start.bind(desk);
  desk.start = () => Promise.reject(new Error('no connection'));
  const away = await app.post('/v1/orders', orderBody('W34'));
  desk.start = start;
  assert.deepEqual([away.status, away.body.revision], [201, 0]);
  const again = await app.post('/v1/orders', orderBody('W34'));
  assert.deepEqual([again.status, again.body.revision, again.body.status], [200, 1, 'awaiting_shipment']);
});

test('a command on a stored order starts its workflow', async () => {
  await storeOnly('W32', 0);
  const { status, body } = await app.post('/v1/orders/own1.W32/hold', { code: 'manual', detail: 'ask the buyer' });
  assert.deepEqual([status, body.status, body.revision], [200, 'on_hold', 2]);
});

test('O1 an unpaid order is cancelled within seconds of its time, with nothing reserved; O2 what is paid after it is a case', async () => {
  await storeOnly('W33', 57_500, { placedAt: '2026-11-01T00:00:00Z', payments: [] });
  const sweep = startUntakenOrders({ ...app.services, logger: app.deps.logger });
  const due = Date.parse((await app.stored('own1.W33')).snapshot.receivedAt) + 60_000;
  await app.until('own1.W33', ({ status, revision }) => revision > 0 && status === 'pending_payment');
  const cancelled = await app.until('own1.W33', ({ status }) => status === 'cancelled', 10_000);
  await sweep.stop();
  assert.ok(Date.parse(cancelled.updatedAt) >= due && Date.parse(cancelled.updatedAt) < due + 3000);
  assert.equal(await movementCollection(connection).countDocuments({ orderId: 'own1.W33' }), 0);
  const late = await app.post('/v1/orders/own1.W33/payments', payment('p1', 20000));
  assert.deepEqual([late.status, late.body.status], [200, 'cancelled']);
  const cases = await caseCollection(connection).find({ orderId: 'own1.W33', state: 'open' }).toArray();
  assert.deepEqual(cases.map(({ code }) => code).toSorted(), ['late_payment', 'refund_due']);
});

test('without a worker an order is still taken in, at revision 0, and goes on when one comes', async () => {
  await app.stopWorker();
  const { status, body } = await app.post('/v1/orders', orderBody('W40'));
  assert.deepEqual([status, body.revision, body.status], [201, 0, 'backordered']);
  await app.startWorker();
  await app.until('own1.W40', (record) => record.status === 'awaiting_shipment', 15_000);
});
