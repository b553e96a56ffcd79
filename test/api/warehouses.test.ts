import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWarehouseRoutes } from '../../api/warehouses/warehouse-routes.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { warehouseCollection } from '../../models/warehouse-records.ts';
import { startTestApi, type Call } from './api-harness.ts';

const api = await startTestApi({ routes: createWarehouseRoutes });
const token = await api.as('boss', ['admin']);
const put = (id: string, body: unknown, more: Partial<Call> = {}) =>
  api.call('PUT', `/v1/warehouses/${id}`, { token, body, ...more });
const get = (path: string, as = token) => api.call('GET', `/v1/warehouses${path}`, { token: as });

const PLAIN = { name: 'Hangzhou', province: '浙江省', city: '杭州市' };
const SECRET = 'the-wms-s3cret';
const WMS = { type: 'qimen', baseUrl: 'https://8.8.4.4/router/qimen', appKey: 'k', secret: SECRET, customerId: 'c1' };

test('a warehouse is made and replaced, with or without a WMS', async () => {
  const made = await put('WH1', PLAIN);
  assert.equal(made.status, 200);
  assert.deepEqual(made.body, { warehouseId: 'WH1', ...PLAIN, wms: null, revision: 1, updatedAt: made.body.updatedAt });
  const joined = await put('WH1', { ...PLAIN, wms: WMS });
  const { secret: _secret, ...shown } = WMS;
  assert.deepEqual([joined.body.revision, joined.body.wms], [2, shown]);
  assert.equal((await put('WH1', { ...PLAIN, wms: WMS })).body.revision, 2);
  assert.equal((await put('WH1', { ...PLAIN, wms: { ...WMS, secret: 'new' } })).body.revision, 3);
  assert.equal((await put('WH1', PLAIN)).body.wms, null);
  assert.deepEqual((await get('/WH1')).body.wms, null);
});

test('the secret is sealed for its warehouse and shown nowhere', async () => {
  await put('WH2', { ...PLAIN, wms: WMS });
  const everything = [
    (await get('/WH2')).text,
    (await get('')).text,
    JSON.stringify(await warehouseCollection(api.deps.connection).find({}).toArray()),
    JSON.stringify(await auditCollection(api.deps.connection).find({}).toArray()),
    api.log(),
  ].join('\n');
  assert.ok(!everything.includes(SECRET));
  const record = await warehouseCollection(api.deps.connection).findOne({ _id: 'WH2' });
  assert.deepEqual(api.deps.sealer.unseal(record?.wms?.secretSealed ?? '', 'warehouse/WH2'), { secret: SECRET });
});

test('changes are audited with before and after', async () => {
  const entries = await auditCollection(api.deps.connection)
    .find({ entity: 'warehouse/WH1' })
    .sort({ seq: 1 })
    .toArray();
  assert.deepEqual(
    entries.map(({ action, detail }) => [action, detail]),
    [
      ['warehouse.created', {}],
      ['warehouse.changed', { credentialsChanged: ['secret'] }],
      ['warehouse.changed', { credentialsChanged: ['secret'] }],
      ['warehouse.changed', { credentialsChanged: ['secret'] }],
    ],
  );
  assert.equal((entries[1]?.before as { wms: unknown } | undefined)?.wms, null);
  assert.equal((entries[1]?.after as { wms: { appKey: string } } | undefined)?.wms.appKey, 'k');
});

test('what is malformed, stale or not allowed is refused', async () => {
  const wrong: [object, string][] = [
    [{ ...PLAIN, name: ' ' }, 'name'],
    [{ name: 'x', city: 'y' }, 'province'],
    [{ ...PLAIN, size: 3 }, 'size'],
    [{ ...PLAIN, wms: { ...WMS, type: 'sap' } }, 'wms.type'],
    [{ ...PLAIN, wms: { ...WMS, secret: '' } }, 'wms.secret'],
    [{ ...PLAIN, wms: { ...WMS, baseUrl: 'http://192.168.0.9/qimen' } }, 'wms.baseUrl'],
    [{ ...PLAIN, wms: { ...WMS, baseUrl: 'nowhere' } }, 'wms.baseUrl'],
  ];
  for (const [body, path] of wrong) {
    const answer = await put('WH9', body);
    assert.deepEqual([answer.status, answer.body.errors?.[0]?.path], [400, path], answer.text);
  }
  assert.equal((await put('W.H', PLAIN)).status, 400);
  assert.equal((await get('/WH9')).status, 404);
  assert.equal((await put('WH1', { ...PLAIN, name: 'x' }, { headers: { 'If-Match': '"1"' } })).status, 412);
  for (const role of ['cs_agent', 'warehouse', 'service'] as const)
    assert.equal((await get('/WH1', await api.as(`r-${role}`, [role]))).status, 403);
  const operations = await api.as('ops', ['operations']);
  assert.equal((await get('/WH1', operations)).status, 200);
  assert.equal((await put('WH1', PLAIN, { token: operations })).status, 403);
});

test('the list pages by id', async () => {
  for (let i = 3; i < 9; i += 1) await put(`WH${i}`, PLAIN);
  const first = await get('?limit=5');
  const rest = await get(`?limit=5&cursor=${first.body.nextCursor}`);
  const ids = [...first.body.items, ...rest.body.items].map(({ warehouseId }) => warehouseId);
  assert.deepEqual(ids, ['WH1', 'WH2', 'WH3', 'WH4', 'WH5', 'WH6', 'WH7', 'WH8']);
  assert.equal(rest.body.nextCursor, null);
});
