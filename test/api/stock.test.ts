import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createStockRoutes } from '../../api/stock/stock-routes.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { commitHubOf } from '../../models/commit-hub.ts';
import { movementCollection, stockCollection } from '../../models/stock-records.ts';
import { warehouseCollection } from '../../models/warehouse-records.ts';
import { PlayedOrder, addWarehouses } from '../support/stored-orders.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi({
  routes: (deps) => {
    warehouseCollection(deps.connection);
    return createStockRoutes(deps);
  },
});
const { connection } = api.deps;
const token = await api.as('whs', ['warehouse']);
const filled: string[] = [];
commitHubOf(connection).onFilled((orders) => void filled.push(...orders.map(({ orderId }) => orderId)));

before(() => addWarehouses(connection, 'WH1', 'WH10', 'WH2'));

const post = (path: string, body: unknown, headers: Record<string, string> = {}, as = token) =>
  api.call('POST', `/v1/stock/${path}`, { token: as, body, headers });
const get = (path: string, as = token) => api.call('GET', `/v1/stock${path}`, { token: as });
const receive = (skuCode: string, quantity: number, warehouseId = 'WH1', headers = {}) =>
  post('receipts', { warehouseId, lines: [{ skuCode, quantity }] }, headers);
const adjust = (skuCode: string, quantity: number, headers = {}) =>
  post('adjustments', { warehouseId: 'WH1', skuCode, quantity, reason: 'counted' }, headers);

test('goods that arrive are on hand, and the answer says how many there are', async () => {
  const lines = [
    { skuCode: 'TEE', quantity: 5 },
    { skuCode: '帽子/红 #1', quantity: 2 },
  ];
  const { status, body } = await post('receipts', { warehouseId: 'WH1', lines });
  assert.equal(status, 201);
  assert.deepEqual(body.items, [
    { warehouseId: 'WH1', skuCode: 'TEE', onHand: 5, reserved: 0, available: 5, awaitingQc: 0, damaged: 0 },
    { warehouseId: 'WH1', skuCode: '帽子/红 #1', onHand: 2, reserved: 0, available: 2, awaitingQc: 0, damaged: 0 },
  ]);
  assert.equal((await receive('TEE', 3)).body.items[0].onHand, 8);
});

test('a correction adds or takes away, never more than is there and not reserved', async () => {
  assert.equal((await adjust('TEE', -2)).body.items[0].onHand, 6);
  assert.equal((await adjust('TEE', 4)).status, 201);
  const order = await new PlayedOrder({ orderId: 'own1.1', units: { TEE: 7 } }).store(connection);
  await order.apply(commitHubOf(connection).committer, { type: 'opened' });
  for (const [sku, quantity] of [
    ['TEE', -4],
    ['TEE', -11],
    ['NEVER', -1],
  ] as const) {
    const refused = await adjust(sku, quantity);
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.errors[0].path],
      [422, 'rule_violation', 'quantity'],
    );
  }
  assert.deepEqual((await get('?skuCode=TEE')).body.items, [
    { warehouseId: 'WH1', skuCode: 'TEE', onHand: 10, reserved: 7, available: 3, awaitingQc: 0, damaged: 0 },
  ]);
  assert.deepEqual((await get('?skuCode=NEVER')).body.items, []);
});

test('a correction of several SKUs is made for all of them or for none', async () => {
  const path = '/v1/stock/adjustments';
  const before = (await get('?warehouseId=WH1')).body.items;
  const lines = [
    { skuCode: 'PAIR-A', quantity: 2 },
    { skuCode: 'PAIR-B', quantity: 3 },
  ];
  const made = await api.call('POST', path, { token, body: { warehouseId: 'WH1', lines, reason: 'count' } });
  assert.equal(made.status, 201);
  assert.deepEqual(
    made.body.items.map(({ skuCode, onHand }: { skuCode: string; onHand: number }) => [skuCode, onHand]),
    [
      ['PAIR-A', 2],
      ['PAIR-B', 3],
    ],
  );
  const back = lines.map(({ skuCode }, index) => ({ skuCode, quantity: index === 0 ? -2 : -4 }));
  const refused = await api.call('POST', path, { token, body: { warehouseId: 'WH1', lines: back, reason: 'count' } });
  assert.deepEqual([refused.status, refused.body.code], [422, 'rule_violation']);
  for (const body of [{ lines, skuCode: 'PAIR-A' }, { lines: [] }, { skuCode: 'PAIR-A' }, { quantity: 1 }, {}])
    assert.equal(
      (await api.call('POST', path, { token, body: { warehouseId: 'WH1', reason: 'count', ...body } })).status,
      400,
    );
  assert.equal((await get('?warehouseId=WH1')).body.items.length, before.length + 2);
  assert.equal((await get('?skuCode=PAIR-A')).body.items[0].onHand, 2);
});

test('goods that arrive serve the orders that wait for them', async () => {
  const { committer } = commitHubOf(connection);
  const order = await new PlayedOrder({ orderId: 'own1.2', units: { BAG: 2 } }).store(connection);
  await order.apply(committer, { type: 'opened' });
  await receive('BAG', 1);
  assert.deepEqual(filled, []);
  const { body } = await receive('BAG', 1);
  assert.deepEqual(filled, ['own1.2']);
  assert.deepEqual([body.items[0].onHand, body.items[0].reserved, body.items[0].available], [2, 2, 0]);
});

test('K5: the same request with the same idempotency key moves goods once', async () => {
  const key = { 'Idempotency-Key': 'delivery-7' };
  const answers = [await receive('IDEM', 4, 'WH1', key), await receive('IDEM', 4, 'WH1', key)];
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.items[0].onHand]),
    [
      [201, 4],
      [201, 4],
    ],
  );
  assert.equal(answers[1]?.headers.get('idempotency-replayed'), 'true');
  assert.equal((await receive('IDEM', 5, 'WH1', key)).status, 422);
  // The process died after the goods were booked and before the answer was remembered.
  await connection.collection('idempotency_keys').deleteMany({});
  assert.equal((await receive('IDEM', 4, 'WH1', key)).body.items[0].onHand, 4);
  // A day later the key is forgotten and the same words mean another delivery.
  await connection.collection('idempotency_keys').deleteMany({});
  await movementCollection(connection).updateMany(
    { skuCode: 'IDEM' },
    { $set: { at: new Date(Date.now() - 25 * 3_600_000) } },
  );
  assert.equal((await receive('IDEM', 4, 'WH1', key)).body.items[0].onHand, 8);
  await connection.collection('idempotency_keys').deleteMany({});
  assert.equal((await receive('IDEM', 4, 'WH1', key)).body.items[0].onHand, 8);
});

test('each change is audited with who, why and what it was before', async () => {
  const entries = await auditCollection(connection).find({ entity: 'stock/WH1' }).sort({ seq: 1 }).toArray();
  const [first, , third] = entries;
  assert.deepEqual([first?.action, first?.actor.id], ['stock.received', 'whs']);
  assert.ok(first?.from.requestId);
  assert.deepEqual(
    [third?.action, third?.detail['reason'], third?.before, third?.after],
    [
      'stock.adjusted',
      'counted',
      [{ skuCode: 'TEE', onHand: 8, reserved: 0 }],
      [{ skuCode: 'TEE', onHand: 6, reserved: 0 }],
    ],
  );
});

test('counters are listed by warehouse and SKU, page by page', async () => {
  for (const warehouseId of ['WH10', 'WH2'])
    for (const sku of ['TEE', 'A', 'B', 'C']) await receive(sku, 1, warehouseId);
  const list = async (query: string) => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { status, body } = await get(`?limit=3${query}${cursor}`);
      assert.equal(status, 200);
      seen.push(...body.items.map((item: Record<string, string>) => `${item['warehouseId']}/${item['skuCode']}`));
      if (body.nextCursor === null) return seen;
      cursor = `&cursor=${body.nextCursor}`;
    }
  };
  const stored = (await stockCollection(connection).find({}).toArray()).map(({ _id }) => _id).sort();
  assert.deepEqual(await list(''), stored);
  assert.deepEqual(
    await list('&warehouseId=WH1'),
    stored.filter((id) => id.startsWith('WH1/')),
  );
  assert.deepEqual(await list('&skuCode=TEE'), ['WH1/TEE', 'WH10/TEE', 'WH2/TEE']);
  assert.deepEqual(await list('&skuCode=TEE&warehouseId=WH2'), ['WH2/TEE']);
  assert.deepEqual(await list('&warehouseId=WH9'), []);
});

test('the ledger is listed newest first, by SKU or by order, each movement once', async () => {
  const all: { movementId: string; at: string; kind: string; onHand: number; reserved: number }[] = [];
  for (let cursor = ''; ;) {
    const { body } = await get(`/movements?limit=4${cursor}`);
    all.push(...body.items);
    if (body.nextCursor === null) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  assert.equal(
    new Set(all.map(({ movementId }) => movementId)).size,
    await movementCollection(connection).countDocuments({}),
  );
  assert.deepEqual(
    all.map(({ at }) => at),
    all
      .map(({ at }) => at)
      .toSorted()
      .toReversed(),
  );
  const ofOrder = (await get('/movements?orderId=own1.1')).body.items;
  assert.deepEqual(ofOrder, [
    {
      movementId: 'reserve/own1.1/1/WH1/TEE',
      at: ofOrder[0].at,
      kind: 'reserve',
      warehouseId: 'WH1',
      skuCode: 'TEE',
      onHand: 0,
      reserved: 7,
      awaitingQc: 0,
      damaged: 0,
      orderId: 'own1.1',
      actor: { kind: 'service', id: 'tester' },
      reason: null,
    },
  ]);
  const ofSku = (await get('/movements?skuCode=TEE')).body.items;
  assert.equal(
    ofSku.reduce(
      (sum: number, { onHand, warehouseId }: { onHand: number; warehouseId: string }) =>
        sum + (warehouseId === 'WH1' ? onHand : 0),
      0,
    ),
    10,
  );
});

test('orders of shops outside the scope of the caller cannot be read from the ledger', async () => {
  const scoped = await api.as('far', ['warehouse'], ['own2']);
  const { body } = await get('/movements?limit=200', scoped);
  assert.ok(body.items.some(({ kind }: { kind: string }) => kind === 'reserve'));
  assert.doesNotMatch(JSON.stringify(body), /own1/);
  assert.deepEqual((await get('/movements?orderId=own1.1', scoped)).body.items, []);
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const page = await get(`/movements?limit=1${cursor}`, scoped);
    seen.push(...page.body.items.map(({ movementId }: { movementId: string }) => movementId));
    if (page.body.nextCursor === null) break;
    assert.doesNotMatch(Buffer.from(page.body.nextCursor, 'base64url').toString(), /own1/);
    cursor = `&cursor=${page.body.nextCursor}`;
  }
  assert.equal(new Set(seen).size, await movementCollection(connection).countDocuments({}));
});

test('what is malformed, unknown or not allowed is refused and moves nothing', async () => {
  const before = await movementCollection(connection).countDocuments({});
  const line = { skuCode: 'TEE', quantity: 1 };
  const wrong: [string, unknown, number, string][] = [
    ['receipts', { warehouseId: 'WH1', lines: [] }, 400, 'lines'],
    ['receipts', { warehouseId: 'WH1', lines: [line, line] }, 400, 'lines.1.skuCode'],
    ['receipts', { warehouseId: 'WH1', lines: [{ ...line, quantity: 0 }] }, 400, 'lines.0.quantity'],
    ['receipts', { warehouseId: 'WH1', lines: [{ ...line, quantity: 1.5 }] }, 400, 'lines.0.quantity'],
    ['receipts', { warehouseId: 'WH1', lines: [{ ...line, quantity: '1' }] }, 400, 'lines.0.quantity'],
    ['receipts', { warehouseId: 'WH1', lines: [{ ...line, skuCode: '' }] }, 400, 'lines.0.skuCode'],
    ['receipts', { warehouseId: 'WH1', lines: [{ ...line, skuCode: '$gt\n' }] }, 400, 'lines.0.skuCode'],
    ['receipts', { warehouseId: { $gt: '' }, lines: [line] }, 400, 'warehouseId'],
    ['receipts', { warehouseId: 'NOWHERE', lines: [line] }, 422, 'warehouseId'],
    ['receipts', { warehouseId: 'WH1', lines: [line], note: 'x' }, 400, 'note'],
    ['adjustments', { warehouseId: 'WH1', ...line, quantity: 0, reason: 'x' }, 400, 'quantity'],
    ['adjustments', { warehouseId: 'WH1', ...line }, 400, 'reason'],
    ['adjustments', { warehouseId: 'NOWHERE', ...line, reason: 'x' }, 422, 'warehouseId'],
  ];
  for (const [path, body, status, field] of wrong) {
    const answer = await post(path, body);
    assert.deepEqual([answer.status, answer.body.errors?.[0]?.path], [status, field], JSON.stringify(body));
  }
  for (const role of ['cs_agent', 'operations', 'finance', 'auditor'] as const) {
    const as = await api.as(`r-${role}`, [role]);
    assert.equal((await post('receipts', { warehouseId: 'WH1', lines: [line] }, {}, as)).status, 403);
    assert.equal((await get('', as)).status, 200);
  }
  for (const query of ['?cursor=abc', '/movements?cursor=abc', '/movements?skuCode=%24', '?colour=red'])
    assert.equal((await get(query)).status, 400, query);
  assert.equal(await movementCollection(connection).countDocuments({}), before);
});
