import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { inboxCollection } from '../../models/inbox.ts';
import { orderCollection } from '../../models/order-records.ts';
import { SkuMappingStore } from '../../models/sku-mapping-records.ts';
import { loadKeyring } from '../../runtime/keyring.ts';
import { runTransaction } from '../../models/transaction.ts';
import { collectedOf, FakePlatform, lineOf, type FakeTrade } from '../support/fake-channel.ts';
import { intakeBench, registerIntake } from '../support/intake-bench.ts';
import { openDatabase } from '../support/stored-orders.ts';

const connection = await openDatabase(registerIntake);
const keys = mkdtempSync(join(tmpdir(), 'orderhub-intake-'));
after(() => rmSync(keys, { recursive: true, force: true }));
const keyring = await loadKeyring(keys);
const bench = intakeBench(connection, new FakePlatform(), keyring);
const { collector, orders } = bench;
const orderDocs = orderCollection(connection);

beforeEach(async () => {
  await Promise.all([orderDocs.deleteMany({}), inboxCollection(connection).deleteMany({})]);
});

const SHOP = { shopId: 'tb1', channel: 'taobao' as const, currency: 'CNY' };
const add = (trades: FakeTrade[], by = collector) =>
  by.add(trades.map(collectedOf), { shop: SHOP, source: 'poll', backfillId: null });
const at = (second: number) => new Date(Date.parse('2026-11-22T02:00:00Z') + second * 1000).toISOString();
const id = (n: number) => String(4_000_000_000_000_000_000n + BigInt(n));
const many = (count: number, rest: Omit<FakeTrade, 'id'>) =>
  Array.from({ length: count }, (_, i): FakeTrade => ({ id: id(i), ...rest }));
const counts = (seen: number, rest: Partial<Record<'created' | 'changed' | 'unchanged' | 'failed', number>>) => ({
  seen,
  created: 0,
  changed: 0,
  unchanged: 0,
  failed: 0,
  ...rest,
});
/** Everything of the orders that a repetition could change. */
const everything = async () => JSON.stringify(await orderDocs.find({}).sort({ _id: 1 }).toArray());

test('C5, C4: a page of new orders is stored with exact ids, and the same page again writes nothing', async () => {
  const page = many(100, { modifiedAt: at(0) });
  assert.deepEqual(await add(page), counts(100, { created: 100 }));
  const record = await bench.record(`tb1.${id(7)}`);
  assert.equal(record?.snapshot.platformOrderId, '4000000000000000007');
  assert.deepEqual(
    [record?.revision, record?.status, record?.untold, record?.totals.payable, record?.runId],
    [0, 'backordered', true, 15_000, null],
  );
  const before = await everything();
  assert.deepEqual(await add(page), counts(100, { unchanged: 100 }));
  assert.equal(await everything(), before);
  assert.equal((await bench.inbox()).length, 100);
});

test('what is personal is sealed in the order and in the inbox', async () => {
  await add([{ id: id(1), modifiedAt: at(0) }]);
  const [raw] = await bench.inbox();
  const record = await bench.record(`tb1.${id(1)}`);
  const stored = JSON.stringify([raw, record]);
  for (const text of ['文***号', `oaid-${id(1)}`]) assert.ok(!stored.includes(text), text);
  assert.deepEqual(bench.sealer.unseal(record?.snapshot.receiver.sealed ?? ''), {
    name: '张**',
    phone: '138****8000',
    address: '文***号',
    token: `oaid-${id(1)}`,
  });
  assert.deepEqual(record?.snapshot.receiver.missing, []);
  const opened = bench.sealer.unseal<{ raw: string }>(raw?.rawSealed ?? '', `inbox/${raw?._id}`);
  assert.equal(JSON.parse(opened.raw).id, id(1));
  const days = ((raw?.expireAt.getTime() ?? 0) - (raw?.receivedAt.getTime() ?? 0)) / 86_400_000;
  assert.deepEqual([raw?.outcome, raw?.source, raw?.contentHash, days], ['created', 'poll', record?.contentHash, 30]);
});

test('a memo and our own parcel coming back are no news; a lock, money, an address and a foreign parcel are', async () => {
  const trade = { id: id(1), modifiedAt: at(0) };
  await add([trade]);
  const orderId = `tb1.${id(1)}`;
  await orderDocs.updateOne({ _id: orderId }, { $set: { waybills: ['SF100'], revision: 2 }, $unset: { untold: 1 } });
  const parcel = { courier: 'SF', trackingNo: ' sf100', lineIds: [`${id(1)}1`] };
  const change = async (second: number, rest: Partial<FakeTrade>) => {
    const { changed } = await add([{ ...trade, modifiedAt: at(second), ...rest }]);
    const isUntold = (await bench.record(orderId))?.untold === true;
    await orderDocs.updateOne({ _id: orderId }, { $unset: { untold: 1 } });
    assert.equal(isUntold, changed === 1);
    return changed;
  };
  assert.equal(await change(1, { memo: 'call first' }), 0);
  assert.equal(await change(2, { word: { phase: 'partly_shipped', status: 'PART', parcels: [parcel] } }), 0);
  const foreign = { courier: 'YTO', trackingNo: 'YT9', lineIds: [`${id(1)}2`] };
  assert.equal(await change(3, { word: { phase: 'shipped', parcels: [parcel, foreign] } }), 1);
  assert.equal(await change(4, { word: { lockedBy: 'PAID_FORBID_CONSIGN' } }), 1);
  assert.equal(await change(5, {}), 1);
  const receiver = { ...(collectedOf(trade).content?.receiver ?? assert.fail()), token: 'oaid-other' };
  assert.equal(await change(6, { receiver }), 1);
  assert.equal(await change(7, { receiver, word: { refundOpen: [`${id(1)}1`] } }), 1);
  assert.equal(await change(8, { receiver, word: { status: 'SOME_NEW_TEXT' } }), 1);
  assert.equal(await change(9, { receiver, word: { status: 'OTHER_TEXT' } }), 0);
  assert.equal(await change(10, { receiver, word: { phase: 'unknown', status: 'NEW_ONE' } }), 1);
  assert.equal(await change(11, { receiver, word: { phase: 'unknown', status: 'NEW_TWO' } }), 1);
});

test('O3: an older word that comes late never stands above a newer one, not even when the newer said nothing new', async () => {
  const trade = { id: id(1), modifiedAt: at(1) };
  await add([trade]);
  assert.deepEqual(
    await add([{ ...trade, modifiedAt: at(0), word: { phase: 'unpaid' } }]),
    counts(1, { unchanged: 1 }),
  );
  // Locked at 3 and unlocked at 5; what was said at 5 comes before what was said at 3.
  assert.deepEqual(await add([{ ...trade, modifiedAt: at(5), memo: 'x' }]), counts(1, { unchanged: 1 }));
  assert.deepEqual(
    await add([{ ...trade, modifiedAt: at(3), word: { lockedBy: 'LOCK' } }]),
    counts(1, { unchanged: 1 }),
  );
  const record = await bench.record(`tb1.${id(1)}`);
  assert.deepEqual([record?.snapshot.platform?.lockedBy, record?.snapshot.platform?.phase], [null, 'paid']);
});

test('two words of one second that differ count both, the later received stands', async () => {
  const trade = { id: id(1), modifiedAt: at(1) };
  await add([{ ...trade, word: { phase: 'unpaid' } }]);
  assert.deepEqual(await add([trade]), counts(1, { changed: 1 }));
  assert.equal((await bench.record(`tb1.${id(1)}`))?.snapshot.platform?.phase, 'paid');
});

test('an order that nobody has taken up shows its newest state; one that was taken up keeps the view of its workflow', async () => {
  const trade = { id: id(1), modifiedAt: at(0), word: { phase: 'unpaid' } as const };
  await add([trade, { ...trade, id: id(2) }]);
  await orderDocs.updateOne({ _id: `tb1.${id(2)}` }, { $set: { revision: 1, runId: 'run' } });
  const receivedAt = (await bench.record(`tb1.${id(1)}`))?.snapshot.receivedAt;
  await add([
    { ...trade, modifiedAt: at(1), word: { phase: 'paid' } },
    { id: id(2), modifiedAt: at(1) },
  ]);
  const [first, second] = [await bench.record(`tb1.${id(1)}`), await bench.record(`tb1.${id(2)}`)];
  assert.deepEqual([first?.status, first?.paymentStatus, first?.revision], ['backordered', 'paid', 0]);
  assert.equal(first?.snapshot.receivedAt, receivedAt);
  assert.deepEqual([second?.status, second?.revision, second?.runId], ['pending_payment', 1, 'run']);
  assert.equal(second?.snapshot.platform?.phase, 'paid');
});

test('C6: an order that cannot be understood is kept with its reason and its raw text, and the others pass', async () => {
  const broken = { ...lineOf('1', 'SKU-A', 100), discount: 101 };
  const page: FakeTrade[] = [
    { id: id(1), modifiedAt: at(0) },
    { id: id(2), modifiedAt: at(0), problem: 'payment is no amount' },
    { id: id(3), modifiedAt: at(0), lines: [broken] },
    { id: id(4), modifiedAt: at(0), lines: [lineOf('1', 'SKU-A', 0.5)] },
    { id: id(5), modifiedAt: at(0), lines: [lineOf('1', 'SKU-A', 100), lineOf('1', 'SKU-A', 100)] },
    { id: id(6), modifiedAt: 'yesterday' },
    { id: 'no id at all', modifiedAt: at(0) },
    { id: id(7), modifiedAt: at(0), placedAt: 'never' },
  ];
  assert.deepEqual(await add(page), counts(8, { created: 1, failed: 7 }));
  const reasons = await orderDocs
    .find({ 'snapshot.unmapped': { $exists: true } })
    .sort({ _id: 1 })
    .toArray();
  assert.deepEqual(
    reasons.map(({ snapshot }) => snapshot.unmapped),
    [
      'payment is no amount',
      'the discount of a line is above its price',
      'an amount of a line is no amount',
      'two of its lines have one id',
      'it has no time of change',
      'it could not be understood (RangeError)',
    ],
  );
  assert.deepEqual([reasons[0]?.snapshot.lines, reasons[0]?.untold], [[], true]);
  const raws = await bench.inbox();
  assert.equal(raws.filter(({ outcome, problem }) => outcome === 'failed' && problem !== null).length, 7);
  assert.deepEqual(await add(page.slice(0, 2)), counts(2, { unchanged: 1, failed: 1 }));
});

test('an order that was understood once keeps what is known of it, until it is understood again', async () => {
  const trade = { id: id(1), modifiedAt: at(0) };
  await add([trade]);
  await add([{ ...trade, modifiedAt: at(1), problem: 'cut off' }]);
  const held = await bench.record(`tb1.${id(1)}`);
  assert.deepEqual([held?.snapshot.unmapped, held?.snapshot.lines.length], ['cut off', 2]);
  await add([{ ...trade, modifiedAt: at(2) }]);
  const known = await bench.record(`tb1.${id(1)}`);
  assert.deepEqual([known?.snapshot.unmapped, known?.snapshot.lines.length], [undefined, 2]);
});

test('the mapping goes before the merchant code; with neither, the line has no SKU until it is mapped', async () => {
  const mappings = new SkuMappingStore(connection);
  const map = (platformSku: string, skuCode: string) =>
    runTransaction(connection, (session) =>
      mappings.write(
        { _id: `tb1/${platformSku}`, shopId: 'tb1', platformSku, skuCode, revision: 1, updatedAt: new Date() },
        0,
        session,
      ),
    );
  await map('ps-1', 'OURS');
  const lines = [lineOf('1', 'SKU-A', 100), lineOf('2', 'SKU-B', 100), lineOf('3', undefined, 100)];
  const trade = { id: id(1), modifiedAt: at(0), lines };
  await add([trade]);
  const skus = async () => (await bench.record(`tb1.${id(1)}`))?.snapshot.lines.map(({ skuCode }) => skuCode);
  assert.deepEqual(await skus(), ['OURS', 'SKU-B', null]);
  await map('ps-3', 'LATE');
  assert.deepEqual(await add([trade]), counts(1, { changed: 1 }));
  assert.deepEqual(await skus(), ['OURS', 'SKU-B', 'LATE']);
});

test('C1: rows that come twice in a page, and pages that many collectors store at once, make each order once', async () => {
  const page = many(60, { modifiedAt: at(0) });
  const others = [0, 1, 2].map(() => intakeBench(connection, new FakePlatform(), keyring).collector);
  const twice = [...page, { id: id(0), modifiedAt: at(1), word: { lockedBy: 'LOCK' } }, ...page.slice(0, 5)];
  const answers = await Promise.all([add(twice), ...others.map((other) => add(page, other))]);
  for (const { seen, created, changed, unchanged } of answers) assert.equal(created + changed + unchanged, seen);
  assert.equal(await orderDocs.countDocuments({}), 60);
  assert.equal((await bench.record(`tb1.${id(0)}`))?.snapshot.platform?.lockedBy, 'LOCK');
});

test('a key that was replaced makes no order news, and no receiver another one', async () => {
  const trade = { id: id(1), modifiedAt: at(0) };
  await add([trade]);
  const identity = (await bench.record(`tb1.${id(1)}`))?.snapshot.receiver.identity;
  const old = bench.sealer;
  const rotated: typeof old = {
    seal: (value, context) => old.seal(value, context),
    unseal: (sealed, context) => old.unseal(sealed, context),
    blindIndex: (kind, value) => old.blindIndex(kind, `new ${value}`),
    blindIndexes: (kind, value) => [old.blindIndex(kind, `new ${value}`), old.blindIndex(kind, value)],
  };
  const other = intakeBench(connection, new FakePlatform(), keyring, rotated);
  assert.deepEqual(await add([trade], other.collector), counts(1, { unchanged: 1 }));
  assert.deepEqual(
    await add([{ ...trade, modifiedAt: at(1), word: { lockedBy: 'L' } }], other.collector),
    counts(1, { changed: 1 }),
  );
  assert.equal((await bench.record(`tb1.${id(1)}`))?.snapshot.receiver.identity, identity);
});

test('news wait in the order of their times, and settle only as what was told', async () => {
  await add(many(5, { modifiedAt: at(9) }));
  await add([{ id: id(9), modifiedAt: at(3) }]);
  const walk: string[] = [];
  for (let position: { at: string; orderId: string } | undefined; ;) {
    const some = await orders.untoldPositions('tb1', { after: position, limit: 2 });
    walk.push(...some.map(({ orderId }) => orderId));
    position = some.at(-1);
    if (!position) break;
  }
  assert.deepEqual(
    walk,
    [9, 0, 1, 2, 3, 4].map((n) => `tb1.${id(n)}`),
  );
  const [first, second] = await orders.untold(walk.slice(0, 2));
  assert.ok(first && second);
  await add([{ id: id(9), modifiedAt: at(10), word: { lockedBy: 'L' } }]);
  await orders.settle([first, second].map(({ _id: orderId, heard }) => ({ orderId, heard })));
  assert.deepEqual(
    (await orders.untoldPositions('tb1', { limit: 10 })).map(({ orderId }) => orderId),
    [1, 2, 3, 4, 9].map((n) => `tb1.${id(n)}`),
  );
  assert.deepEqual(await orders.untold([`tb1.${id(0)}`]), []);
  assert.deepEqual([await orders.hasUntold('tb1'), await orders.hasUntold('tb2')], [true, false]);
});
