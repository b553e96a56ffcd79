import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfigRoutes } from '../../api/config/config-routes.ts';
import { currentMappings } from '../../config/current-mappings.ts';
import { CONFIG_DEFAULTS } from '../../config/documents.ts';
import { ConfigVersions } from '../../models/config-versions.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi({ routes: createConfigRoutes });
const admin = await api.as('boss', ['admin']);
const operator = await api.as('olga', ['operations']);
const get = (name: string, token = operator) => api.call('GET', `/v1/config/${name}`, { token });
const put = (name: string, body: unknown, token = operator, headers: Record<string, string> = {}) =>
  api.call('PUT', `/v1/config/${name}`, { token, body, headers });

/** As a worker reads, apart from the API's memory. */
const asWorker = () => new ConfigVersions(api.deps.connection, CONFIG_DEFAULTS);

test('every status that Taobao and Tmall have is mapped from the start', async () => {
  const STATUSES = {
    TRADE_NO_CREATE_PAY: 'unpaid',
    WAIT_BUYER_PAY: 'unpaid',
    PAY_PENDING: 'unpaid',
    WAIT_PRE_AUTH_CONFIRM: 'unpaid',
    PAID_FORBID_CONSIGN: 'paid:locked',
    WAIT_SELLER_SEND_GOODS: 'paid',
    SELLER_CONSIGNED_PART: 'partly_shipped',
    WAIT_BUYER_CONFIRM_GOODS: 'shipped',
    TRADE_FINISHED: 'finished',
    TRADE_CLOSED: 'closed_refunded',
    TRADE_CLOSED_BY_TAOBAO: 'closed_unpaid',
  };
  for (const channel of ['taobao', 'tmall'] as const) {
    const { status, body } = await get(`status-mappings.${channel}`);
    assert.equal(status, 200);
    assert.equal(body.revision, 1);
    for (const [code, phase] of Object.entries(STATUSES)) assert.equal(body.statuses[code], phase, code);
    assert.ok('TRADE_BUYER_SIGNED' in body.statuses);
    const couriers = (await get(`courier-mappings.${channel}`)).body.couriers;
    for (const code of ['SF', 'YTO', 'ZTO', 'STO', 'YUNDA']) assert.equal(couriers[code], code);
  }
});

test('a mapping is replaced whole as a new version, which workers read; the other channel keeps its own', async () => {
  const before = (await get('status-mappings.taobao')).body;
  const { WAIT_BUYER_PAY: _gone, ...statuses } = { ...before.statuses, NEW_STATUS: 'shipped' };
  const written = await put('status-mappings.taobao', { statuses });
  assert.deepEqual([written.status, written.body.revision], [200, 2]);
  const taobao = await currentMappings(asWorker(), 'taobao');
  assert.equal(taobao.statuses['NEW_STATUS'], 'shipped');
  assert.equal(taobao.statuses['WAIT_BUYER_PAY'], undefined, 'a row that was taken out does not come back');
  assert.deepEqual(taobao.versions, { statuses: 2, couriers: 1 });
  const tmall = await currentMappings(asWorker(), 'tmall');
  assert.equal(tmall.statuses['WAIT_BUYER_PAY'], 'unpaid');

  const couriers = { SF: 'SF', shunfeng: 'SF' };
  assert.equal((await put('courier-mappings.tmall', { couriers }, admin)).status, 200);
  assert.deepEqual((await currentMappings(asWorker(), 'tmall')).couriers, couriers);

  const { items } = (await get('status-mappings.taobao/versions')).body;
  assert.deepEqual(
    items.map(({ version, by }: { version: number; by: { id: string } }) => [version, by.id]),
    [
      [2, 'olga'],
      [1, 'defaults'],
    ],
  );
  assert.equal((await put('status-mappings.taobao', { statuses }, admin, { 'If-Match': '"1"' })).status, 412);
});

test('a channel that has no documents has no mappings', async () => {
  const none = { statuses: {}, couriers: {}, versions: { statuses: 0, couriers: 0 } };
  assert.deepEqual(await currentMappings(asWorker(), 'own'), none);
});

test('words that mean nothing, codes that are none, and too many rows are refused', async () => {
  const rows = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`S${i}`, 'paid']));
  for (const body of [
    {},
    { statuses: { A: 'payed' } },
    { statuses: { A: 'locked' } },
    { statuses: { A: null } },
    { statuses: { '': 'paid' } },
    { statuses: { 'A.B': 'paid' } },
    { statuses: { $where: 'paid' } },
    { statuses: { ['x'.repeat(65)]: 'paid' } },
    { statuses: rows(501) },
    { statuses: ['paid'] },
    { statuses: { A: 'paid' }, more: 1 },
    { A: 'paid' },
  ]) {
    const answer = await put('status-mappings.tmall', body);
    assert.equal(answer.status, 400, JSON.stringify(body).slice(0, 100));
  }
  assert.equal((await put('courier-mappings.tmall', { couriers: { SF: '' } })).status, 400);
  assert.equal((await get('status-mappings.tmall')).body.revision, 1, 'nothing was written');
});

test('a row that bears a name of the language is no row', async () => {
  const raw = '{"couriers":{"__proto__":"SF","SF":"SF"}}';
  const written = await api.call('PUT', '/v1/config/courier-mappings.taobao', { token: operator, raw });
  assert.deepEqual(written.body.couriers, { SF: 'SF' });
  const { couriers } = await currentMappings(asWorker(), 'taobao');
  assert.deepEqual(Object.entries(couriers), [['SF', 'SF']]);
});

test('operations and admin write mappings, nobody else; names that are none are not there', async () => {
  const statuses = { A: 'paid' };
  for (const role of ['finance', 'cs_supervisor', 'auditor', 'warehouse', 'service', 'cs_agent'] as const) {
    const token = await api.as(`u-${role}`, [role]);
    assert.equal((await put('status-mappings.taobao', { statuses }, token)).status, 403, role);
  }
  assert.equal((await get('status-mappings.taobao', await api.as('fred', ['finance']))).status, 200);
  for (const name of ['status-mappings.own', 'status-mappings', 'status-mappings.nothing', 'status-mappingsXtaobao'])
    assert.equal((await get(name)).status, 404, name);
});
