import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShopRoutes } from '../../api/shops/shop-routes.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { orderCollection } from '../../models/order-records.ts';
import { shopCollection } from '../../models/shop-records.ts';
import { recordOf, snapshotOf } from '../support/stored-orders.ts';
import { startTestApi, type Call } from './api-harness.ts';

const api = await startTestApi({ routes: createShopRoutes });
const token = await api.as('boss', ['admin']);
const put = (shopId: string, body: unknown, more: Partial<Call> = {}) =>
  api.call('PUT', `/v1/shops/${shopId}`, { token, body, ...more });
const get = (path: string, as = token) => api.call('GET', `/v1/shops${path}`, { token: as });
const auditOf = (shopId: string) =>
  auditCollection(api.deps.connection)
    .find({ entity: `shop/${shopId}` })
    .sort({ seq: 1 })
    .toArray();

const SECRET = 'S3CRET-of-the-shop';
const CREDENTIALS: Record<string, Record<string, string>> = {
  taobao: {
    appKey: 'k',
    appSecret: SECRET,
    sessionKey: SECRET,
    refreshToken: SECRET,
    groupName: 'g',
    signMethod: 'hmac',
  },
  tmall: { appKey: 'k', appSecret: SECRET, sessionKey: SECRET },
  jd: { appKey: 'k', appSecret: SECRET, accessToken: SECRET },
  pinduoduo: { clientId: 'c', clientSecret: SECRET, accessToken: SECRET, refreshToken: SECRET },
  douyin: { appKey: 'k', appSecret: SECRET, accessToken: SECRET, platformShopId: '77' },
  kuaishou: { appKey: 'k', appSecret: SECRET, signSecret: SECRET, messageSecret: SECRET, accessToken: SECRET },
  youzan: { clientId: 'c', clientSecret: SECRET, kdtId: '1' },
  wechat: { appId: 'a', appSecret: SECRET, token: SECRET, encodingAesKey: SECRET },
  own: { webhookSecret: SECRET },
};
const shop = (channel: string, changes: object = {}) => ({
  channel,
  name: `Shop on ${channel}`,
  currency: 'CNY',
  credentials: CREDENTIALS[channel],
  ...changes,
});

test('a shop of every channel is made with the credentials of its platform, and with no others', async () => {
  for (const [channel, credentials] of Object.entries(CREDENTIALS)) {
    const made = await put(`s-${channel}`, shop(channel));
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(made.body.credentialsSet, Object.keys(credentials).sort());
    assert.equal(made.body.revision, 1);
    assert.equal(made.headers.get('etag'), '"1"');
    const foreign = await put(`t-${channel}`, shop(channel, { credentials: { ...credentials, pin: '1' } }));
    assert.equal(foreign.status, 400);
    assert.equal(foreign.body.errors[0].path, 'credentials.pin');
    if (channel === 'own') continue;
    const [first = '', ...others] = Object.entries(credentials).map(([name]) => name);
    const rest = Object.fromEntries(others.map((name) => [name, credentials[name]]));
    const lacking = await put(`t-${channel}`, shop(channel, { credentials: rest }));
    assert.equal(lacking.status, 400);
    assert.ok(
      lacking.body.errors.some(({ path }: { path: string }) => path === `credentials.${first}`),
      lacking.text,
    );
  }
  assert.equal((await get('/t-jd')).status, 404);
  assert.deepEqual((await put('s-own2', shop('own', { credentials: {} }))).body.polling, {
    enabled: false,
    everySec: 300,
    overlapSec: 120,
  });
  assert.deepEqual((await get('/s-jd')).body.polling, { enabled: true, everySec: 300, overlapSec: 120 });
});

test('secrets are sealed for their shop, and never shown, logged or audited', async () => {
  const everything = [
    (await get('/s-jd')).text,
    (await get('')).text,
    JSON.stringify(await shopCollection(api.deps.connection).find({}).toArray()),
    JSON.stringify(await auditCollection(api.deps.connection).find({}).toArray()),
    api.log(),
  ].join('\n');
  assert.ok(!everything.includes(SECRET));
  const record = await shopCollection(api.deps.connection).findOne({ _id: 's-jd' });
  assert.ok(record);
  assert.deepEqual(api.deps.sealer.unseal(record.credentialsSealed, 'shop/s-jd'), CREDENTIALS['jd']);
  assert.throws(() => api.deps.sealer.unseal(record.credentialsSealed, 'shop/s-own'));
});

test('a change is versioned, audited with before and after, and the same again is none', async () => {
  await put('v1', shop('jd'));
  assert.equal((await put('v1', shop('jd'))).body.revision, 1);
  const renamed = await put('v1', shop('jd', { name: 'Renamed', polling: { enabled: false, everySec: 60 } }));
  assert.equal(renamed.body.revision, 2);
  assert.deepEqual(renamed.body.polling, { enabled: false, everySec: 60, overlapSec: 120 });
  const renewed = { ...CREDENTIALS['jd'], accessToken: 'another' };
  assert.equal((await put('v1', shop('jd', { name: 'Renamed', credentials: renewed }))).body.revision, 3);
  const entries = await auditOf('v1');
  assert.deepEqual(
    entries.map(({ action, actor, detail }) => [action, actor.id, detail]),
    [
      ['shop.created', 'boss', { credentialsChanged: ['appKey', 'appSecret', 'accessToken'] }],
      ['shop.changed', 'boss', {}],
      ['shop.changed', 'boss', { credentialsChanged: ['accessToken'] }],
    ],
  );
  assert.equal((entries[1]?.before as { name: string } | undefined)?.name, 'Shop on jd');
  assert.equal((entries[1]?.after as { name: string } | undefined)?.name, 'Renamed');
});

test('If-Match refuses a change over something newer; of two at once one is told so', async () => {
  await put('m1', shop('own'));
  const stale = await put('m1', shop('own', { name: 'x' }), { headers: { 'If-Match': '"7"' } });
  assert.deepEqual([stale.status, stale.body.code, stale.body.revision], [412, 'stale_revision', 1]);
  assert.equal((await put('m2', shop('own'), { headers: { 'If-Match': '"1"' } })).status, 412);
  const both = await Promise.all(
    ['a', 'b'].map((name) => put('m1', shop('own', { name }), { headers: { 'If-Match': '"1"' } })),
  );
  assert.deepEqual(both.map(({ status }) => String(status)).sort(), ['200', '412']);
  assert.equal((await get('/m1')).body.revision, 2);
  const fresh = await Promise.all(['a', 'b', 'c'].map((name) => put('m3', shop('own', { name }))));
  assert.deepEqual(fresh.map(({ status, body }) => `${status} ${body.revision}`).sort(), ['200 1', '200 2', '200 3']);
});

test('the channel stays for ever, the currency once there are orders', async () => {
  await put('c1', shop('jd'));
  assert.equal((await put('c1', shop('own'))).status, 409);
  assert.equal((await put('c1', shop('jd', { currency: 'USD' }))).status, 200);
  await orderCollection(api.deps.connection).insertOne(recordOf(snapshotOf({ orderId: 'c1.1', units: { TEE: 1 } })));
  const refused = await put('c1', shop('jd', { currency: 'CNY' }));
  assert.deepEqual([refused.status, refused.body.code], [409, 'conflict']);
  assert.equal((await put('c1', shop('jd', { currency: 'USD', name: 'other' }))).status, 200);
});

test('a base URL is an origin that is not ours to call in secret', async () => {
  const good: [string, string][] = [
    ['https://8.8.8.8', 'https://8.8.8.8'],
    ['HTTPS://EXAMPLE.com:443/', 'https://example.com'],
    ['http://[2606:4700::1111]:8080', 'http://[2606:4700::1111]:8080'],
  ];
  for (const [baseUrl, stored] of good) assert.equal((await put('u1', shop('jd', { baseUrl }))).body.baseUrl, stored);
  const bad = [
    'example.com',
    'ftp://example.com',
    'javascript:alert(1)',
    'https://example.com/api',
    'https://example.com/?a=1',
    'https://user:pass@example.com',
    'http://127.0.0.1:8080',
    'http://localhost',
    'http://LOCALHOST.',
    'http://10.1.2.3',
    'http://192.168.1.1',
    'http://169.254.169.254',
    'http://[::1]',
    'http://[::ffff:10.0.0.1]',
    'http://[fd00::1]',
    'http://0.0.0.0',
    'http://2130706433',
    'http://0x7f.1',
    'http://printer',
    'http://wms.internal',
  ];
  for (const baseUrl of bad) {
    const { status, body } = await put('u1', shop('jd', { baseUrl }));
    assert.deepEqual([status, body.errors?.[0]?.path], [400, 'baseUrl'], baseUrl);
  }
  assert.equal((await put('u1', shop('jd'))).body.baseUrl, null);
});

test('private addresses are taken where the configuration allows it', async () => {
  const local = await startTestApi({ routes: createShopRoutes, settings: { allowPrivateUrls: true } });
  const answer = await local.call('PUT', '/v1/shops/l1', {
    token: await local.as('boss', ['admin']),
    body: shop('jd', { baseUrl: 'http://127.0.0.1:9090' }),
  });
  assert.equal(answer.body.baseUrl, 'http://127.0.0.1:9090');
});

test('what is malformed is refused by name and makes no shop', async () => {
  const wrong: [object, string][] = [
    [shop('ebay', { credentials: {} }), 'channel'],
    [shop('own', { currency: 'yuan' }), 'currency'],
    [shop('own', { name: '' }), 'name'],
    [shop('own', { colour: 'red' }), 'colour'],
    [shop('own', { credentials: undefined }), 'credentials'],
    [shop('own', { credentials: { webhookSecret: '' } }), 'credentials.webhookSecret'],
    [shop('jd', { polling: { enabled: true, everySec: 1 } }), 'polling.everySec'],
    [shop('jd', { polling: { everySec: 60 } }), 'polling.enabled'],
    [shop('jd', { paymentChannels: { alipay: 'a b' } }), 'paymentChannels.alipay'],
    [shop('jd', { paymentChannels: { paypal: 'a' } }), 'paymentChannels.paypal'],
  ];
  for (const [body, path] of wrong) {
    const answer = await put('w1', body);
    assert.deepEqual([answer.status, answer.body.errors?.[0]?.path], [400, path], answer.text);
  }
  assert.equal((await put('a.b', shop('own'))).status, 400);
  assert.equal((await get('/w1')).status, 404);
  assert.equal((await auditOf('w1')).length, 0);
});

test('who may see and change which shop', async () => {
  for (const role of ['cs_supervisor', 'finance', 'operations', 'auditor'] as const) {
    const as = await api.as(`r-${role}`, [role]);
    assert.equal((await get('/s-jd', as)).status, 200);
    assert.equal((await put('s-jd', shop('jd'), { token: as })).status, 403);
  }
  for (const role of ['cs_agent', 'warehouse', 'service'] as const)
    assert.equal((await get('/s-jd', await api.as(`r-${role}`, [role]))).status, 403);
  const scoped = await api.as('half', ['admin'], ['s-jd', 's-new']);
  assert.deepEqual(
    (await get('', scoped)).body.items.map(({ shopId }: { shopId: string }) => shopId),
    ['s-jd'],
  );
  assert.equal((await get('/s-own', scoped)).status, 404);
  assert.equal((await put('s-own', shop('own'), { token: scoped })).status, 404);
  assert.equal((await put('s-other', shop('own'), { token: scoped })).status, 404);
  assert.equal((await put('s-new', shop('own'), { token: scoped })).status, 200);
});

test('the list pages by id', async () => {
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const { body } = await get(`?limit=4${cursor}`);
    seen.push(...body.items.map(({ shopId }: { shopId: string }) => shopId));
    if (body.nextCursor === null) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  assert.deepEqual(seen, seen.toSorted());
  assert.equal(new Set(seen).size, await shopCollection(api.deps.connection).countDocuments({}));
});
