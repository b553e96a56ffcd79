import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createOrderReadRoutes } from '../../api/orders/read/order-read-routes.ts';
import { receiverRecordOf } from '../../domain/receiver-record.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { orderCollection, type OrderRecord } from '../../models/order-records.ts';
import { recordOf, snapshotOf } from '../support/stored-orders.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi({ routes: (deps) => createOrderReadRoutes(deps, { revealsPerDay: 5 }) });
const orders = orderCollection(api.deps.connection);
const SECRETS = { name: '诸葛孔明', phone: '13912345678', address: '卧龙岗茅庐巷 7 号 2-301' };

before(async () => {
  const region = { province: '河南省', city: '南阳市', district: '卧龙区', pickupStation: false };
  const receiver = receiverRecordOf({ ...SECRETS, ...region }, api.deps.sealer);
  const add = (orderId: string, changes: Partial<OrderRecord>) => {
    const snapshot = { ...snapshotOf({ orderId, units: { TEE: 1 } }), receiver };
    return orders.insertOne({ ...recordOf(snapshot), ...changes });
  };
  await add('own1.1', { status: 'awaiting_shipment', assignee: 'amy' });
  await add('own1.2', { status: 'completed', assignee: null });
  await add('own2.1', { status: 'awaiting_shipment', assignee: 'amy' });
});

const reveal = (
  token: string,
  orderId = 'own1.1',
  body: unknown = { fields: ['name', 'phone', 'address'], reason: 'the courier asks' },
) => api.call('POST', `/v1/orders/${orderId}/reveal`, { token, body });
const lead = await api.as('lea', ['cs_supervisor']);
const accessTo = (orderId: string) =>
  auditCollection(api.deps.connection)
    .find({ entity: `order/${orderId}/access` })
    .sort({ seq: 1 })
    .toArray();

test('what was asked for is shown in full, and nothing else', async () => {
  const all = await reveal(lead);
  assert.equal(all.status, 200);
  assert.deepEqual(all.body, { orderId: 'own1.1', ...SECRETS });
  assert.equal(all.headers.get('cache-control'), 'no-store');
  const one = await reveal(lead, 'own1.1', { fields: ['phone'], reason: 'call back' });
  assert.deepEqual(one.body, { orderId: 'own1.1', phone: SECRETS.phone });
});

test('who looked, at what and why is in the audit; what they saw is nowhere', async () => {
  const entries = await accessTo('own1.1');
  assert.deepEqual(
    entries.map(({ actor, action, detail, shopId }) => [actor.id, action, detail, shopId]),
    [
      ['lea', 'order.revealed', { fields: ['name', 'phone', 'address'], reason: 'the courier asks' }, 'own1'],
      ['lea', 'order.revealed', { fields: ['phone'], reason: 'call back' }, 'own1'],
    ],
  );
  const everything = JSON.stringify(await auditCollection(api.deps.connection).find({}).toArray()) + api.log();
  for (const secret of Object.values(SECRETS)) assert.ok(!everything.includes(secret), secret);
});

test('who may look is a matter of role, then of the order at hand', async () => {
  const cases: [string, Parameters<typeof api.as>[1], string[] | undefined, string, number][] = [
    ['adm', ['admin'], undefined, 'own1.1', 403],
    ['fin', ['finance'], undefined, 'own1.1', 403],
    ['ops', ['operations'], undefined, 'own1.1', 403],
    ['aud', ['auditor'], undefined, 'own1.1', 403],
    ['amy', ['cs_agent'], ['own1'], 'own1.1', 200],
    ['amy', ['cs_agent'], ['own1'], 'own1.2', 404],
    ['amy', ['cs_agent'], ['own1'], 'own2.1', 404],
    ['whs', ['warehouse'], undefined, 'own1.1', 200],
    ['whs', ['warehouse'], undefined, 'own1.2', 404],
    ['sup', ['cs_supervisor'], ['own1'], 'own2.1', 404],
    ['sup', ['cs_supervisor'], ['own1'], 'own1.9', 404],
  ];
  for (const [name, roles, shopIds, orderId, status] of cases)
    assert.equal((await reveal(await api.as(name, roles, shopIds), orderId)).status, status, `${name} ${orderId}`);
  assert.equal((await accessTo('own1.2')).length, 0);
});

test('a person may look so many times a day, also when they ask all at once; a service has no such limit', async () => {
  const eager = await api.as('eager', ['cs_supervisor']);
  const answers = await Promise.all(Array.from({ length: 12 }, () => reveal(eager)));
  const granted = answers.filter(({ status }) => status === 200);
  assert.equal(granted.length, 5);
  assert.equal(answers.filter(({ status }) => status === 429).length, 7);
  const refused = answers.find(({ status }) => status === 429);
  assert.equal(refused?.body.code, 'rate_limited');
  const retryAfter = Number(refused?.headers.get('retry-after'));
  assert.ok(retryAfter > 0 && retryAfter <= 86_400);
  assert.doesNotMatch(refused?.text ?? '', /139/);
  assert.equal((await accessTo('own1.1')).filter(({ actor }) => actor.id === 'eager').length, 5);
  // A wrong request and a foreign order cost nothing; the next person has their own count.
  assert.equal((await reveal(await api.as('other', ['cs_supervisor']))).status, 200);
});

test('a malformed request is refused by name and counts for nothing', async () => {
  const fresh = await api.as('fresh', ['cs_supervisor']);
  const wrong: [unknown, string][] = [
    [{ reason: 'x' }, 'fields'],
    [{ fields: [], reason: 'x' }, 'fields'],
    [{ fields: ['email'], reason: 'x' }, 'fields.0'],
    [{ fields: ['name', 'name'], reason: 'x' }, 'fields'],
    [{ fields: ['name'] }, 'reason'],
    [{ fields: ['name'], reason: '  ' }, 'reason'],
    [{ fields: ['name'], reason: 'x', why: 'y' }, 'why'],
  ];
  for (const [body, path] of wrong) {
    const answer = await reveal(fresh, 'own1.1', body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal(answer.body.errors[0].path, path);
  }
  for (let i = 0; i < 5; i += 1) assert.equal((await reveal(fresh)).status, 200);
  assert.equal((await reveal(fresh)).status, 429);
});
