import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { createPushRoutes } from '../../api/push/push-routes.ts';
import type { PushReceiver, PushRequest } from '../../api/push/push-receivers.ts';
import { createShopRoutes } from '../../api/shops/shop-routes.ts';
import { createSyncRoutes } from '../../api/shops/sync-routes.ts';
import { orderCollection } from '../../models/order-records.ts';
import { cursorCollection } from '../../models/shop-cursors.ts';
import { newCursor } from '../../models/shop-sync-store.ts';
import { startTestApi } from './api-harness.ts';

const triggered: string[] = [];
let isAway = false;
/** Of Temporal, only what a push sets off. */
const temporal = {
  withDeadline: (_deadline: number, call: () => unknown) => call(),
  schedule: {
    getHandle: (scheduleId: string) => ({
      trigger: async () => {
        if (isAway) throw Object.assign(new Error('away'), { code: 14, details: '', metadata: {} });
        triggered.push(scheduleId);
      },
    }),
  },
} as unknown as Client;

const requests: PushRequest[] = [];
/** A platform that signs its bytes, and tests the address with a GET that it wants echoed. */
const kuaishou: PushReceiver = (shop, request) => {
  requests.push(request);
  if (request.method === 'GET')
    return {
      outcome: 'accepted',
      messages: [],
      acknowledgement: { status: 200, contentType: 'text/plain', body: request.query['echo'] ?? '' },
    };
  const sign = createHmac('sha256', shop.credentials['messageSecret'] ?? '')
    .update(request.body)
    .digest('hex');
  if (request.headers['x-sign'] !== sign) return { outcome: 'bad_signature' };
  const { id } = JSON.parse(request.body.toString('utf8')) as { id: string };
  const message = { messageId: 'm1', topic: 'paid', platformOrderId: id, sentAt: '2026-11-22T02:00:00Z' };
  const body = '{"result":1}';
  return {
    outcome: 'accepted',
    messages: [message],
    acknowledgement: { status: 200, contentType: 'application/json', body },
  };
};

const api = await startTestApi({
  temporal,
  routes: (deps) => {
    orderCollection(deps.connection);
    return [...createShopRoutes(deps), ...createSyncRoutes(deps), ...createPushRoutes(deps, { kuaishou })];
  },
});
const token = await api.as('boss', ['admin']);
const SECRET = 'message-secret';
const credentials: Record<string, Record<string, string>> = {
  kuaishou: { appKey: 'k', appSecret: 's', signSecret: 's', messageSecret: SECRET, accessToken: 't' },
  taobao: { appKey: 'k', appSecret: 's', sessionKey: 't' },
  own: {},
};
for (const [shopId, channel] of Object.entries({ ks1: 'kuaishou', tao1: 'taobao', own1: 'own' })) {
  const body = { channel, name: shopId, currency: 'CNY', credentials: credentials[channel] };
  const answer = await api.call('PUT', `/v1/shops/${shopId}`, { token, body });
  if (answer.status !== 200) throw new Error(answer.text);
}
const signed = (raw: string | Buffer) => ({
  raw,
  headers: {
    'X-Sign': createHmac('sha256', SECRET).update(raw).digest('hex'),
    'Content-Type': 'application/x-strange',
  },
});

test('a push with a good signature is acknowledged in the words of the platform and brings the poll forward', async () => {
  triggered.length = 0;
  // Bytes that no parser would give back as they are.
  const raw = Buffer.concat([Buffer.from('{"id": "9007199254740993001" , "x":"'), Buffer.from('茶"}')]);
  const answer = await api.call('POST', '/v1/push/ks1', signed(raw));
  assert.deepEqual([answer.status, answer.text], [200, '{"result":1}']);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.deepEqual(requests.at(-1)?.body, raw);
  assert.deepEqual(triggered, ['poll/ks1']);
});

test("a platform's test of the address is answered and sets off nothing", async () => {
  triggered.length = 0;
  const answer = await api.call('GET', '/v1/push/ks1?echo=a%20b%2Bc&timestamp=1');
  assert.deepEqual([answer.status, answer.text], [200, 'a b+c']);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
  assert.deepEqual(triggered, []);
});

test('a bad signature is 401, and leaves no trace', async () => {
  triggered.length = 0;
  for (const call of [
    { ...signed('{"id":"1"}'), raw: '{"id":"2"}' },
    { raw: '{"id":"1"}' },
    { raw: '' },
    { raw: Buffer.from([0xff, 0xfe, 0x00]) },
  ]) {
    const answer = await api.call('POST', '/v1/push/ks1', call);
    assert.deepEqual([answer.status, answer.body.code], [401, 'unauthenticated']);
  }
  assert.deepEqual(triggered, []);
  assert.equal(await orderCollection(api.deps.connection).countDocuments(), 0);
});

test('unknown shops and shops on channels that do not push are told apart by nobody: 404', async () => {
  const answers = [];
  for (const shopId of ['nothing', 'tao1', 'own1'])
    for (const method of ['GET', 'POST']) answers.push(await api.call(method, `/v1/push/${shopId}`, { headers: {} }));
  for (const { status, body } of answers)
    assert.deepEqual([status, body.code, body.detail], [404, 'not_found', 'Nothing is pushed to this address']);
  assert.equal((await api.call('PUT', '/v1/push/ks1', { raw: 'x' })).status, 405);
});

test('a body of nearly the bound is taken', async () => {
  const raw = JSON.stringify({ id: '1', more: 'x'.repeat(1024 * 1024 - 40) });
  assert.equal((await api.call('POST', '/v1/push/ks1', signed(raw))).status, 200);
});

test('a body beyond the bound is refused, also when it is sent compressed', async () => {
  const tooLarge = await api.call('POST', '/v1/push/ks1', signed('x'.repeat(1024 * 1024 + 1)));
  assert.deepEqual([tooLarge.status, tooLarge.body.code], [413, 'payload_too_large']);
  const { gzipSync } = await import('node:zlib');
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
  assert.ok(bomb.length < 100_000);
  const call = signed(bomb);
  const refused = await api.call('POST', '/v1/push/ks1', {
    ...call,
    headers: { ...call.headers, 'Content-Encoding': 'gzip' },
  });
  assert.equal(refused.status, 413);
});

test('what cannot be passed on now is not acknowledged, so that the platform sends it again', async () => {
  isAway = true;
  const answer = await api.call('POST', '/v1/push/ks1', signed('{"id":"1"}'));
  isAway = false;
  assert.deepEqual([answer.status, answer.body.code], [503, 'unavailable']);
});

test('a paused shop acknowledges and is not polled: what changed is collected when it is resumed', async () => {
  triggered.length = 0;
  const { _id, ...fields } = newCursor('ks1');
  const cursors = cursorCollection(api.deps.connection);
  await cursors.updateOne({ _id }, { $set: { ...fields, pausedAt: new Date() } }, { upsert: true });
  const answer = await api.call('POST', '/v1/push/ks1', signed('{"id":"1"}'));
  await cursors.deleteOne({ _id });
  assert.equal(answer.status, 200);
  assert.deepEqual(triggered, []);
});
