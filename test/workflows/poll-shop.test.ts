import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createChannelActivities } from '../../activities/channel-activities.ts';
import { Pace } from '../../activities/intake/pace.ts';
import { BackfillDesk } from '../../models/backfill-desk.ts';
import { BackfillStore } from '../../models/backfills.ts';
import { orderCollection } from '../../models/order-records.ts';
import { loadKeyring } from '../../runtime/keyring.ts';
import {
  BACKFILL_WORKFLOW,
  DISTRIBUTE_WORKFLOW,
  MESSAGES_WORKFLOW,
  POLL_WORKFLOW,
  newsArrivedSignal,
  shopPausedSignal,
  shopResumedSignal,
  type CollectCounts,
} from '../../workflows/channel-contract.ts';
import { FakePlatform } from '../support/fake-channel.ts';
import { FakeTeller } from '../support/fake-teller.ts';
import { intakeBench, registerIntake } from '../support/intake-bench.ts';
import { openDatabase } from '../support/stored-orders.ts';
import { eventually, newQueue, useRealTemporal } from '../support/temporal.ts';

const temporal = useRealTemporal();
const connection = await openDatabase(registerIntake);
const keys = mkdtempSync(join(tmpdir(), 'orderhub-intake-'));
after(() => rmSync(keys, { recursive: true, force: true }));
const keyring = await loadKeyring(keys);
const backfills = new BackfillStore(connection);

/** A shop of its own on a platform of its own, with a queue that is worked for as long as `run` takes. */
const inShop = async (run: (shop: ReturnType<typeof shopOf>) => Promise<void>): Promise<void> => {
  const shop = shopOf(`tb${randomUUID().slice(0, 8)}`);
  await shop.bench.addShop(shop.shopId);
  await temporal.runUntil({ taskQueue: shop.queue, activities: shop.activities }, () => run(shop));
};

const shopOf = (shopId: string) => {
  const queue = newQueue();
  const platform = new FakePlatform();
  const bench = intakeBench(connection, platform, keyring);
  const teller = new FakeTeller(connection);
  teller.firstStepMs = 1;
  const { orders, ended, watch, log, sessions, collector, polls, settings } = bench;
  const start = <T = CollectCounts>(type: string, input: object = {}) =>
    temporal.client.workflow.start<(input: object) => Promise<T>>(type, {
      taskQueue: queue,
      workflowId: `${type}/${shopId}/${randomUUID()}`,
      args: [{ shopId, ...input }],
    });
  const activities = createChannelActivities({
    sessions,
    collector,
    polls,
    orders,
    backfills,
    distribution: { orders, teller, ended, watch, log, pace: new Pace({ least: 8, most: 8 }) },
    startDistribution: async () => {
      await temporal.client.workflow.signalWithStart(DISTRIBUTE_WORKFLOW, {
        taskQueue: queue,
        workflowId: `distribute/${shopId}`,
        args: [{ shopId }],
        signal: newsArrivedSignal,
      });
    },
    settings,
    log,
  });
  return {
    shopId,
    queue,
    platform,
    bench,
    teller,
    activities,
    start,
    run: async (type: string, input: object = {}) => (await start(type, input)).result(),
    isToldOf: (count: number) =>
      eventually(async () => {
        assert.equal(teller.started.length, count);
        assert.equal(await orders.hasUntold(shopId), false);
      }, 20_000),
  };
};

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const spread = (platform: FakePlatform, count: number, oldestMinutes = 1000) =>
  platform.put(
    ...Array.from({ length: count }, (_, i) => ({
      id: `T${i}`,
      modifiedAt: ago((oldestMinutes * (count - i)) / count),
    })),
  );

test('a new shop is collected a day back, its orders are started, and the next poll finds nothing new', async () =>
  inShop(async ({ run, platform, teller, isToldOf, bench, shopId }) => {
    spread(platform, 150);
    platform.put({ id: 'OLD', modifiedAt: ago(1500) });
    const { created, changed, failed } = await run(POLL_WORKFLOW);
    assert.deepEqual({ created, changed, failed }, { created: 150, changed: 0, failed: 0 });
    await isToldOf(150);
    const { watermark, lastSuccessAt, consecutiveFailures } = await bench.cursors.ensure(shopId);
    assert.ok(watermark && Date.now() - watermark.getTime() < 30_000 && lastSuccessAt && consecutiveFailures === 0);
    const calls = [teller.started.length, teller.told.length];
    assert.equal((await run(POLL_WORKFLOW)).created, 0);
    assert.deepEqual([teller.started.length, teller.told.length], calls);
  }));

test('C3: a window that fails ends the poll quietly, what was done counts, and the next poll has everything', async () =>
  inShop(async ({ run, platform, isToldOf, bench, shopId }) => {
    spread(platform, 60);
    platform.onPage = () => {
      if (platform.countOf('page') > 10) platform.fail('changedOrders', 'invalid', { times: 1 });
    };
    const first = await run(POLL_WORKFLOW);
    assert.ok(first.created > 0 && first.created < 60, JSON.stringify(first));
    const failing = await bench.cursors.ensure(shopId);
    assert.deepEqual([failing.consecutiveFailures, failing.lastError], [1, 'invalid: changedOrders fails']);
    assert.ok(failing.watermark && failing.failingSince && !failing.lastSuccessAt);
    platform.onPage = () => undefined;
    await run(POLL_WORKFLOW);
    const { consecutiveFailures, failingSince, lastError } = await bench.cursors.ensure(shopId);
    assert.deepEqual([consecutiveFailures, failingSince, lastError], [0, null, null]);
    await isToldOf(60);
  }));

test('C2: throttled for a moment, the same poll waits as told and goes on', async () =>
  inShop(async ({ run, platform, isToldOf }) => {
    spread(platform, 10, 20);
    platform.fail('page', 'throttled', { retryAfterMs: 1500 });
    const since = Date.now();
    assert.equal((await run(POLL_WORKFLOW)).created, 10);
    assert.ok(Date.now() - since >= 1500);
    await isToldOf(10);
  }));

test('messages bring their orders at once; when they cannot be had, the run ends quietly', async () =>
  inShop(async ({ run, platform, isToldOf }) => {
    spread(platform, 3);
    for (const id of ['T0', 'T2', 'T0']) platform.notice(id);
    assert.equal((await run(MESSAGES_WORKFLOW)).created, 2);
    await isToldOf(2);
    platform.fail('messages', 'unavailable');
    assert.equal((await run(MESSAGES_WORKFLOW)).seen, 0);
  }));

test('C4: a window is backfilled twice, the second time nothing is created or changed', async () =>
  inShop(async ({ run, platform, isToldOf }) => {
    spread(platform, 80, 280);
    const span = { from: ago(300), to: ago(0) };
    const record = async (backfillId: string) => new BackfillDesk(connection).byId(backfillId);
    const [one, two] = [randomUUID(), randomUUID()];
    await run(BACKFILL_WORKFLOW, { ...span, backfillId: one });
    await isToldOf(80);
    const { state, windowsDone, windowsTotal, seen, created } = (await record(one)) ?? assert.fail();
    assert.deepEqual([state, windowsDone, windowsTotal, seen, created], ['done', 10, 10, 80, 80]);
    await run(BACKFILL_WORKFLOW, { ...span, backfillId: two });
    const second = (await record(two)) ?? assert.fail();
    assert.deepEqual(
      [second.state, second.seen, second.created, second.changed, second.unchanged],
      ['done', 80, 0, 0, 80],
    );
  }));

test('a backfill that is paused ends its window, waits, and goes on where it stopped', async () =>
  inShop(async ({ start, platform }) => {
    spread(platform, 60, 280);
    platform.pageDelayMs = 100;
    const backfillId = randomUUID();
    const handle = await start(BACKFILL_WORKFLOW, { from: ago(300), to: ago(0), backfillId });
    const is = (state: string) =>
      eventually(async () => assert.equal((await new BackfillDesk(connection).byId(backfillId))?.state, state), 10_000);
    await is('running');
    await handle.signal(shopPausedSignal);
    await is('paused');
    const { windowsDone, windowsTotal } = (await new BackfillDesk(connection).byId(backfillId)) ?? assert.fail();
    assert.ok(windowsDone < windowsTotal);
    platform.pageDelayMs = 0;
    await handle.signal(shopResumedSignal);
    assert.equal((await handle.result()).seen, 60);
    await is('done');
    assert.ok((await orderCollection(connection).countDocuments({})) >= 60);
  }));

test('orders that could not be told are told when there is news again', async () =>
  inShop(async ({ run, platform, teller, isToldOf, shopId }) => {
    spread(platform, 5, 20);
    teller.away.add(`${shopId}.T2`);
    await run(POLL_WORKFLOW);
    await eventually(() => assert.equal(teller.started.length, 4), 10_000);
    teller.away.clear();
    platform.put({ id: 'T9', modifiedAt: ago(0) });
    await run(POLL_WORKFLOW);
    await isToldOf(6);
  }));
