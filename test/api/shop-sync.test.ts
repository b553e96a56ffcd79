import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { ScheduleNotFoundError } from '@temporalio/client';
import { collectingOf } from '../../api/shops/collecting.ts';
import { sweepShops } from '../../api/shops/schedule-sweep.ts';
import { syncStateOf } from '../../api/shops/sync-view.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { backfillCollection } from '../../models/backfills.ts';
import { CaseStore } from '../../models/case-store.ts';
import { cursorCollection, type ShopCursor } from '../../models/shop-cursors.ts';
import { shopCollection } from '../../models/shop-records.ts';
import { newCursor } from '../../models/shop-sync-store.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EncryptionCodec } from '../../runtime/payload-codec.ts';
import { connectTemporal, ensureNamespace, ensureSearchAttributes } from '../../runtime/temporal.ts';
import { backfillWorkflowId } from '../../workflows/channel-contract.ts';
import { temporalAddress } from '../support/servers.ts';
import { eventually, startTestApi, testKeyring, type Call } from './api-harness.ts';

const quiet = createLogger({ stream: new PassThrough().resume() });
const config = loadConfig({
  TEMPORAL_ADDRESS: await temporalAddress(),
  TEMPORAL_NAMESPACE: `shops-${randomUUID()}`,
  MONGODB_URI: 'mongodb://unused',
});
const temporal = await connectTemporal(config, new EncryptionCodec(testKeyring()), quiet);
await ensureNamespace(temporal.connection, config.temporal.namespace, quiet);
await ensureSearchAttributes(temporal.connection, config.temporal.namespace, quiet);
after(() => temporal.close());

const api = await startTestApi({ temporal: temporal.client });
const { connection } = api.deps;
const collecting = collectingOf(api.deps);
const cursors = cursorCollection(connection);
const admin = await api.as('boss', ['admin']);
const operator = await api.as('olga', ['operations']);

const SHOP = {
  channel: 'taobao',
  name: 'Tea',
  currency: 'CNY',
  credentials: { appKey: 'k', appSecret: 's', sessionKey: 't1' },
};
let shops = 0;
/** A shop of its own for each test; not polled by itself unless told. */
const putShop = async (changes: object = {}, shopId = `tao${(shops += 1)}`): Promise<string> => {
  const body = { ...SHOP, polling: { enabled: false }, ...changes };
  const answer = await api.call('PUT', `/v1/shops/${shopId}`, { token: admin, body });
  assert.equal(answer.status, 200, answer.text);
  return shopId;
};
const post = (path: string, body: unknown = {}, more: Partial<Call> = {}) =>
  api.call('POST', `/v1/shops/${path}`, { token: operator, body, ...more });
const get = (path: string, token = operator) => api.call('GET', `/v1/shops/${path}`, { token });
const moveCursor = (shopId: string, changes: Partial<ShopCursor>) =>
  cursors.updateOne({ _id: shopId }, { $set: { ...newCursor(shopId), ...changes } }, { upsert: true });
const scheduleOf = (scheduleId: string) => temporal.client.schedule.getHandle(scheduleId).describe();
const noSchedule = (scheduleId: string) => assert.rejects(scheduleOf(scheduleId), ScheduleNotFoundError);
const actionsTaken = async (scheduleId: string) => (await scheduleOf(scheduleId)).info.numActionsTaken;
/** Nobody works on polls here, so each runs until it is ended. */
const endPoll = async (shopId: string): Promise<void> => {
  const { runningActions } = (await scheduleOf(`poll/${shopId}`)).info;
  assert.equal(runningActions.length, 1);
  const runIdsOf = async () =>
    (await scheduleOf(`poll/${shopId}`)).info.runningActions.map(({ workflow }) => workflow.firstExecutionRunId);
  for (const { workflow } of runningActions) {
    await temporal.client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId).terminate();
    await eventually(async () => assert.ok(!(await runIdsOf()).includes(workflow.firstExecutionRunId)));
  }
};
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
const signalsOf = async (shopId: string, backfillId: string): Promise<string[]> => {
  const { events = [] } = await temporal.client.workflow
    .getHandle(backfillWorkflowId(shopId, backfillId))
    .fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? []);
};

test('a new shop is healthy before its first poll, and late once it should have had one', async () => {
  const shopId = await putShop();
  const { status, body } = await get(`${shopId}/sync`);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), [
    'state',
    'watermark',
    'lagSec',
    'lastPollAt',
    'lastSuccessAt',
    'consecutiveFailures',
  ]);
  assert.deepEqual([body.state, body.watermark, body.lastPollAt, body.consecutiveFailures], ['healthy', null, null, 0]);
  assert.ok(body.lagSec < 30, `${body.lagSec}`);
});

test('the state follows from the watermark, from how long failures last, and from the token', () => {
  const now = Date.parse('2026-11-22T02:00:00Z');
  const before = (seconds: number) => new Date(now - seconds * 1000);
  const shop = { revision: 4, createdAt: before(900) };
  const limits = { lateMs: 600_000, failingMs: 180_000 };
  const stateOf = (changes: Partial<ShopCursor>, of = shop) =>
    syncStateOf(of, { ...newCursor('s'), ...changes }, limits, now);

  assert.equal(stateOf({}), 'late', 'made 900 s ago and never polled');
  assert.equal(stateOf({}, { ...shop, createdAt: before(600) }), 'healthy');
  assert.equal(stateOf({ watermark: before(600) }), 'healthy');
  assert.equal(stateOf({ watermark: before(601) }), 'late');
  assert.equal(stateOf({ watermark: before(10), failingSince: before(179) }), 'healthy');
  assert.equal(stateOf({ watermark: before(10), failingSince: before(180) }), 'failing');
  assert.equal(stateOf({ watermark: before(3000), failingSince: before(3000) }), 'failing', 'before late');
  assert.equal(stateOf({ watermark: before(1), tokenDeadSince: before(1), tokenDeadRevision: 4 }), 'failing');
  assert.equal(
    stateOf({ watermark: before(1), tokenDeadSince: before(1), tokenDeadRevision: 3 }),
    'healthy',
    'a token of an older record says nothing of the present one',
  );
  const worst = { failingSince: before(3000), tokenDeadSince: before(1), tokenDeadRevision: 4 };
  assert.equal(stateOf({ ...worst, pausedAt: before(1) }), 'paused', 'before all else');
});

test('what the cursor says is shown, measured by the timers in force', async () => {
  const shopId = await putShop();
  const tokenExpiresAt = new Date('2027-01-01T00:00:00Z');
  await moveCursor(shopId, {
    watermark: ago(700),
    lastPollAt: ago(5),
    lastSuccessAt: ago(700),
    consecutiveFailures: 3,
    failingSince: ago(30),
    lastError: 'unavailable: no answer within 10 s',
    tokenExpiresAt,
  });
  const late = (await get(`${shopId}/sync`)).body;
  assert.equal(late.state, 'late');
  assert.ok(late.lagSec >= 700 && late.lagSec < 720, `${late.lagSec}`);
  assert.equal(late.consecutiveFailures, 3);
  assert.equal(late.lastError, 'unavailable: no answer within 10 s');
  assert.equal(late.tokenExpiresAt, tokenExpiresAt.toISOString());

  const timers = (await api.call('GET', '/v1/config/timers', { token: admin })).body;
  const shorter = { ...timers, heartbeat: 'PT10S' };
  assert.equal((await api.call('PUT', '/v1/config/timers', { token: admin, body: shorter })).status, 200);
  assert.equal((await get(`${shopId}/sync`)).body.state, 'failing', '30 s are three heartbeats of 10 s');
});

test('a shop has a schedule as its record says, and one for messages while it has a group', async () => {
  const shopId = await putShop({ polling: { enabled: true, everySec: 120 } });
  const poll = await scheduleOf(`poll/${shopId}`);
  assert.equal(poll.spec.intervals?.[0]?.every, 120_000);
  assert.equal(poll.policies.overlap, 'SKIP');
  assert.equal(poll.policies.catchupWindow, 300_000);
  assert.equal(poll.state.paused, false);
  assert.deepEqual(
    [poll.action.workflowType, poll.action.taskQueue, poll.action.args],
    ['pollShopWorkflow', 'channels', [{ shopId }]],
  );
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 1, 'the first poll comes at once'));
  await noSchedule(`messages/${shopId}`);

  const credentials = { ...SHOP.credentials, groupName: 'g' };
  await putShop({ polling: { enabled: false, everySec: 60 }, credentials }, shopId);
  const changed = await scheduleOf(`poll/${shopId}`);
  assert.deepEqual([changed.spec.intervals?.[0]?.every, changed.state.paused], [60_000, true]);
  assert.deepEqual(changed.action.args, [{ shopId }]);
  const messages = await scheduleOf(`messages/${shopId}`);
  assert.deepEqual(
    [messages.action.workflowType, messages.spec.intervals?.[0]?.every, messages.state.paused],
    ['shopMessagesWorkflow', 15_000, true],
  );

  await putShop({ polling: { enabled: true, everySec: 60 } }, shopId);
  await noSchedule(`messages/${shopId}`);
  assert.equal((await scheduleOf(`poll/${shopId}`)).state.paused, false);
});

test('own shops and channels that are not collected from yet have no schedule and nothing to steer', async () => {
  const own = await putShop({ channel: 'own', credentials: {}, polling: undefined }, 'own9');
  const credentials = { appKey: 'k', appSecret: 's', accessToken: 't' };
  const jd = await putShop({ channel: 'jd', credentials, polling: { enabled: true } }, 'jd9');
  for (const shopId of [own, jd]) {
    await noSchedule(`poll/${shopId}`);
    for (const answer of [
      await get(`${shopId}/sync`),
      await post(`${shopId}/poll`),
      await post(`${shopId}/pause`),
      await post(`${shopId}/backfills`, { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }),
    ])
      assert.deepEqual([answer.status, answer.body.code], [422, 'rule_violation']);
  }
  assert.match((await get(`${own}/sync`)).body.detail, /posted/);
});

test('a poll is started by hand, also while polling is not enabled; several at once are one', async () => {
  const shopId = await putShop();
  assert.equal(await actionsTaken(`poll/${shopId}`), 0);
  const answer = await post(`${shopId}/poll`);
  assert.equal(answer.status, 202);
  assert.equal(answer.body.state, 'healthy');
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 1));
  for (let i = 0; i < 3; i += 1) assert.equal((await post(`${shopId}/poll`)).status, 202);
  await endPoll(shopId);
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 2, 'the others waited'));
  await endPoll(shopId);
  assert.equal(await actionsTaken(`poll/${shopId}`), 2, 'as one');
});

test('a poll by hand makes the schedule that is missing', async () => {
  const shopId = await putShop();
  await temporal.client.schedule.getHandle(`poll/${shopId}`).delete();
  assert.equal((await post(`${shopId}/poll`)).status, 202);
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 1));
});

test('a paused shop is neither polled nor backfilled, by nobody, until it is resumed; both are audited once', async () => {
  const shopId = await putShop({ polling: { enabled: true, everySec: 3600 } });
  const window = { from: ago(7200).toISOString(), to: ago(3600).toISOString() };
  const { backfillId } = (await post(`${shopId}/backfills`, window)).body;
  for (const _again of [1, 2]) {
    const paused = await post(`${shopId}/pause`);
    assert.deepEqual([paused.status, paused.body.state], [200, 'paused']);
  }
  assert.equal((await get(`${shopId}/sync`)).body.state, 'paused');
  assert.equal((await scheduleOf(`poll/${shopId}`)).state.paused, true);
  assert.ok((await cursors.findOne({ _id: shopId }))?.pausedAt instanceof Date);
  assert.ok((await signalsOf(shopId, backfillId)).includes('shopPaused'));
  for (const answer of [await post(`${shopId}/poll`), await post(`${shopId}/backfills`, window)])
    assert.deepEqual(
      [answer.status, answer.body.code, answer.body.allowedActions],
      [409, 'action_not_allowed', ['resume']],
    );

  // A change of the shop does not end the pause.
  await putShop({ polling: { enabled: true, everySec: 1800 } }, shopId);
  assert.equal((await scheduleOf(`poll/${shopId}`)).state.paused, true);

  await backfillCollection(connection).updateOne({ _id: backfillId }, { $set: { state: 'paused' } });
  await endPoll(shopId);
  assert.equal(await actionsTaken(`poll/${shopId}`), 1);
  for (const _again of [1, 2]) {
    const resumed = await post(`${shopId}/resume`);
    assert.deepEqual([resumed.status, resumed.body.state], [200, 'healthy']);
  }
  const { state, spec } = await scheduleOf(`poll/${shopId}`);
  assert.deepEqual([state.paused, spec.intervals?.[0]?.every], [false, 1_800_000]);
  assert.ok((await signalsOf(shopId, backfillId)).includes('shopResumed'));
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 2, 'it polls at once'));
  const entries = await auditCollection(connection)
    .find({ entity: `shop/${shopId}`, action: { $in: ['shop.paused', 'shop.resumed'] } })
    .sort({ seq: 1 })
    .toArray();
  assert.deepEqual(
    entries.map(({ action, actor }) => [action, actor.id]),
    [
      ['shop.paused', 'olga'],
      ['shop.resumed', 'olga'],
    ],
  );
});

test('a dead token stops polls by hand until there are new credentials, which close its case and poll at once', async () => {
  const shopId = await putShop({ polling: { enabled: true, everySec: 3600 } });
  const cases = new CaseStore(connection);
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 1));
  await endPoll(shopId);
  await moveCursor(shopId, { watermark: ago(1), tokenDeadSince: ago(60), tokenDeadRevision: 1 });
  const caseId = `${shopId}-token`;
  await cases.open({ caseId, code: 'shop_token_dead', orderId: null, shopId, detail: '27' });
  await cases.open({ caseId: `${shopId}-other`, code: 'dead_letter', orderId: null, shopId, detail: '' });

  assert.equal((await get(`${shopId}/sync`)).body.state, 'failing');
  const refused = await post(`${shopId}/poll`);
  assert.deepEqual([refused.status, refused.body.code], [409, 'action_not_allowed']);
  assert.match(refused.body.detail, /credentials/);

  // The same again is no new token.
  await putShop({ polling: { enabled: true, everySec: 3600 } }, shopId);
  assert.equal((await cases.byId(caseId))?.state, 'open');
  assert.equal((await get(`${shopId}/sync`)).body.state, 'failing');
  assert.equal(await actionsTaken(`poll/${shopId}`), 1);

  const credentials = { ...SHOP.credentials, sessionKey: 't2' };
  await putShop({ polling: { enabled: true, everySec: 3600 }, credentials }, shopId);
  assert.equal((await get(`${shopId}/sync`)).body.state, 'healthy');
  await eventually(async () => assert.equal(await actionsTaken(`poll/${shopId}`), 2));
  const cursor = await cursors.findOne({ _id: shopId });
  assert.deepEqual([cursor?.tokenDeadSince, cursor?.tokenDeadRevision], [null, null]);
  const closed = await cases.byId(caseId);
  assert.deepEqual([closed?.state, closed?.resolvedBy], ['resolved', 'boss']);
  assert.equal((await cases.byId(`${shopId}-other`))?.state, 'open');
  const audited = await auditCollection(connection).findOne({ entity: `case/${caseId}` });
  assert.deepEqual([audited?.action, audited?.actor.id], ['case.resolved', 'boss']);
  assert.equal((await post(`${shopId}/poll`)).status, 202);
});

test('a token that the platform has renewed outlives a shop that is written again as before, until it is dead', async () => {
  const shopId = await putShop();
  const { sealer } = api.deps;
  const shopRecords = shopCollection(connection);
  const tokenOf = async () => {
    const record = await shopRecords.findOne({ _id: shopId });
    assert.ok(record);
    return sealer.unseal<{ sessionKey: string }>(record.credentialsSealed, `shop/${shopId}`).sessionKey;
  };
  const renew = () =>
    shopRecords.updateOne(
      { _id: shopId },
      { $set: { credentialsSealed: sealer.seal({ ...SHOP.credentials, sessionKey: 'renewed' }, `shop/${shopId}`) } },
    );
  await renew();
  await putShop({}, shopId);
  await putShop({ name: 'Tea and more' }, shopId);
  assert.equal(await tokenOf(), 'renewed');
  const named = await shopRecords.findOne({ _id: shopId });
  assert.deepEqual([named?.name, named?.revision], ['Tea and more', 2]);

  await putShop({ credentials: { ...SHOP.credentials, sessionKey: 'by hand' } }, shopId);
  assert.equal(await tokenOf(), 'by hand');
  await renew();
  await moveCursor(shopId, { tokenDeadSince: ago(5), tokenDeadRevision: 3 });
  await putShop({ credentials: { ...SHOP.credentials, sessionKey: 'by hand' } }, shopId);
  assert.equal(await tokenOf(), 'by hand', 'what was renewed is dead: what people say is tried');
  assert.equal((await get(`${shopId}/sync`)).body.state, 'healthy');
});

test('a backfill is started once for its key, can be watched, and is listed newest first', async () => {
  const shopId = await putShop();
  const from = ago(86_400).toISOString();
  const to = ago(80_000).toISOString();
  const first = await post(`${shopId}/backfills`, { from, to }, { headers: { 'Idempotency-Key': 'one' } });
  assert.equal(first.status, 202, first.text);
  assert.deepEqual(Object.keys(first.body), ['backfillId']);
  const again = await post(`${shopId}/backfills`, { from, to }, { headers: { 'Idempotency-Key': 'one' } });
  assert.deepEqual([again.status, again.body], [202, first.body]);
  const second = await post(`${shopId}/backfills`, { from, to });
  assert.notEqual(second.body.backfillId, first.body.backfillId);

  const { backfillId } = first.body;
  const { body } = await get(`${shopId}/backfills/${backfillId}`);
  const { createdAt, updatedAt, ...shown } = body;
  assert.deepEqual(shown, {
    backfillId,
    from,
    to,
    state: 'running',
    windowsDone: 0,
    windowsTotal: 4,
    seen: 0,
    created: 0,
    changed: 0,
    unchanged: 0,
    failed: 0,
  });
  assert.equal(createdAt, updatedAt);
  const description = await temporal.client.workflow.getHandle(backfillWorkflowId(shopId, backfillId)).describe();
  assert.deepEqual([description.type, description.taskQueue], ['backfillWorkflow', 'channels']);
  assert.deepEqual([description.priority?.priorityKey, description.priority?.fairnessKey], [4, shopId]);

  const page = (await get(`${shopId}/backfills?limit=1`)).body;
  assert.deepEqual(page.items.map(idOf), [second.body.backfillId]);
  const rest = (await get(`${shopId}/backfills?cursor=${page.nextCursor}`)).body;
  assert.deepEqual([rest.items.map(idOf), rest.nextCursor], [[backfillId], null]);

  const entry = await auditCollection(connection).findOne({
    entity: `shop/${shopId}`,
    'detail.backfillId': backfillId,
  });
  assert.deepEqual(entry?.detail, { backfillId, from, to });
  assert.equal((await get(`${shopId}/backfills/nothing`)).status, 404);
  assert.equal((await get(`${await putShop()}/backfills/${backfillId}`)).status, 404, 'of another shop');
});

const idOf = ({ backfillId }: { backfillId: string }) => backfillId;

test('a backfill whose answer was lost is the same one when it is asked for again', async () => {
  const shopId = await putShop();
  const window = { from: ago(7200).toISOString(), to: ago(3600).toISOString() };
  const ask = () => post(`${shopId}/backfills`, window, { headers: { 'Idempotency-Key': 'lost' } });
  const first = await ask();
  // As if the process had died before it could remember its answer.
  await connection.collection('idempotency_keys').deleteMany({});
  const again = await ask();
  assert.deepEqual([again.status, again.body, again.headers.get('idempotency-replayed')], [202, first.body, null]);
  assert.equal(await backfillCollection(connection).countDocuments({ shopId }), 1);
});

test('a backfill of no time, of the future, or of longer ago than platforms know is refused', async () => {
  const shopId = await putShop();
  const at = (days: number) => ago(days * 86_400).toISOString();
  for (const [body, path] of [
    [{ from: at(1), to: at(1) }, 'from'],
    [{ from: at(1), to: at(2) }, 'from'],
    [{ from: at(1), to: at(-1) }, 'to'],
    [{ from: at(93), to: at(1) }, 'from'],
    [{ from: 'yesterday', to: at(1) }, 'from'],
    [{ from: at(1) }, 'to'],
    [{ from: at(2), to: at(1), shopId: 'other' }, 'shopId'],
  ] as const) {
    const answer = await post(`${shopId}/backfills`, body);
    assert.deepEqual([answer.status, answer.body.errors?.[0]?.path], [400, path], JSON.stringify(body));
  }
  assert.equal(await backfillCollection(connection).countDocuments({ shopId }), 0);
});

test('a backfill whose workflow somebody has ended is shown as failed', async () => {
  const shopId = await putShop();
  const { backfillId } = (await post(`${shopId}/backfills`, { from: ago(7200), to: ago(3600) })).body;
  await backfillCollection(connection).updateOne({ _id: backfillId }, { $set: { updatedAt: ago(120) } });
  assert.equal((await get(`${shopId}/backfills/${backfillId}`)).body.state, 'running');
  await temporal.client.workflow.getHandle(backfillWorkflowId(shopId, backfillId)).terminate('by hand');
  const { body } = await get(`${shopId}/backfills/${backfillId}`);
  assert.deepEqual([body.state, body.lastError], ['failed', 'The backfill was ended from outside']);
});

test('operations and admin steer, whoever reads shops looks, and a shop outside the scope is not there', async () => {
  const shopId = await putShop();
  const window = { from: ago(7200), to: ago(3600) };
  for (const role of ['cs_supervisor', 'finance', 'auditor'] as const) {
    const token = await api.as(`reader-${role}`, [role]);
    assert.equal((await get(`${shopId}/sync`, token)).status, 200);
    assert.equal((await get(`${shopId}/backfills`, token)).status, 200);
    for (const [word, body] of [['poll'], ['pause'], ['resume'], ['backfills', window]] as const)
      assert.equal((await post(`${shopId}/${word}`, body, { token })).status, 403, `${role} ${word}`);
  }
  for (const role of ['cs_agent', 'warehouse', 'service'] as const)
    assert.equal((await get(`${shopId}/sync`, await api.as(`none-${role}`, [role]))).status, 403);

  const elsewhere = await api.as('else', ['operations'], ['another']);
  for (const answer of [
    await get(`${shopId}/sync`, elsewhere),
    await get(`${shopId}/backfills`, elsewhere),
    await post(`${shopId}/poll`, {}, { token: elsewhere }),
    await post(`${shopId}/pause`, {}, { token: elsewhere }),
    await post(`${shopId}/backfills`, window, { token: elsewhere }),
    await get('nothing/sync'),
    await post('nothing/poll'),
  ])
    assert.equal(answer.status, 404);
  assert.equal((await api.call('GET', `/v1/shops/${shopId}/sync`)).status, 401);
});

test('the sweep makes the schedules that could not be made, mends those that were changed, and tells backfills', async () => {
  const missing = await putShop({ polling: { enabled: true, everySec: 300 } });
  await temporal.client.schedule.getHandle(`poll/${missing}`).delete();
  const touched = await putShop({ polling: { enabled: true, everySec: 300 } });
  await temporal.client.schedule.getHandle(`poll/${touched}`).pause('by hand');
  const { backfillId } = (await post(`${touched}/backfills`, { from: ago(7200), to: ago(3600) })).body;
  await backfillCollection(connection).updateOne({ _id: backfillId }, { $set: { state: 'paused' } });
  const foreign = temporal.client.schedule.getHandle('poll/of-somebody-else');
  await temporal.client.schedule.create({
    scheduleId: foreign.scheduleId,
    spec: {},
    action: { type: 'startWorkflow', workflowType: 'x', taskQueue: 'x' },
  });

  await eventually(async () => {
    await sweepShops(collecting, quiet);
    assert.equal((await scheduleOf(`poll/${missing}`)).state.paused, false);
    assert.equal((await scheduleOf(`poll/${touched}`)).state.paused, false);
  }, 15_000);
  assert.ok((await signalsOf(touched, backfillId)).includes('shopResumed'));
  assert.equal((await foreign.describe()).scheduleId, foreign.scheduleId);

  // Once all is in line, a sweep changes nothing.
  await eventually(async () => {
    const updatedBefore = (await scheduleOf(`poll/${touched}`)).info.lastUpdatedAt?.getTime();
    await sweepShops(collecting, quiet);
    assert.ok(updatedBefore);
    assert.equal((await scheduleOf(`poll/${touched}`)).info.lastUpdatedAt?.getTime(), updatedBefore);
  });
});
