import { test } from 'node:test';
import assert from 'node:assert/strict';
import { nextDeadline } from '../../domain/order-timers.ts';
import { waitingFor } from '../../domain/order-waits.ts';
import {
  CANCEL,
  deliver,
  hold,
  later,
  NOON,
  outOfStock,
  paidSnapshot,
  pay,
  payment,
  Play,
  presaleSnapshot,
  ship,
  snapshotOf,
  TIMERS,
} from './samples.ts';

const DAY_MS = 86_400_000;
const SINCE = Date.parse(NOON);

const deadlineOf = (order: Play): [string, string] => {
  const { at, fact } = nextDeadline(order.state, TIMERS, SINCE);
  return [fact.type, new Date(at).toISOString()];
};

test('an unpaid order waits for its time from when it was placed, and 60 s from intake at the least', () => {
  assert.deepEqual(deadlineOf(Play.opened(snapshotOf())), ['paymentTimeout', later(1_800_000)]);
  const old = snapshotOf({ placedAt: later(-90 * DAY_MS) });
  assert.deepEqual(deadlineOf(Play.opened(old)), ['paymentTimeout', later(60_000)]);
  const short = { ...TIMERS, paymentTimeoutMs: 0 };
  assert.equal(nextDeadline(Play.opened(snapshotOf()).state, short, SINCE).at, Date.parse(later(60_000)));
});

test('a presale waits for its balance as soon as the deposit is there', () => {
  const order = Play.opened(presaleSnapshot());
  assert.deepEqual(deadlineOf(order), ['paymentTimeout', later(1_800_000)]);
  order.tell(pay('p1', 500));
  assert.deepEqual(deadlineOf(order), ['balanceOverdue', later(7 * DAY_MS)]);
});

test('cash on delivery is left to a person, who is reminded', () => {
  const order = Play.opened(snapshotOf({ payments: [payment('p1', 2000, { method: 'cod' })] }));
  assert.deepEqual(deadlineOf(order), ['stillWaiting', later(3 * DAY_MS)]);
});

test('who queues for goods looks at the queue every hour, in case the word was lost', () => {
  const order = Play.opened(paidSnapshot(), outOfStock);
  assert.deepEqual(nextDeadline(order.state, TIMERS, SINCE), {
    at: SINCE + 3_600_000,
    fact: { type: 'stockReserved', round: 1 },
  });
});

test('a parcel that nobody sends or reports is remembered, a delivered order completes', () => {
  const order = Play.opened(paidSnapshot());
  assert.deepEqual(deadlineOf(order), ['stillWaiting', later(3 * DAY_MS)]);
  order.tell(ship('T1', { 1: 2 }));
  assert.deepEqual(deadlineOf(order), ['stillWaiting', later(15 * DAY_MS)]);
  order.tell(deliver('S1'));
  assert.deepEqual(deadlineOf(order), ['autoComplete', later(10 * DAY_MS)]);
});

test('the end of a hold comes first when it is first, and not otherwise', () => {
  const order = Play.opened(snapshotOf());
  order.tell(hold('manual', later(3 * DAY_MS)));
  assert.equal(deadlineOf(order)[0], 'paymentTimeout');
  order.tell(hold('risk_review', later(600_000)));
  assert.deepEqual(deadlineOf(order), ['holdExpired', later(600_000)]);
});

test('one line says what an order waits for, until when, and which cases are open', () => {
  const until = Date.parse(later(1_800_000));
  const order = Play.opened(snapshotOf());
  order.tell(pay('p1', 500));
  assert.equal(
    waitingFor(order.state, until),
    `pending_payment: waits for payment, 500 of 2000 paid (until ${later(1_800_000)})`,
  );
  order.tell(pay('p2', 1600));
  assert.equal(waitingFor(order.state, null), 'on_hold: held by overpaid · open cases: overpaid');
  const sent = Play.opened(paidSnapshot());
  assert.equal(waitingFor(sent.state, null), 'awaiting_shipment: waits for w1 to send the goods');
  sent.tell(ship('T1', { 1: 2 }));
  assert.equal(waitingFor(sent.state, Infinity), 'shipped: waits for delivery');
  sent.tell(deliver('S1'));
  assert.equal(waitingFor(sent.state, null), 'delivered: waits for the time to complete by itself');
  const queued = Play.opened(paidSnapshot(), outOfStock);
  assert.equal(waitingFor(queued.state, null), 'backordered: waits for stock, first come first served');
  queued.tell(CANCEL);
  assert.equal(waitingFor(queued.state, null), 'cancelled: has ended · open cases: refund_due');
});
