import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { distributeNews } from '../../activities/intake/distribute-news.ts';
import { Pace } from '../../activities/intake/pace.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { orderCollection } from '../../models/order-records.ts';
import { loadKeyring } from '../../runtime/keyring.ts';
import { collectedOf, FakePlatform, type FakeTrade } from '../support/fake-channel.ts';
import { FakeTeller } from '../support/fake-teller.ts';
import { intakeBench, registerIntake } from '../support/intake-bench.ts';
import { openDatabase } from '../support/stored-orders.ts';

const connection = await openDatabase(registerIntake);
const keys = mkdtempSync(join(tmpdir(), 'orderhub-intake-'));
after(() => rmSync(keys, { recursive: true, force: true }));
const bench = intakeBench(connection, new FakePlatform(), await loadKeyring(keys));
const { orders, ended, watch, log } = bench;
const orderDocs = orderCollection(connection);
let teller: FakeTeller;

beforeEach(async () => {
  await Promise.all([orderDocs.deleteMany({}), auditCollection(connection).deleteMany({})]);
  teller = new FakeTeller(connection);
});

const at = (second: number) => new Date(Date.parse('2026-11-22T02:00:00Z') + second * 1000).toISOString();
const SHOP = { shopId: 'tb1', channel: 'taobao' as const, currency: 'CNY' };
const add = (...trades: FakeTrade[]) =>
  bench.collector.add(trades.map(collectedOf), { shop: SHOP, source: 'poll', backfillId: null });
const many = (count: number): FakeTrade[] =>
  Array.from({ length: count }, (_, i) => ({ id: `T${String(i).padStart(4, '0')}`, modifiedAt: at(count - i) }));
const signal = new AbortController().signal;
const distribute = async (inFlight = 8) => {
  const pace = new Pace({ least: inFlight, most: inFlight });
  let told = 0;
  let failed = 0;
  for (let position: { at: string; orderId: string } | null = null; ;) {
    const deps = { orders, teller, ended, watch, log, pace };
    const answer: Awaited<ReturnType<typeof distributeNews>> = await distributeNews(
      deps,
      { shopId: 'tb1', after: position },
      { beat: () => undefined, signal },
    );
    told += answer.told;
    failed += answer.failed;
    position = answer.next;
    if (!position) return { told, failed };
  }
};

test('new orders are started, oldest news first, no more under way than allowed, and each once', async () => {
  await add(...many(90));
  await add({ id: 'U1', modifiedAt: at(200) });
  assert.deepEqual(await distribute(8), { told: 91, failed: 0 });
  assert.deepEqual([teller.started.length, new Set(teller.started).size, teller.told.length], [91, 91, 0]);
  assert.deepEqual([teller.started[0], teller.started.at(-1)], ['tb1.T0089', 'tb1.U1']);
  assert.ok(teller.mostUnderWay <= 8 && teller.mostUnderWay > 2, `${teller.mostUnderWay} at once`);
  assert.equal(await orders.hasUntold('tb1'), false);
  assert.deepEqual(await distribute(), { told: 0, failed: 0 });
});

test('a running order is told the newest snapshot; one whose news say nothing new is not called at all', async () => {
  await add(...many(3));
  await distribute();
  const changed = { id: 'T0001', modifiedAt: at(300), word: { lockedBy: 'LOCK' } };
  await add(changed, { id: 'T0002', modifiedAt: at(300), memo: 'call first' }, ...many(1));
  assert.deepEqual(await distribute(), { told: 1, failed: 0 });
  assert.deepEqual(
    teller.told.map(({ orderId, snapshot }) => [orderId, snapshot.platform?.lockedBy]),
    [['tb1.T0001', 'LOCK']],
  );
  assert.equal(teller.started.length, 3);
});

test('an order that was started with an older word, and has no step yet, is told the newer one', async () => {
  await add(...many(1));
  teller.running.add('tb1.T0000');
  assert.deepEqual(await distribute(), { told: 1, failed: 0 });
  assert.deepEqual([teller.started, teller.told.length], [[], 1]);
});

test('news that come while an order is being told wait for the next time', async () => {
  await add(...many(1));
  await distribute();
  await add({ id: 'T0000', modifiedAt: at(300), word: { lockedBy: 'A' } });
  teller.onTold = async () => {
    teller.onTold = async () => undefined;
    await add({ id: 'T0000', modifiedAt: at(301), word: { lockedBy: 'B' } });
  };
  await distribute();
  assert.equal(await orders.hasUntold('tb1'), true);
  await distribute();
  assert.deepEqual(
    teller.told.map(({ snapshot }) => snapshot.platform?.lockedBy),
    ['A', 'B'],
  );
  assert.equal(await orders.hasUntold('tb1'), false);
});

test('C6: an order that cannot be told does not keep the others', async () => {
  await add(...many(20));
  teller.away.add('tb1.T0019');
  teller.away.add('tb1.T0003');
  assert.deepEqual(await distribute(), { told: 18, failed: 2 });
  teller.away.clear();
  assert.deepEqual(await distribute(), { told: 2, failed: 0 });
});

test('an order that is over when it is first seen is written without a workflow, once, with its audit', async () => {
  const over = { status: 'TRADE_CLOSED_BY_TAOBAO', phase: 'closed_unpaid' as const, endedAt: at(5) };
  await add({ id: 'E1', modifiedAt: at(5), word: over }, { id: 'P1', modifiedAt: at(6) });
  await distribute();
  assert.deepEqual(teller.started, ['tb1.P1']);
  const record = await bench.record('tb1.E1');
  assert.equal(record?.revision, 1);
  assert.ok(record?.final && ['cancelled', 'closed'].includes(record.status), record?.status);
  // Told again after a crash: found written.
  const [untold] = [{ snapshot: record.snapshot }];
  assert.equal(await ended.openEnded(untold), true);
  assert.equal(await auditCollection(connection).countDocuments({ entity: 'order/tb1.E1' }), 1);
  assert.equal((await bench.record('tb1.E1'))?.revision, 1);
});

test('an order that has ended hears by its view, never by a workflow', async () => {
  const over = { status: 'TRADE_CLOSED_BY_TAOBAO', phase: 'closed_unpaid' as const, endedAt: at(5) };
  await add({ id: 'E1', modifiedAt: at(5), word: over });
  await distribute();
  await add({ id: 'E1', modifiedAt: at(9), word: { phase: 'paid' } });
  assert.deepEqual(await distribute(), { told: 1, failed: 0 });
  assert.deepEqual([teller.started, teller.told], [[], []]);
  assert.equal(await orders.hasUntold('tb1'), false);
});

test('more orders are under way at once while each is done quickly, fewer when they wait for one another', async () => {
  const pace = new Pace({ least: 2, most: 10, wantedMs: 100 });
  assert.equal(pace.limit, 2);
  for (let i = 0; i < 100; i += 1) pace.note(50);
  assert.equal(pace.limit, 10);
  for (let i = 0; i < 10; i += 1) pace.note(150);
  assert.equal(pace.limit, 5);
  for (let i = 0; i < 100; i += 1) pace.note(150);
  assert.equal(pace.limit, 2);
  let [underWay, most, done] = [0, 0, 0];
  const work = async () => {
    most = Math.max(most, (underWay += 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay -= 1;
    done += 1;
  };
  const failing = assert.rejects(pace.run(() => Promise.reject(new Error('failed'))));
  await Promise.all([failing, ...Array.from({ length: 20 }, () => pace.run(work))]);
  assert.deepEqual([most, done], [2, 20]);
});
