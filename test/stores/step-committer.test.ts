import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { auditCollection, auditHash } from '../../models/audit-log.ts';
import { caseCollection } from '../../models/case-records.ts';
import { orderCollection } from '../../models/order-records.ts';
import { StepCommitter, type CommitAnswer } from '../../models/step-committer.ts';
import {
  backorderCollection,
  movementCollection,
  stockCollection,
  stockGuardCollection,
} from '../../models/stock-records.ts';
import { warehouseCollection } from '../../models/warehouse-records.ts';
import {
  PlayedOrder,
  addWarehouses,
  counterOf,
  ledgerSums,
  openDatabase,
  receive,
  storedCounters,
  type OrderSpec,
} from '../support/stored-orders.ts';

let committer: StepCommitter;
let other: StepCommitter;
let filled: { orderId: string; round: number }[];
let paths: string[];

const connection = await openDatabase((opened) => void new StepCommitter(opened, { onFilled: () => {} }));

const newCommitter = () =>
  new StepCommitter(connection, {
    onFilled: (orders) => void filled.push(...orders),
    onBatch: (_size, path) => void paths.push(path),
  });

beforeEach(async () => {
  for (const collection of [
    orderCollection,
    auditCollection,
    caseCollection,
    stockCollection,
    movementCollection,
    backorderCollection,
    stockGuardCollection,
    warehouseCollection,
  ])
    await (collection(connection) as ReturnType<typeof orderCollection>).deleteMany({});
  filled = [];
  paths = [];
  committer = newCommitter();
  other = newCommitter();
});

const stored = (spec: OrderSpec, runId?: string) => new PlayedOrder(spec, runId).store(connection);
const opened = async (spec: OrderSpec, by = committer): Promise<PlayedOrder> => {
  const order = await stored(spec);
  await order.apply(by, { type: 'opened' });
  return order;
};
const outcomeOf = ({ outcome }: CommitAnswer) => outcome?.state;
const ship = (order: PlayedOrder, warehouseId: string, lines: Record<string, number>, trackingNo = 'T1') => ({
  type: 'ship' as const,
  warehouseId,
  courier: 'sf',
  trackingNo: `${order.orderId}-${trackingNo}`,
  lines: Object.entries(lines).map(([lineId, quantity]) => ({ lineId, quantity })),
});
const assertLedger = async () => assert.deepEqual(await storedCounters(connection), await ledgerSums(connection));

test('K1: of 300 orders at once for 100 pieces, 100 get one and 200 wait, whoever writes them', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 100);
  const orders = await Promise.all(
    Array.from({ length: 300 }, (_, i) => stored({ orderId: `own1.K${i}`, units: { TEE: 1 } })),
  );
  const answers = await Promise.all(
    orders.map((order, i) => order.apply(i % 2 === 0 ? committer : other, { type: 'opened' })),
  );
  const states = answers.map(outcomeOf);
  assert.equal(states.filter((state) => state === 'reserved').length, 100);
  assert.equal(states.filter((state) => state === 'backordered').length, 200);
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '100/100/0 +200');
  assert.equal(await backorderCollection(connection).countDocuments({ state: 'waiting' }), 200);
  assert.equal(await orderCollection(connection).countDocuments({ status: 'awaiting_shipment' }), 100);
  assert.equal(await orderCollection(connection).countDocuments({ status: 'backordered' }), 200);
  await assertLedger();
});

test('K2: shipping 2 of 5 and cancelling the rest leaves 2 fewer on hand and nothing reserved', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10);
  const order = await opened({ orderId: 'own1.1', units: { TEE: 5 } });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '10/5/5');
  await order.apply(committer, ship(order, 'WH1', { TEE: 2 }));
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '8/3/5');
  await order.apply(committer, { type: 'cancel', reason: 'changed mind' });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '8/0/8');
  await assertLedger();
  const view = await orderCollection(connection).findOne({ _id: 'own1.1' });
  assert.equal(view?.status, 'shipped');
  assert.deepEqual(
    (await caseCollection(connection).find({}).toArray()).map(({ code }) => code),
    ['refund_due'],
  );
});

test('K5: a step that is asked for again, at once, later or elsewhere, is answered as it was and moves nothing', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10, 'delivery-1');
  const repeat = await receive(other, 'WH1', 'TEE', 10, 'delivery-1');
  assert.equal(repeat.isRepeat, true);

  const order = await stored({ orderId: 'own1.1', units: { TEE: 5 } });
  const steps = [
    { type: 'opened' as const },
    () => ship(order, 'WH1', { TEE: 2 }),
    { type: 'cancel' as const, reason: 'changed mind' },
  ];
  for (const message of steps) {
    const now = () => (typeof message === 'function' ? message() : message);
    const { step } = order.request(now());
    // Asked for again, the workflow says another time.
    const ask = (by: StepCommitter, at = '2026-11-22T02:00:00.000Z') => by.commit(order.request(now(), at).request);
    const answers = await Promise.all(
      [committer, other].flatMap((by) => [ask(by), ask(by), ask(by, '2026-11-22T02:00:09.000Z')]),
    );
    answers.push(await ask(committer), await ask(newCommitter(), '2026-11-22T02:01:00.000Z'));
    assert.equal(answers.filter(({ isRepeat }) => !isRepeat).length, 1);
    for (const answer of answers) {
      if (answer.isRepeat) assert.deepEqual(answer.written?.message, now());
      assert.equal(answer.auditHash, answers[0]?.auditHash);
      assert.deepEqual(answer.outcome, answers[0]?.outcome);
    }
    order.take(step, answers[0] as CommitAnswer);
  }
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '8/0/8');
  assert.deepEqual(
    (await movementCollection(connection).find({}).sort({ _id: 1 }).toArray()).map(({ _id }) => _id),
    ['receipt/delivery-1/WH1/TEE', 'release/own1.1/3/WH1/TEE', 'reserve/own1.1/1/WH1/TEE', 'ship/own1.1/2/WH1/TEE'],
  );
  assert.equal(await auditCollection(connection).countDocuments({ entity: 'order/own1.1' }), 3);
  await assertLedger();
});

test('K5: whoever asks for another step under a revision that is taken learns which one is written', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10);
  const order = await opened({ orderId: 'own1.1', units: { TEE: 2 } });
  const assign = { type: 'assign' as const, username: 'alice' };
  const cancel = order.request({ type: 'cancel', reason: 'no' }).request;
  const at = '2026-11-22T02:00:05.000Z';
  assert.equal((await committer.commit(order.request(assign, at).request)).written, undefined);
  const { isRepeat, written } = await other.commit(cancel);
  assert.deepEqual({ isRepeat, written }, { isRepeat: true, written: { message: assign, at } });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '10/2/8');
});

test('K6: of three that wait, the two who paid first are served when there is enough for two', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 1);
  const waits = [];
  for (const [name, minute] of [
    ['late', 30],
    ['first', 10],
    ['second', 20],
  ] as const)
    waits.push(await opened({ orderId: `own1.${name}`, units: { TEE: 2 }, paidAt: `2026-11-22T02:${minute}:00.000Z` }));
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '1/0/1 +3');
  await receive(other, 'WH1', 'TEE', 4);
  assert.deepEqual(filled, [
    { orderId: 'own1.first', round: 1 },
    { orderId: 'own1.second', round: 1 },
  ]);
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '5/4/1 +1');
  for (const order of waits.slice(1)) {
    assert.equal(outcomeOf(await order.collect(committer)), 'reserved');
    assert.equal(order.state.reservation.state, 'reserved');
  }
  assert.equal(outcomeOf(await (waits[0] as PlayedOrder).collect(committer)), 'short');
  await assertLedger();
});

test('K6: nobody who asks later takes what somebody waits for, not even one piece of several', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 3);
  await opened({ orderId: 'own1.big', units: { TEE: 5 }, paidAt: '2026-11-22T02:10:00.000Z' });
  const later = await opened({ orderId: 'own1.later', units: { TEE: 1 }, paidAt: '2026-11-22T02:11:00.000Z' });
  assert.equal(later.state.reservation.state, 'backordered');
  const earlier = await opened({ orderId: 'own1.earlier', units: { TEE: 1 }, paidAt: '2026-11-22T02:09:00.000Z' });
  assert.equal(earlier.state.reservation.state, 'reserved');
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '3/1/2 +2');
});

test('K6: an order that waits for one SKU keeps its place for the others too', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 5);
  await receive(committer, 'WH1', 'CAP', 5);
  // Waits for more caps than there are, and so for its tees too.
  await opened({ orderId: 'own1.a', units: { TEE: 5, CAP: 9 }, paidAt: '2026-11-22T02:10:00.000Z' });
  await opened({ orderId: 'own1.b', units: { TEE: 1 }, paidAt: '2026-11-22T02:11:00.000Z' });
  await opened({ orderId: 'own1.c', units: { CAP: 1 }, paidAt: '2026-11-22T02:12:00.000Z' });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '5/0/5 +2');
  assert.equal(await counterOf(connection, 'WH1', 'CAP'), '5/0/5 +2');
  // More tees do not help: the first still lacks caps, so nobody moves up.
  await receive(committer, 'WH1', 'TEE', 5);
  assert.deepEqual(filled, []);
  await receive(committer, 'WH1', 'CAP', 5);
  assert.deepEqual(new Set(filled.map(({ orderId }) => orderId)), new Set(['own1.a', 'own1.b', 'own1.c']));
  await assertLedger();
});

test('K6: goods of one SKU do not let an order pass another that stands before it for a second SKU', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'CAP', 1);
  await opened({ orderId: 'own1.a', units: { CAP: 2 }, paidAt: '2026-11-22T02:10:00.000Z' });
  await opened({ orderId: 'own1.b', units: { TEE: 1, CAP: 1 }, paidAt: '2026-11-22T02:11:00.000Z' });
  await receive(committer, 'WH1', 'TEE', 1);
  assert.deepEqual(filled, []);
  assert.equal(await counterOf(connection, 'WH1', 'CAP'), '1/0/1 +2');
});

test('K6: when the first is served, what is left goes to the next in the queue and not to who asks at that moment', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 1);
  await opened({ orderId: 'own1.first', units: { TEE: 2 }, paidAt: '2026-11-22T02:10:00.000Z' });
  await opened({ orderId: 'own1.second', units: { TEE: 5 }, paidAt: '2026-11-22T02:11:00.000Z' });
  const third = await stored({ orderId: 'own1.third', units: { TEE: 1 }, paidAt: '2026-11-22T02:12:00.000Z' });
  const { step, request } = third.request({ type: 'opened' });
  const [, answer] = await Promise.all([receive(committer, 'WH1', 'TEE', 3), committer.commit(request)]);
  third.take(step, answer);
  assert.deepEqual(
    filled.map(({ orderId }) => orderId),
    ['own1.first'],
  );
  assert.equal(third.state.reservation.state, 'backordered');
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '4/2/2 +2');
});

test('K6: who cancels while waiting frees the place, and who was served meanwhile gives the goods back', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 3);
  const big = await opened({ orderId: 'own1.big', units: { TEE: 5 }, paidAt: '2026-11-22T02:10:00.000Z' });
  const small = await opened({ orderId: 'own1.small', units: { TEE: 3 }, paidAt: '2026-11-22T02:11:00.000Z' });
  await big.apply(other, { type: 'cancel', reason: 'too slow' });
  assert.deepEqual(
    filled.map(({ orderId }) => orderId),
    ['own1.small'],
  );
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '3/3/0');
  // Served, but its workflow has not heard of it yet.
  await small.apply(committer, { type: 'cancel', reason: 'too slow' });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '3/0/3');
  assert.equal(await backorderCollection(connection).countDocuments({}), 0);
  await assertLedger();
});

test('a queue longer than one transaction serves is served to its end, in its order', async () => {
  await addWarehouses(connection, 'WH1');
  const orders = Array.from({ length: 700 }, (_, i) => `own1.Q${String(i).padStart(4, '0')}`);
  const played = await Promise.all(orders.map((orderId) => stored({ orderId, units: { TEE: 1 } })));
  await Promise.all(played.map((order) => order.apply(committer, { type: 'opened' })));
  await receive(other, 'WH1', 'TEE', 650);
  for (let i = 0; i < 100 && filled.length < 650; i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(
    filled.map(({ orderId }) => orderId),
    orders.slice(0, 650),
  );
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '650/650/0 +50');
  await assertLedger();
});

test('a lost word about the queue costs time only: who asks again has the queue served', async () => {
  await addWarehouses(connection, 'WH1');
  const order = await opened({ orderId: 'own1.1', units: { TEE: 2 } });
  await receive(committer, 'WH1', 'TEE', 1);
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '1/0/1 +1');
  // As after a crash between two parts of a long queue: goods are there and nobody was served.
  await stockCollection(connection).updateOne({ _id: 'WH1/TEE' }, { $inc: { onHand: 5, available: 5, version: 1 } });
  assert.equal(outcomeOf(await order.collect(committer)), 'reserved');
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '6/2/4');
});

test('the first goods of a SKU find those who wait for it, also when both come at the same instant', async () => {
  await addWarehouses(connection, 'WH1', 'WH2');
  for (let round = 0; round < 12; round += 1) {
    const skuCode = `NEW-${round}`;
    const order = await stored({ orderId: `own1.N${round}`, units: { [skuCode]: 2 } });
    const { step, request } = order.request({ type: 'opened' });
    const [answer] = await Promise.all([
      committer.commit(request),
      receive(other, 'WH1', skuCode, 1),
      receive(newCommitter(), 'WH2', skuCode, 1),
    ]);
    order.take(step, answer);
    if (order.state.reservation.state === 'backordered') await order.collect(committer);
    assert.equal(order.state.reservation.state, 'reserved', `${skuCode}: ${JSON.stringify(answer)}`);
    for (const warehouseId of ['WH1', 'WH2']) assert.equal(await counterOf(connection, warehouseId, skuCode), '1/1/0');
  }
  await assertLedger();
});

test('goods in a warehouse that was made this moment are found', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 1);
  await opened({ orderId: 'own1.1', units: { TEE: 1 } });
  await addWarehouses(connection, 'WH2');
  await receive(committer, 'WH2', 'TEE', 1);
  const order = await opened({ orderId: 'own1.2', units: { TEE: 1 } });
  assert.deepEqual(
    order.state.reservation.allocations.map(({ warehouseId }) => warehouseId),
    ['WH2'],
  );
});

test('an order takes all its goods or none, from as many warehouses as it needs', async () => {
  await addWarehouses(connection, 'WH1', 'WH2');
  await receive(committer, 'WH1', 'TEE', 2);
  await receive(committer, 'WH2', 'TEE', 2);
  await receive(committer, 'WH2', 'CAP', 1);
  const both = await opened({ orderId: 'own1.1', units: { TEE: 3 } });
  assert.deepEqual(
    both.state.reservation.allocations.map(({ warehouseId, lines }) => [warehouseId, lines]),
    [
      ['WH1', [{ lineId: 'TEE', quantity: 2 }]],
      ['WH2', [{ lineId: 'TEE', quantity: 1 }]],
    ],
  );
  const short = await opened({ orderId: 'own1.2', units: { CAP: 1, TEE: 2 } });
  assert.equal(short.state.reservation.state, 'backordered');
  assert.equal(await counterOf(connection, 'WH2', 'CAP'), '1/0/1 +1');
  await assertLedger();
});

test('a step that is refused for want of stock leaves nothing behind, also for those in the same batch', async () => {
  await addWarehouses(connection, 'WH1', 'WH2');
  await receive(committer, 'WH1', 'TEE', 5);
  await receive(committer, 'WH2', 'TEE', 1);
  const order = await opened({ orderId: 'own1.1', units: { TEE: 3 } });
  const asking = await stored({ orderId: 'own1.2', units: { TEE: 5 } });
  // Moving all three to WH2 is impossible; what would be released for it must not be given to the other one.
  const move = order.request({ type: 'allocate', warehouseId: 'WH2' });
  const ask = asking.request({ type: 'opened' });
  const [moved, asked] = await Promise.all([committer.commit(move.request), committer.commit(ask.request)]);
  assert.equal(outcomeOf(moved), 'short');
  assert.equal(outcomeOf(asked), 'backordered');
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '5/3/2 +1');
  const view = await orderCollection(connection).findOne({ _id: 'own1.1' });
  assert.equal(view?.revision, 1);
  await assertLedger();
});

test('a step that contradicts the ledger fails by itself; the others of its batch are written', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10);
  await receive(committer, 'WH1', 'CAP', 10);
  const broken = await opened({ orderId: 'own1.broken', units: { CAP: 2, TEE: 2 } });
  const fine = await opened({ orderId: 'own1.fine', units: { CAP: 1 } });
  const bystander = await stored({ orderId: 'own1.bystander', units: { CAP: 1 } });
  // Somebody has taken the reservation away behind our back.
  await stockCollection(connection).updateOne(
    { _id: 'WH1/TEE' },
    { $set: { reserved: 0, available: 10 }, $inc: { version: 1 } },
  );
  const results = await Promise.allSettled([
    committer.commit(broken.request(ship(broken, 'WH1', { CAP: 2, TEE: 2 })).request),
    committer.commit(fine.request(ship(fine, 'WH1', { CAP: 1 })).request),
    committer.commit(bystander.request({ type: 'opened' }).request),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  assert.equal((results[0] as PromiseRejectedResult).reason.name, 'LedgerMismatch');
  assert.equal(await counterOf(connection, 'WH1', 'CAP'), '9/3/6');
  assert.equal(await auditCollection(connection).countDocuments({ entity: 'order/own1.broken' }), 1);
  assert.equal(await movementCollection(connection).countDocuments({ orderId: 'own1.broken', kind: 'ship' }), 0);
});

test('a step that cannot even be built fails by itself', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10);
  const orders = await Promise.all(
    ['a', 'b', 'c'].map((name) => stored({ orderId: `own1.${name}`, units: { TEE: 1 } })),
  );
  const requests = orders.map((order) => order.request({ type: 'opened' }).request);
  const wrong = { ...requests[1], build: () => assert.fail('cannot be built') } as (typeof requests)[number];
  const results = await Promise.allSettled([requests[0], wrong, requests[2]].map((r) => committer.commit(r as never)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '10/2/8');
  await assertLedger();
});

test('a step of another run of the workflow is refused; a reinstated order changes hands', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10);
  const order = await opened({ orderId: 'own1.1', units: { TEE: 1 } });
  const foreign = new PlayedOrder({ orderId: 'own1.1', units: { TEE: 1 } }, 'another-run');
  foreign.state = order.state;
  const cancel = { type: 'cancel' as const, reason: 'no' };
  await assert.rejects(committer.commit(foreign.request(cancel).request), { name: 'ForeignRun' });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '10/1/9');

  await order.apply(committer, cancel);
  foreign.state = order.state;
  const { step, request } = foreign.request({ type: 'reinstated' });
  foreign.take(step, await committer.commit(request));
  assert.equal(foreign.state.reservation.state, 'reserved');
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '10/1/9');
  assert.equal((await committer.commit(request)).isRepeat, true);
  await assert.rejects(committer.commit(order.request({ type: 'assign', username: 'x' }).request), {
    name: 'ForeignRun',
  });
});

test('an old step that comes again after newer ones changes nothing', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 10);
  const order = await stored({ orderId: 'own1.1', units: { TEE: 1 } });
  const first = order.request({ type: 'opened' });
  order.take(first.step, await committer.commit(first.request));
  await order.apply(committer, { type: 'assign', username: 'alice' });
  await assert.rejects(committer.commit(first.request), { name: 'ForeignRun' });
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '10/1/9');
});

test('a lost race is run again: counters moved by somebody else between read and write are read anew', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 40);
  const orders = await Promise.all(
    Array.from({ length: 60 }, (_, i) => stored({ orderId: `own1.R${i}`, units: { TEE: 1 } })),
  );
  const hands = [committer, other, newCommitter(), newCommitter()];
  await Promise.all([
    ...orders.map((order, i) => order.apply(hands[i % hands.length] as StepCommitter, { type: 'opened' })),
    ...Array.from({ length: 10 }, (_, i) => receive(hands[i % hands.length] as StepCommitter, 'WH1', 'TEE', 1)),
    ...Array.from({ length: 5 }, (_, i) =>
      receive(hands[i % hands.length] as StepCommitter, 'WH1', 'TEE', -1).catch(() => undefined),
    ),
  ]);
  const counter = await stockCollection(connection).findOne({ _id: 'WH1/TEE' });
  assert.ok(counter && counter.available >= 0 && counter.onHand - counter.reserved === counter.available);
  const waiting = await backorderCollection(connection).countDocuments({ state: 'waiting' });
  assert.equal(counter.waiting, waiting);
  assert.ok(waiting === 0 || counter.available === 0, `${counter.available} left while ${waiting} wait`);
  assert.equal(counter.reserved + waiting, 60);
  await assertLedger();
});

test('goods cannot be taken away below what is there or what is reserved, and the refusal hurts nobody', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 5);
  await opened({ orderId: 'own1.1', units: { TEE: 3 } });
  const results = await Promise.allSettled([
    receive(committer, 'WH1', 'TEE', -3),
    receive(committer, 'WH1', 'NEVER', -1),
    receive(committer, 'WH1', 'NEVER', 4),
    receive(committer, 'WH1', 'TEE', -2),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled', 'fulfilled'],
  );
  assert.equal((results[0] as PromiseRejectedResult).reason.name, 'LedgerMismatch');
  assert.equal(await counterOf(connection, 'WH1', 'TEE'), '3/3/0');
  assert.equal(await counterOf(connection, 'WH1', 'NEVER'), '4/0/4');
  await assertLedger();
});

test('each step and each change of stock has one audit entry, chained to the one before', async () => {
  await addWarehouses(connection, 'WH1');
  await Promise.all([
    receive(committer, 'WH1', 'TEE', 5),
    receive(committer, 'WH1', 'CAP', 5),
    receive(other, 'WH1', 'TEE', 5),
  ]);
  const order = await opened({ orderId: 'own1.1', units: { TEE: 1 } });
  await order.apply(committer, ship(order, 'WH1', { TEE: 1 }));
  for (const entity of ['stock/WH1', 'order/own1.1']) {
    const entries = await auditCollection(connection).find({ entity }).sort({ seq: 1 }).toArray();
    assert.equal(entries.length, entity === 'stock/WH1' ? 3 : 2);
    entries.forEach(({ _id, ...entry }, index) => {
      assert.equal(entry.seq, index + 1);
      assert.equal(entry.hash, auditHash(entry));
      if (index > 0) assert.equal(entry.prevHash, entries[index - 1]?.hash);
    });
  }
  const [first] = await auditCollection(connection).find({ entity: 'stock/WH1' }).sort({ seq: 1 }).toArray();
  assert.equal(first?.action, 'stock.received');
  assert.equal(first?.actor.id, 'keeper');
});

test('the plain case reads nothing and one shortage does not slow down the others', async () => {
  await addWarehouses(connection, 'WH1');
  await receive(committer, 'WH1', 'TEE', 100);
  await receive(committer, 'WH1', 'CAP', 1);
  const orders = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      stored({ orderId: `own1.P${i}`, units: i === 5 ? { TEE: 1, CAP: 2 } : { TEE: 1 } }),
    ),
  );
  await Promise.all(orders.map((order) => order.apply(committer, { type: 'opened' })));
  // From the first order that waits for tees on, those go by the queue; whoever ships does not.
  paths.length = 0;
  const reserved = orders.filter((order) => order.state.reservation.state === 'reserved');
  await Promise.all(reserved.map((order) => order.apply(committer, ship(order, 'WH1', { TEE: 1 }))));
  assert.deepEqual([...new Set(paths)], ['fast']);
});
