import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { collectMessages } from '../../activities/intake/collect-messages.ts';
import { collectWindow, type WindowProgress } from '../../activities/intake/collect-window.ts';
import { tellPlatform } from '../../activities/intake/tell-platform.ts';
import { AdapterError } from '../../domain/failures.ts';
import { caseCollection } from '../../models/case-records.ts';
import { orderCollection } from '../../models/order-records.ts';
import { cursorCollection } from '../../models/shop-cursors.ts';
import { shopCollection } from '../../models/shop-records.ts';
import { loadKeyring } from '../../runtime/keyring.ts';
import { FakePlatform, type FakeTrade } from '../support/fake-channel.ts';
import { intakeBench, registerIntake } from '../support/intake-bench.ts';
import { openDatabase } from '../support/stored-orders.ts';

const connection = await openDatabase(registerIntake);
const keys = mkdtempSync(join(tmpdir(), 'orderhub-intake-'));
after(() => rmSync(keys, { recursive: true, force: true }));
const keyring = await loadKeyring(keys);

let platform: FakePlatform;
let bench: ReturnType<typeof intakeBench>;

beforeEach(async () => {
  await Promise.all([
    orderCollection(connection).deleteMany({}),
    cursorCollection(connection).deleteMany({}),
    caseCollection(connection).deleteMany({}),
    shopCollection(connection).deleteMany({}),
  ]);
  platform = new FakePlatform();
  bench = intakeBench(connection, platform, keyring);
  await bench.addShop('tb1');
});

const FROM = '2026-11-22T02:00:00.000Z';
const TO = '2026-11-22T02:30:00.000Z';
const at = (second: number) => new Date(Date.parse(FROM) + second * 1000).toISOString();
const trades = (count: number, rest: Partial<FakeTrade> = {}): FakeTrade[] =>
  Array.from({ length: count }, (_, i) => ({ id: String(7000 + i), modifiedAt: at(i), ...rest }));
const signal = new AbortController().signal;
const collect = (attempt = 1, known?: WindowProgress, reported: WindowProgress[] = [], sessions = bench.sessions) =>
  collectWindow(
    { sessions, collector: bench.collector },
    { shopId: 'tb1', from: FROM, to: TO, source: 'poll' },
    { attempt, known, report: (progress) => void reported.push(progress), signal },
  );
const messages = () => collectMessages(bench, 'tb1', { beat: () => undefined, signal });
const kindOf = (kind: AdapterError['kind']) => (error: unknown) => error instanceof AdapterError && error.kind === kind;
const cursor = () => bench.cursors.ensure('tb1');
const openCases = async () =>
  (await caseCollection(connection).find({ state: 'open' }).toArray()).map(({ _id, code }) => `${code} ${_id}`);

test('a window is collected page by page, and once more without a change', async () => {
  platform.put(...trades(120));
  assert.deepEqual(await collect(), { seen: 120, created: 120, changed: 0, unchanged: 0, failed: 0 });
  assert.deepEqual(await collect(), { seen: 120, created: 0, changed: 0, unchanged: 120, failed: 0 });
  assert.equal(platform.countOf('page'), 6);
});

test('C2: a token that is not taken is renewed once, and collecting goes on with the new one', async () => {
  platform.put(...trades(3));
  platform.token = 'token-2';
  platform.nextToken = 'token-3';
  const all = await Promise.all([collect(), collect(), messages()]);
  assert.equal(all[0]?.seen, 3);
  assert.equal(platform.countOf('refreshToken'), 1);
  assert.deepEqual(await bench.secretsOf('tb1'), { sessionKey: 'token-3', refreshToken: 'r1' });
  const { tokenExpiresAt, tokenDeadSince } = await cursor();
  assert.ok(tokenExpiresAt && tokenExpiresAt.getTime() > Date.now());
  assert.equal(tokenDeadSince, null);
  assert.equal((await shopCollection(connection).findOne({}))?.revision, 1);
});

test('processes that find the token dead at once renew it once among them', async () => {
  platform.token = 'token-2';
  platform.nextToken = 'token-3';
  await cursor();
  await Promise.all([
    collect(),
    collect(1, undefined, [], bench.newSessions()),
    collect(1, undefined, [], bench.newSessions()),
  ]);
  assert.equal(platform.countOf('refreshToken'), 1);
  assert.deepEqual(await openCases(), []);
});

test('C2: a token that cannot be renewed is a case, and the platform is not called again until the shop is changed', async () => {
  platform.token = 'token-2';
  await assert.rejects(collect(), kindOf('unauthorised'));
  assert.deepEqual(await openCases(), ['shop_token_dead tb1.shop_token_dead.1']);
  assert.ok((await cursor()).tokenDeadSince);
  const calls = platform.calls.length;
  await assert.rejects(collect(), kindOf('unauthorised'));
  await assert.rejects(messages(), kindOf('unauthorised'));
  await assert.rejects(collect(1, undefined, [], bench.newSessions()), kindOf('unauthorised'));
  assert.equal(platform.calls.length, calls);

  await bench.changeSecrets('tb1', { sessionKey: 'token-2' });
  platform.put(...trades(1));
  assert.equal((await collect()).seen, 1);
  assert.equal((await cursor()).tokenDeadSince, null);
  assert.deepEqual(await openCases(), []);
});

test('a token that is refused again right after its renewal is dead too, and not renewed for ever', async () => {
  platform.fail('changedOrders', 'unauthorised', { times: 2 });
  platform.nextToken = 'token-2';
  await assert.rejects(collect(), kindOf('unauthorised'));
  assert.deepEqual([platform.countOf('refreshToken'), (await openCases()).length], [1, 1]);
});

test('a renewal whose answer is lost leaves the token as it was; it is tried again', async () => {
  platform.token = 'token-2';
  platform.nextToken = 'token-3';
  platform.fail('refreshToken', 'unavailable');
  await assert.rejects(collect(), kindOf('unavailable'));
  assert.deepEqual(await openCases(), []);
  await collect();
  assert.deepEqual(await bench.secretsOf('tb1'), { sessionKey: 'token-3', refreshToken: 'r1' });
});

test('a token is renewed before it ends; while that fails, the present one is used and the platform not pestered', async () => {
  await cursor();
  await bench.cursors.noteToken('tb1', new Date(Date.now() + 1_800_000));
  for (let i = 0; i < 3; i += 1) await collect();
  assert.deepEqual([platform.countOf('refreshToken'), platform.countOf('changedOrders')], [1, 3]);
  assert.deepEqual(await openCases(), []);
  bench.clock.offsetMs = 700_000;
  platform.nextToken = 'token-2';
  await collect();
  await collect();
  assert.deepEqual([platform.countOf('refreshToken'), platform.token], [2, 'token-2']);
});

test('C2: throttled, the platform is left alone for as long as it asks, whoever asks', async () => {
  platform.put(...trades(1));
  platform.fail('page', 'throttled', { retryAfterMs: 20_000 });
  await assert.rejects(collect(), kindOf('throttled'));
  const calls = platform.calls.length;
  await assert.rejects(
    collect(),
    (error) => kindOf('throttled')(error) && Number((error as AdapterError).retryAfterMs) > 15_000,
  );
  assert.equal(platform.calls.length, calls);
  bench.clock.offsetMs = 21_000;
  assert.equal((await collect()).created, 1);
});

test('a window that fails again and again is done in ever shorter pieces, each collected once', async () => {
  platform.put(...trades(1800));
  platform.pageSize = 100;
  const reported: WindowProgress[] = [];
  let attempt = 1;
  for (let known: WindowProgress | undefined; ; attempt += 1) {
    assert.ok(attempt < 12, 'it never ends');
    const before = platform.countOf('page');
    platform.onPage = () => {
      if (platform.countOf('page') - before > 6) throw new AdapterError('fake', 'unavailable', 'enough');
    };
    try {
      const counts = await collect(attempt, known, reported);
      assert.equal(counts.seen, 1800);
      break;
    } catch (error) {
      assert.ok(kindOf('unavailable')(error));
      known = reported.at(-1);
    }
  }
  assert.ok(attempt > 2);
  assert.equal(await orderCollection(connection).countDocuments({}), 1800);
});

test('messages bring the orders that they name, each asked for once, and are confirmed when those are stored', async () => {
  platform.put(...trades(3));
  for (const id of ['7000', '7001', '7000', 'unknown', '7002']) platform.notice(id);
  platform.notice(null, 'ItemUpdate');
  assert.deepEqual(await messages(), { seen: 3, created: 3, changed: 0, unchanged: 0, failed: 0 });
  assert.equal(platform.countOf('order'), 4);
  assert.deepEqual(platform.waiting, []);
});

test('when the platform stops answering in the middle, what was fetched is stored and confirmed, the rest comes again', async () => {
  platform.put(...trades(6));
  for (let i = 0; i < 6; i += 1) platform.notice(String(7000 + i));
  platform.onOrder = (id) => {
    if (id === '7005') throw new AdapterError('fake', 'throttled', 'slowly', 1000);
    if (id === '7001') throw new AdapterError('fake', 'invalid', 'not for you');
  };
  await assert.rejects(messages(), kindOf('throttled'));
  assert.equal(await orderCollection(connection).countDocuments({}), 4);
  assert.deepEqual(platform.waiting, ['m6']);
  platform.onOrder = () => undefined;
  bench.clock.offsetMs = 2000;
  assert.equal((await messages()).created, 1);
  assert.deepEqual(platform.waiting, []);
});

test('a parcel is told in the platform’s own code where there is one', async () => {
  const tell = (courier: string) =>
    tellPlatform(
      bench,
      { shopId: 'tb1', platformOrderId: '7000', courier, trackingNo: 'T1', lineIds: ['1'], isPartial: false },
      signal,
    );
  assert.deepEqual(await tell('sf'), { state: 'told' });
  await tell('YTO');
  assert.deepEqual(
    platform.told.map(({ courier, trackingNo }) => `${courier} ${trackingNo}`),
    ['SF T1', 'YTO T1'],
  );
});

test('C3: a shop that fails is shown as failing at once, alerted once after 180 s, and its recovery is told', async () => {
  await bench.polls.plan('tb1');
  await bench.polls.noteFailure('tb1', 'unavailable: no answer');
  await bench.polls.fail({ shopId: 'tb1', pollId: 'run-1', error: 'unavailable: no answer', collectedTo: null });
  await bench.polls.fail({ shopId: 'tb1', pollId: 'run-1', error: 'unavailable: no answer', collectedTo: null });
  const first = await cursor();
  assert.deepEqual([first.consecutiveFailures, first.lastError, bench.alerts], [1, 'unavailable: no answer', []]);
  for (const second of [179, 185, 400, 2820]) {
    bench.clock.offsetMs = second * 1000;
    await bench.polls.noteFailure('tb1', 'unavailable: no answer');
    assert.equal(bench.alerts.length, second < 180 ? 0 : 1);
  }
  assert.equal((await cursor()).failingSince?.getTime(), first.failingSince?.getTime());
  await bench.polls.finish({ shopId: 'tb1', collectedTo: TO, isLast: true });
  const { consecutiveFailures, failingSince, lastError, watermark } = await cursor();
  assert.deepEqual([consecutiveFailures, failingSince, lastError, watermark?.toISOString()], [0, null, null, TO]);
  assert.ok(bench.logged.some(({ level, message }) => level === 'info' && message === 'A shop is collected again'));
});

test('polls begin an overlap before the watermark, which never moves back, and a new shop a day back', async () => {
  const day = await bench.polls.plan('tb1');
  assert.deepEqual([day.windows.length, day.isLast], [24, false]);
  const [oldest] = day.windows;
  assert.ok(oldest && Math.abs(Date.parse(oldest.from) - (Date.now() - 86_400_000)) < 5000);
  const now = Date.now();
  await bench.polls.finish({ shopId: 'tb1', collectedTo: new Date(now - 600_000).toISOString(), isLast: true });
  await bench.polls.finish({ shopId: 'tb1', collectedTo: new Date(now - 900_000).toISOString(), isLast: true });
  const { windows, isLast } = await bench.polls.plan('tb1');
  assert.deepEqual([windows.length, isLast, windows[0]?.from], [1, true, new Date(now - 720_000).toISOString()]);
});

test('a shop that is paused has nothing to be polled, and when it is resumed all since its watermark', async () => {
  const watermark = new Date(Date.now() - 3_600_000);
  await bench.cursors.ensure('tb1');
  await cursorCollection(connection).updateOne({ _id: 'tb1' }, { $set: { watermark, pausedAt: new Date() } });
  assert.deepEqual(await bench.polls.plan('tb1'), { channel: 'taobao', windows: [], isLast: true });
  assert.equal((await cursor()).lastPollAt, null);
  await cursorCollection(connection).updateOne({ _id: 'tb1' }, { $set: { pausedAt: null } });
  const [first] = (await bench.polls.plan('tb1')).windows;
  assert.equal(first?.from, new Date(watermark.getTime() - 120_000).toISOString());
});
