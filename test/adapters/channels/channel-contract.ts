import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { CAPABILITIES } from '../../../adapters/channels/capabilities.ts';
import type { ChannelClient, OrderPage, TimeWindow } from '../../../adapters/channels/channel-port.ts';
import { AdapterError, RETRYABLE_KINDS } from '../../../domain/failures.ts';
import type { Channel } from '../../../domain/order-model.ts';
import type { CollectedOrder } from '../../../domain/platform-order.ts';

export type ContractCall = 'changedOrders' | 'order' | 'tellParcel' | 'refreshToken';

/** What the platform is told to do wrong. `cut` and `lostAnswer` come after the call took effect, the others before. */
export type ContractFault = 'throttled' | 'sessionEnds' | 'wrongSignature' | 'cut' | 'notJson' | 'lostAnswer' | 'down';

export interface ContractOrder {
  platformOrderId: string;
  lineIds: string[];
}

/** One shop on a simulated platform, and the hands to move that platform with. */
export interface ChannelHarness {
  channel: Channel;
  /** A courier in the platform's own code. */
  courier: string;
  /** Credentials that are given replace the shop's own. */
  client(credentials?: Readonly<Record<string, string>>): ChannelClient;
  /** Paid and to be sent, one unit a line. */
  createOrder(lines: number): ContractOrder;
  /** Paid, their times of change spread over the window. Returns their ids. */
  createOrders(count: number, window: TimeWindow): string[];
  /** One that no adapter can understand, changed within the window. */
  createBrokenOrder(window: TimeWindow): string;
  /** From now on so many orders change after each page of changed orders. */
  moveRows(count: number): void;
  /** Something about the order changes, so that a message tells of it. */
  change(platformOrderId: string): void;
  /** Strikes one call, or all until cleared. */
  fault(kind: ContractFault, call: ContractCall, times?: number): void;
  clearFaults(): void;
  /** Every notice of a parcel that took effect, by the platform's books. */
  parcels(platformOrderId: string): { trackingNo: string; lineIds: string[] }[];
  memo(platformOrderId: string): string;
  stop(): Promise<void>;
}

const MINUTE_MS = 60_000;
const iso = (ms: number): string => new Date(ms).toISOString();
const windowOf = (fromMs: number, toMs: number): TimeWindow => ({ from: iso(fromMs), to: iso(toMs) });
/** It ended a while ago: what changes from now on leaves it. */
const pastWindow = (): TimeWindow => windowOf(Date.now() - 40 * MINUTE_MS, Date.now() - 10 * MINUTE_MS);

/** What every channel's adapter must do against that channel's simulator; `start` gives a new one for each test. */
export const channelContract = (name: string, start: () => Promise<ChannelHarness>): void => {
  const withHarness =
    (body: (harness: ChannelHarness, t: TestContext) => Promise<void>) =>
    async (t: TestContext): Promise<void> => {
      const harness = await start();
      t.after(() => harness.stop());
      await body(harness, t);
    };

  suite(`the contract of ${name}`, () => {
    test('every order of a window is seen, page by page', withHarness(seesEveryOrder));
    test('no order is missed while rows leave the window', withHarness(missesNoneThatLeave));
    test('no order is missed in a window that still moves', withHarness(missesNoneInOpenWindow));
    test('a window without changes gives no order', withHarness(emptyWindow));
    test('one order that cannot be understood does not hold up the others', withHarness(brokenOrder));
    test('ids are exact, and an order is the same in a page and asked for alone', withHarness(exactIds));
    test('an order that the platform does not know is null', withHarness(unknownOrder));
    test('throttling says how long to wait', withHarness(throttled));
    test('a session that ended is unauthorised until it is refreshed', withHarness(endedSession));
    test('a wrong signature is our own fault, and not retried', withHarness(wrongSignature));
    test('an answer that is cut short or not JSON may be asked for again', withHarness(brokenAnswers));
    test('a parcel that is told twice is told once', withHarness(toldTwice));
    test('a parcel whose answer got lost is told once', withHarness(lostAnswers));
    test('each parcel of an order is told with its own lines', withHarness(partialParcels));
    test('a parcel of an order that the platform does not know is refused', withHarness(refusedParcel));
    test('a memo is written', withHarness(memo));
    test('messages come again until they are confirmed', withHarness(messages));
    test('the table of capabilities agrees with what the platform takes', withHarness(capabilities));
  });
};

const capabilitiesOf = ({ channel }: ChannelHarness) => {
  const can = CAPABILITIES[channel];
  assert.ok(can, `${channel} has no capabilities`);
  return can;
};

const collect = async (client: ChannelClient, window: TimeWindow): Promise<CollectedOrder[]> => {
  const pages: OrderPage[] = [];
  for await (const page of client.changedOrders(window)) pages.push(page);
  for (const { pagesDone, pagesTotal } of pages) assert.ok(pagesDone >= 1 && pagesDone <= pagesTotal);
  return pages.flatMap(({ orders }) => orders);
};

const idsOf = (orders: readonly CollectedOrder[]): Set<string> =>
  new Set(orders.map(({ platformOrderId }) => platformOrderId));

const assertSeen = (seen: ReadonlySet<string>, ids: readonly string[]): void => {
  const missed = ids.filter((id) => !seen.has(id));
  assert.deepEqual(missed.slice(0, 5), [], `${missed.length} of ${ids.length} were missed`);
};

const failure = async (work: Promise<unknown>): Promise<AdapterError> => {
  const error = await work.then(
    () => assert.fail('the call did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AdapterError, String(error));
  return error;
};

const seesEveryOrder = async (harness: ChannelHarness): Promise<void> => {
  const window = pastWindow();
  const ids = harness.createOrders(333, window);
  const orders = await collect(harness.client(), window);
  assertSeen(idsOf(orders), ids);
  for (const { content, problem, modifiedAt } of orders) {
    assert.equal(problem, null);
    assert.equal(content?.platform.phase, 'paid');
    assert.equal(content.payable, content.platform.paid);
    assert.ok(modifiedAt >= iso(Date.parse(window.from) - 1000) && modifiedAt <= window.to);
  }
};

const missesNoneThatLeave = async (harness: ChannelHarness): Promise<void> => {
  const window = pastWindow();
  const ids = harness.createOrders(550, window);
  harness.moveRows(15);
  const client = harness.client();
  const seen = idsOf(await collect(client, window));
  // What left it has changed since, and belongs to the next one.
  for (const id of idsOf(await collect(client, windowOf(Date.parse(window.to), Date.now() + 1000)))) seen.add(id);
  assertSeen(seen, ids);
};

const missesNoneInOpenWindow = async (harness: ChannelHarness): Promise<void> => {
  const window = windowOf(Date.now() - 30 * MINUTE_MS, Date.now() + 2 * MINUTE_MS);
  const ids = harness.createOrders(550, windowOf(Date.parse(window.from), Date.now()));
  harness.moveRows(3);
  assertSeen(idsOf(await collect(harness.client(), window)), ids);
};

const emptyWindow = async (harness: ChannelHarness): Promise<void> => {
  harness.createOrders(3, pastWindow());
  const longAgo = Date.now() - 20 * 86_400_000;
  assert.deepEqual(await collect(harness.client(), windowOf(longAgo, longAgo + MINUTE_MS)), []);
};

const brokenOrder = async (harness: ChannelHarness): Promise<void> => {
  const window = pastWindow();
  const broken = harness.createBrokenOrder(window);
  const ids = harness.createOrders(5, window);
  const orders = await collect(harness.client(), window);
  assertSeen(idsOf(orders), [broken, ...ids]);
  for (const { platformOrderId, content, problem, raw } of orders) {
    assert.equal(content === null, platformOrderId === broken);
    assert.equal(problem !== null, platformOrderId === broken);
    assert.ok(raw.includes(platformOrderId));
  }
};

const exactIds = async (harness: ChannelHarness): Promise<void> => {
  const { platformOrderId, lineIds } = harness.createOrder(3);
  const client = harness.client();
  const alone = await client.order(platformOrderId);
  assert.equal(alone?.platformOrderId, platformOrderId);
  assert.deepEqual(alone.content?.lines.map(({ lineId }) => lineId).sort(), [...lineIds].sort());
  assert.equal(new Set(lineIds).size, 3);
  const orders = await collect(client, windowOf(Date.now() - MINUTE_MS, Date.now() + 1000));
  const listed = orders.find((order) => order.platformOrderId === platformOrderId);
  assert.deepEqual(listed?.content, alone.content);
};

const unknownOrder = async (harness: ChannelHarness): Promise<void> => {
  const { platformOrderId } = harness.createOrder(1);
  const other = platformOrderId.replace(/\d$/, (digit) => String((Number(digit) + 5) % 10));
  assert.equal(await harness.client().order(other), null);
  assert.equal(await harness.client().order('no-such-order'), null);
};

const throttled = async (harness: ChannelHarness): Promise<void> => {
  const { platformOrderId } = harness.createOrder(1);
  const client = harness.client();
  harness.fault('throttled', 'order');
  const error = await failure(client.order(platformOrderId));
  assert.equal(error.kind, 'throttled');
  assert.ok((error.retryAfterMs ?? 0) >= 1000);
  harness.clearFaults();
  assert.ok(await client.order(platformOrderId));
};

const endedSession = async (harness: ChannelHarness): Promise<void> => {
  const { platformOrderId } = harness.createOrder(1);
  const client = harness.client();
  harness.fault('sessionEnds', 'order', 1);
  assert.equal((await failure(client.order(platformOrderId))).kind, 'unauthorised');
  assert.equal((await failure(collect(client, pastWindow()))).kind, 'unauthorised');
  if (!capabilitiesOf(harness).refreshesToken) return;
  // The answer with the new session is lost once: it must be possible to ask again.
  harness.fault('lostAnswer', 'refreshToken', 1);
  assert.ok(RETRYABLE_KINDS.includes((await failure(client.refreshToken())).kind));
  const { credentials, expiresAt } = await client.refreshToken();
  assert.ok(expiresAt === undefined || Date.parse(expiresAt) > Date.now());
  assert.ok(await harness.client(credentials).order(platformOrderId));
};

const wrongSignature = async (harness: ChannelHarness): Promise<void> => {
  const { platformOrderId } = harness.createOrder(1);
  harness.fault('wrongSignature', 'order');
  assert.equal((await failure(harness.client().order(platformOrderId))).kind, 'invalid');
};

const brokenAnswers = async (harness: ChannelHarness): Promise<void> => {
  const { platformOrderId } = harness.createOrder(1);
  const window = pastWindow();
  harness.createOrders(3, window);
  const client = harness.client();
  for (const kind of ['cut', 'notJson', 'lostAnswer', 'down'] as const) {
    harness.fault(kind, 'order', 1);
    assert.equal((await failure(client.order(platformOrderId))).kind, 'unavailable', kind);
    assert.ok(await client.order(platformOrderId), kind);
    harness.fault(kind, 'changedOrders');
    assert.equal((await failure(collect(client, window))).kind, 'unavailable', kind);
    harness.clearFaults();
    assert.equal((await collect(client, window)).length, 3, kind);
  }
};

const whole = ({ platformOrderId, lineIds }: ContractOrder, { courier }: ChannelHarness, trackingNo: string) => ({
  platformOrderId,
  courier,
  trackingNo,
  lineIds,
  isPartial: false,
});

const toldTwice = async (harness: ChannelHarness): Promise<void> => {
  if (!capabilitiesOf(harness).tellsParcels) return;
  const order = harness.createOrder(2);
  const notice = whole(order, harness, 'YT10000001');
  const client = harness.client();
  assert.deepEqual(await client.tellParcel(notice), { state: 'told' });
  assert.deepEqual(await client.tellParcel(notice), { state: 'told' });
  assert.deepEqual(sorted(harness.parcels(order.platformOrderId)), sorted([{ ...order, trackingNo: 'YT10000001' }]));
  const known = await client.order(order.platformOrderId);
  assert.equal(known?.content?.platform.phase, 'shipped');
  assert.deepEqual(
    known.content.platform.parcels.map(({ trackingNo }) => trackingNo),
    ['YT10000001'],
  );
  const other = await client.tellParcel({ ...notice, trackingNo: 'YT10000002' });
  assert.equal(other.state, 'refused');
};

/** Asks as an activity does: again, while asking again can help. */
const tellUntilAnswered = async (client: ChannelClient, notice: ReturnType<typeof whole>) => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await client.tellParcel(notice);
    } catch (error) {
      assert.ok(error instanceof AdapterError && RETRYABLE_KINDS.includes(error.kind), String(error));
      assert.ok(tries < 5, 'it was asked in vain five times');
    }
  }
};

const lostAnswers = async (harness: ChannelHarness): Promise<void> => {
  if (!capabilitiesOf(harness).tellsParcels) return;
  const client = harness.client();
  for (const kind of ['lostAnswer', 'cut', 'down', 'notJson'] as const) {
    const order = harness.createOrder(2);
    harness.fault(kind, 'tellParcel', 2);
    assert.deepEqual(await tellUntilAnswered(client, whole(order, harness, 'YT10000001')), { state: 'told' }, kind);
    assert.equal(harness.parcels(order.platformOrderId).length, 1, kind);
    harness.clearFaults();
  }
  // Nor can it be told from a trade that cannot be looked at either.
  const order = harness.createOrder(1);
  harness.fault('lostAnswer', 'tellParcel', 1);
  harness.fault('down', 'order', 1);
  assert.equal((await failure(client.tellParcel(whole(order, harness, 'YT10000009')))).kind, 'unknownOutcome');
  assert.deepEqual(await client.tellParcel(whole(order, harness, 'YT10000009')), { state: 'told' });
  assert.equal(harness.parcels(order.platformOrderId).length, 1);
};

const partialParcels = async (harness: ChannelHarness): Promise<void> => {
  if (!capabilitiesOf(harness).tellsPartialParcels) return;
  const order = harness.createOrder(3);
  const [a = '', b = '', c = ''] = order.lineIds;
  const client = harness.client();
  const first = { ...whole(order, harness, 'YT10000001'), lineIds: [a, c], isPartial: true };
  const second = { ...whole(order, harness, 'YT10000002'), lineIds: [b], isPartial: true };
  assert.deepEqual(await client.tellParcel(first), { state: 'told' });
  assert.equal((await client.order(order.platformOrderId))?.content?.platform.phase, 'partly_shipped');
  harness.fault('lostAnswer', 'tellParcel', 1);
  assert.deepEqual(await tellUntilAnswered(client, second), { state: 'told' });
  assert.deepEqual(await client.tellParcel(first), { state: 'told' });
  assert.deepEqual(
    sorted(harness.parcels(order.platformOrderId)),
    sorted([
      { trackingNo: 'YT10000001', lineIds: [a, c] },
      { trackingNo: 'YT10000002', lineIds: [b] },
    ]),
  );
  assert.equal((await client.order(order.platformOrderId))?.content?.platform.phase, 'shipped');
};

const sorted = (parcels: readonly { trackingNo: string; lineIds: string[] }[]): [string, string[]][] =>
  parcels
    .map(({ trackingNo, lineIds }): [string, string[]] => [trackingNo, [...lineIds].sort()])
    .sort(([x], [y]) => (x < y ? -1 : 1));

const refusedParcel = async (harness: ChannelHarness): Promise<void> => {
  if (!capabilitiesOf(harness).tellsParcels) return;
  const { platformOrderId, lineIds } = harness.createOrder(1);
  const other = platformOrderId.replace(/\d$/, (digit) => String((Number(digit) + 5) % 10));
  const answer = await harness.client().tellParcel(whole({ platformOrderId: other, lineIds }, harness, 'YT10000001'));
  assert.equal(answer.state, 'refused');
  assert.ok(answer.detail.length > 0);
};

const memo = async (harness: ChannelHarness): Promise<void> => {
  if (!capabilitiesOf(harness).memo) return;
  const { platformOrderId } = harness.createOrder(1);
  await harness.client().writeMemo(platformOrderId, '加急 & 送礼 +1');
  await harness.client().writeMemo(platformOrderId, '加急 & 送礼 +1');
  assert.equal(harness.memo(platformOrderId), '加急 & 送礼 +1');
};

const messages = async (harness: ChannelHarness): Promise<void> => {
  if (capabilitiesOf(harness).messages !== 'pull') return;
  const client = harness.client();
  assert.deepEqual(await client.messages(50), []);
  const { platformOrderId } = harness.createOrder(1);
  harness.change(platformOrderId);
  const waiting = await client.messages(50);
  assert.ok(waiting.length > 0);
  for (const message of waiting) {
    assert.equal(message.platformOrderId, platformOrderId);
    assert.ok(Math.abs(Date.parse(message.sentAt) - Date.now()) < MINUTE_MS);
  }
  const ids = waiting.map(({ messageId }) => messageId);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(await client.messages(50), waiting);
  await client.confirmMessages(ids);
  await client.confirmMessages(ids);
  assert.deepEqual(await client.messages(50), []);
};

const capabilities = async (harness: ChannelHarness): Promise<void> => {
  const { maxWindowMs, windowMs, lagMs, refreshesToken, messages: how } = capabilitiesOf(harness);
  const client = harness.client();
  assert.ok(windowMs <= maxWindowMs && lagMs >= 0);
  const end = Date.now() - lagMs;
  const ids = harness.createOrders(2, windowOf(end - maxWindowMs, end));
  assertSeen(idsOf(await collect(client, windowOf(end - maxWindowMs, end))), ids);
  const tooLong = windowOf(end - maxWindowMs - 2000, end);
  assert.equal((await failure(collect(client, tooLong))).kind, 'invalid');
  if (!refreshesToken) assert.equal((await failure(client.refreshToken())).kind, 'unauthorised');
  if (how !== 'pull') assert.equal((await failure(client.messages(10))).kind, 'invalid');
};
