import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { cursorCollection } from '../../models/shop-cursors.ts';
import { startTestApi } from './api-harness.ts';

// Nothing listens there.
const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) });
const api = await startTestApi({ temporal });
const token = await api.as('boss', ['admin']);
const SHOP = {
  channel: 'taobao',
  name: 'Tea',
  currency: 'CNY',
  credentials: { appKey: 'k', appSecret: 's', sessionKey: 't1' },
};
const call = (method: string, path: string, body: unknown = {}) =>
  api.call(method, `/v1/shops/${path}`, { token, ...(method === 'GET' ? {} : { body }) });

test('while Temporal is away a shop is written, seen and paused all the same; what needs the engine answers 503', async () => {
  const began = Date.now();
  assert.equal((await call('PUT', 'tao1', SHOP)).status, 200);
  assert.equal((await call('PUT', 'own1', { ...SHOP, channel: 'own', credentials: {} })).status, 200);
  assert.ok(Date.now() - began < 8000, `${Date.now() - began} ms`);
  assert.equal((await call('GET', 'tao1/sync')).body.state, 'healthy');

  const from = new Date(Date.now() - 7200_000).toISOString();
  const to = new Date(Date.now() - 3600_000).toISOString();
  for (const answer of [await call('POST', 'tao1/poll'), await call('POST', 'tao1/backfills', { from, to })]) {
    assert.deepEqual([answer.status, answer.body.code], [503, 'unavailable']);
    assert.ok(answer.headers.get('retry-after'));
  }
  assert.deepEqual((await call('GET', 'tao1/backfills')).body.items, [], 'nothing that nobody carries out');

  const paused = await call('POST', 'tao1/pause');
  assert.deepEqual([paused.status, paused.body.state], [200, 'paused']);
  const cursors = cursorCollection(api.deps.connection);
  assert.ok((await cursors.findOne({ _id: 'tao1' }))?.pausedAt instanceof Date);
  assert.equal((await call('POST', 'tao1/poll')).status, 409);
});
