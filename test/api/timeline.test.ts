import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createOrderReadRoutes } from '../../api/orders/read/order-read-routes.ts';
import { SENTENCES, sentenceOf } from '../../api/orders/read/timeline-words.ts';
import { commitHubOf } from '../../models/commit-hub.ts';
import { warehouseCollection } from '../../models/warehouse-records.ts';
import { PlayedOrder, addWarehouses, receive } from '../support/stored-orders.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi({
  routes: (deps) => {
    commitHubOf(deps.connection);
    warehouseCollection(deps.connection);
    return createOrderReadRoutes(deps);
  },
});
const { connection } = api.deps;
const { committer } = commitHubOf(connection);
const admin = await api.as('boss', ['admin']);
await addWarehouses(connection, 'WH1');
await receive(committer, 'WH1', 'TEE', 10);

const timelineOf = async (orderId: string, query = '') =>
  api.call('GET', `/v1/orders/${orderId}/timeline${query}`, { token: admin });

const domain = join(import.meta.dirname, '../../domain');
const sources = readdirSync(domain).map((file) => readFileSync(join(domain, file), 'utf8'));

test('whatever the domain reports has a sentence', () => {
  const reports = sources.flatMap((source) => [...source.matchAll(/(?<!const )happen\(\s*\w+,([^{}]*?)(?:, \{|\);)/g)]);
  const others = sources.flatMap((source) => [
    ...source.matchAll(/\{ code: ('[a-z_]+'), params|endUnpaid\(state, context, ('[a-z_]+')/g),
  ]);
  const codes = [...reports, ...others].flatMap((match) => {
    const text = match.slice(1).join(' ');
    const found = [...text.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code);
    // `endUnpaid` passes its reason on; any other code that is not written out would escape this test.
    assert.ok(found.length > 0 || text.trim() === 'reason', `a report whose code is not written out: ${match[0]}`);
    return found;
  });
  assert.ok(codes.length >= 24, `only ${codes.length} codes found: has the domain another way to report?`);
  for (const code of codes) assert.ok(code && code in SENTENCES, `no sentence for ${code}`);
});

test('sentences say amounts in the currency and leave no hole where a value is missing', () => {
  const say = (code: string, params: Record<string, string | number | boolean | null> = {}, currency = 'CNY') =>
    sentenceOf({ code, params }, currency);
  assert.equal(say('payment_added', { paymentId: 'p1', amount: 28005 }), '280.05 CNY was paid (payment p1)');
  assert.equal(say('payment_added', { paymentId: 'p1', amount: 5 }, 'USD'), '0.05 USD was paid (payment p1)');
  assert.equal(say('payment_added', { paymentId: 'p1', amount: 500 }, 'JPY'), '500 JPY was paid (payment p1)');
  assert.equal(say('something_new'), 'something new');
  assert.match(say('cancelled', { reason: 'too slow', partly: false }), /^The order was cancelled: too slow$/);
  for (const code of Object.keys(SENTENCES)) assert.ok(say(code).length > 5, code);
});

test('what happened is told in words, oldest first, with who and when', async () => {
  const order = await new PlayedOrder({ orderId: 'own1.T1', units: { TEE: 3 } }).store(connection);
  assert.deepEqual((await timelineOf('own1.T1')).body, { items: [], nextCursor: null });
  await order.apply(committer, { type: 'opened' }, '2026-11-22T02:00:01.000Z');
  await order.apply(
    committer,
    { type: 'hold', code: 'manual', detail: 'the buyer is to be called' },
    '2026-11-22T02:00:02.000Z',
  );
  await order.apply(committer, { type: 'release', code: 'manual', roles: ['operations'] }, '2026-11-22T02:00:03.000Z');
  const ship = { type: 'ship' as const, warehouseId: 'WH1', courier: 'sf', trackingNo: 'SF1' };
  await order.apply(committer, { ...ship, lines: [{ lineId: 'TEE', quantity: 3 }] }, '2026-11-22T02:00:04.000Z');

  const { status, body } = await timelineOf('own1.T1');
  assert.equal(status, 200);
  assert.deepEqual(
    body.items.map(({ revision, at, text }: Record<string, unknown>) => [revision, at, text]),
    [
      [
        1,
        '2026-11-22T02:00:01.000Z',
        'The order came in: 30.00 CNY to pay, 30.00 CNY paid. The goods were reserved in WH1',
      ],
      [2, '2026-11-22T02:00:02.000Z', 'Put on hold, set by hand: the buyer is to be called'],
      [3, '2026-11-22T02:00:03.000Z', 'The hold ended: set by hand'],
      [4, '2026-11-22T02:00:04.000Z', '3 pieces left with sf, waybill SF1 (S1)'],
    ],
  );
  assert.deepEqual(body.items[3], {
    revision: 4,
    at: '2026-11-22T02:00:04.000Z',
    by: { kind: 'service', id: 'tester' },
    action: 'order.ship',
    text: '3 pieces left with sf, waybill SF1 (S1)',
    events: [
      {
        code: 'shipped',
        params: { shipmentId: 'S1', courier: 'sf', trackingNo: 'SF1', units: 3 },
        text: '3 pieces left with sf, waybill SF1 (S1)',
      },
    ],
  });

  const seen: number[] = [];
  for (let cursor = ''; ;) {
    const page = await timelineOf('own1.T1', `?limit=3${cursor}`);
    seen.push(...page.body.items.map(({ revision }: { revision: number }) => revision));
    if (page.body.nextCursor === null) break;
    cursor = `&cursor=${page.body.nextCursor}`;
  }
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test('the timeline of an order that is not there, or not for the caller, is not found', async () => {
  assert.equal((await timelineOf('own1.nowhere')).status, 404);
  const scoped = await api.as('far', ['operations'], ['other']);
  assert.equal((await api.call('GET', '/v1/orders/own1.T1/timeline', { token: scoped })).status, 404);
  assert.equal((await timelineOf('own1.T1', '?colour=red')).body.errors[0].path, 'colour');
  assert.equal((await timelineOf('own1.T1', '?cursor=abc')).status, 400);
});
