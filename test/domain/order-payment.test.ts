import { test } from 'node:test';
import assert from 'node:assert/strict';
import { paymentStatusOf, statusOf } from '../../domain/order-status.ts';
import { paidAtOf, paidTotal } from '../../domain/order-quantities.ts';
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
  release,
  ship,
  snapshotOf,
} from './samples.ts';

const HOUR = later(3_600_000);

test('an order waits for its money, part by part, and asks for goods when it is all there', () => {
  const order = Play.opened(snapshotOf());
  assert.equal(statusOf(order.state), 'pending_payment');
  assert.deepEqual([order.tell(pay('p1', 500)), paymentStatusOf(order.state)], ['pending_payment', 'partially_paid']);
  assert.equal(order.asked, '');
  assert.deepEqual([order.tell(pay('p2', 1500)), paymentStatusOf(order.state)], ['awaiting_shipment', 'paid']);
  assert.equal(order.asked, 'reserve');
});

test('an order of which nothing is payable is paid', () => {
  const order = Play.opened(snapshotOf({ orderDiscount: 2000 }));
  assert.deepEqual([statusOf(order.state), paymentStatusOf(order.state)], ['awaiting_shipment', 'paid']);
});

test('the same payment again changes nothing, with other content it is a conflict', () => {
  const order = Play.opened(snapshotOf());
  order.tell(pay('p1', 500, { settlement: { currency: 'USD', amount: 70 } }));
  const { revision } = order.state;
  assert.equal(order.tell(pay('p1', 500, { settlement: { amount: 70, currency: 'USD' } })), 'unchanged');
  assert.equal(order.tell(pay('p1', 501, { settlement: { currency: 'USD', amount: 70 } })), 'conflict');
  assert.equal(order.tell(pay('p1', 500, { settlement: { currency: 'USD', amount: 71 } })), 'conflict');
  assert.equal(order.tell(pay('p1', 500)), 'conflict');
  assert.equal(
    order.tell(pay('p1', 500, { transactionId: 'T', settlement: { currency: 'USD', amount: 70 } })),
    'conflict',
  );
  assert.equal(order.state.revision, revision);
});

test('a bank account is sealed anew each time, so that it does not make a payment another one', () => {
  const order = Play.opened(snapshotOf());
  order.tell(pay('p1', 500, { accountSealed: 'v1.a' }));
  assert.equal(order.tell(pay('p1', 500, { accountSealed: 'v1.b' })), 'unchanged');
});

test('M14: a payment in another currency is refused, also of a payment that is known', () => {
  const order = Play.opened(paidSnapshot());
  const inDollars = { ...pay('p2', 500), currency: 'USD' } as ReturnType<typeof pay>;
  assert.equal(order.tell(inDollars), 'rule_violation');
  assert.equal(order.tell({ ...pay('p1', 2000), currency: 'USD' } as ReturnType<typeof pay>), 'rule_violation');
  assert.equal(order.tell({ ...pay('p1', 2000), currency: 'CNY' } as ReturnType<typeof pay>), 'unchanged');
});

test('M7: what is no amount, or would take the sum beyond the exact integers, is refused', () => {
  const order = Play.opened(paidSnapshot());
  for (const amount of [0, -1, 0.5, NaN, 2 ** 53, Number.MAX_SAFE_INTEGER])
    assert.equal(order.tell(pay('p2', amount)), 'rule_violation', String(amount));
});

test('M16: who pays twice is held as overpaid with a case, and nothing is sent', () => {
  const order = Play.opened(paidSnapshot());
  assert.equal(order.tell(pay('p2', 2000)), 'on_hold');
  assert.deepEqual([order.holds, order.cases], [['overpaid'], ['overpaid']]);
  assert.equal(order.state.holds[0]?.detail, '2000 more than 2000 was paid');
  assert.equal(order.tell(ship('T1', { 1: 2 })), 'action_not_allowed');
  assert.equal(order.tell(pay('p3', 1)), 'on_hold');
  assert.deepEqual([order.state.holds[0]?.detail, order.cases], ['2001 more than 2000 was paid', ['overpaid']]);
});

test('M16: what finance has released stays released, until more surplus comes', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(pay('p2', 100));
  assert.equal(order.tell(release('overpaid', 'operations', 'cs_supervisor', 'admin')), 'action_not_allowed');
  assert.equal(order.tell(release('overpaid', 'finance')), 'awaiting_shipment');
  assert.deepEqual([order.holds, order.cases], [[], []]);
  assert.equal(order.tell({ type: 'assign', username: 'ann' }), 'awaiting_shipment');
  assert.equal(order.tell({ type: 'stillWaiting' }), 'awaiting_shipment');
  assert.equal(order.tell(pay('p3', 1)), 'on_hold');
});

test('M16: a case that was only closed leaves the hold', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(pay('p2', 100));
  const caseId = order.state.cases[0]?.caseId ?? '';
  assert.equal(order.tell({ type: 'caseResolved', caseId }), 'on_hold');
  assert.deepEqual([order.holds, order.cases], [['overpaid'], []]);
});

test('a surplus that the order came with is noticed at intake, one of a sent order does not change its status', () => {
  const twice = Play.opened(snapshotOf({ payments: [payment('p1', 2000), payment('p2', 2000)] }));
  assert.deepEqual([statusOf(twice.state), twice.holds], ['on_hold', ['overpaid']]);
  const sent = Play.opened(paidSnapshot());
  sent.tell(ship('T1', { 1: 2 }));
  assert.deepEqual([sent.tell(pay('p2', 5)), sent.holds, sent.cases], ['shipped', ['overpaid'], ['overpaid']]);
  sent.tell(deliver('S1'));
  sent.at(later(11 * 86_400_000)).tell({ type: 'autoComplete' });
  assert.deepEqual([statusOf(sent.state), sent.holds, sent.cases], ['completed', [], ['overpaid']]);
});

test('a surplus on a partly sent order keeps the rest from being sent', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(ship('T1', { 1: 1 }));
  assert.deepEqual([order.tell(pay('p2', 5)), order.holds], ['partially_shipped', ['overpaid']]);
  assert.equal(order.tell(ship('T2', { 1: 1 })), 'action_not_allowed');
  order.tell(release('overpaid', 'finance'));
  assert.equal(order.tell(ship('T2', { 1: 1 })), 'shipped');
});

test('O1: nobody paid in time: cancelled, nothing was ever asked of the stock', () => {
  const order = Play.opened(snapshotOf());
  assert.equal(order.at(later(1_799_999)).tell({ type: 'paymentTimeout' }), 'unchanged');
  assert.equal(order.at(later(1_800_000)).tell({ type: 'paymentTimeout' }), 'cancelled');
  assert.deepEqual([order.step.stock, order.cases], [[], []]);
});

test('a time-out closes what was open about the order, and gives back what was paid in part', () => {
  const order = Play.opened(snapshotOf());
  order.tell(hold('phone_confirmation'));
  order.tell({ type: 'phoneConfirmation', outcome: 'refused', note: '' });
  order.tell(pay('p1', 500));
  assert.equal(order.at(HOUR).tell({ type: 'paymentTimeout' }), 'cancelled');
  assert.deepEqual([order.holds, order.cases], [[], ['refund_due']]);
  assert.ok(order.step.cases.some((change) => change.kind === 'resolve' && change.caseId.includes('phone_refused')));
});

test('a time-out that comes late finds a paid order and is old news', () => {
  const order = Play.opened(snapshotOf());
  order.tell(pay('p1', 2000));
  assert.equal(order.at(HOUR).tell({ type: 'paymentTimeout' }), 'unchanged');
  assert.equal(order.tell({ type: 'balanceOverdue' }), 'unchanged');
});

test('O2: money for a cancelled order is a case, and does not bring it back by itself', () => {
  const order = Play.opened(snapshotOf());
  order.at(HOUR).tell({ type: 'paymentTimeout' });
  assert.equal(order.tell(pay('p1', 2000)), 'cancelled');
  assert.deepEqual([order.cases, order.step.stock], [['late_payment', 'refund_due'], []]);
  assert.equal(order.tell(pay('p1', 2000)), 'unchanged');
});

test('O2: the operator may bring it back: goods are asked for anew, the cases close', () => {
  const order = Play.opened(snapshotOf());
  order.at(HOUR).tell({ type: 'paymentTimeout' });
  assert.equal(order.tell({ type: 'reinstated' }), 'rule_violation');
  order.tell(pay('p1', 1999));
  assert.equal(order.tell({ type: 'reinstated' }), 'rule_violation');
  order.tell(pay('p2', 1));
  assert.equal(order.tell({ type: 'reinstated' }), 'awaiting_shipment');
  assert.deepEqual([order.cases, order.state.cancellation], [[], null]);
  assert.equal(order.tell({ type: 'reinstated' }), 'action_not_allowed');
});

test('an order that comes back is held by what held it, by what it lacks, and by a surplus', () => {
  const order = Play.opened(snapshotOf());
  order.tell(hold('phone_confirmation'));
  order.tell(hold('manual', later(60_000)));
  order.at(HOUR).tell({ type: 'paymentTimeout' });
  order.tell(pay('p1', 2500));
  assert.equal(order.tell({ type: 'reinstated' }), 'on_hold');
  assert.deepEqual(order.holds, ['phone_confirmation', 'overpaid']);
});

test('a cancelled paid order, too, can come back, in a new round of the reservation', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(CANCEL);
  assert.deepEqual(order.cases, ['refund_due']);
  order.ledger = outOfStock;
  assert.equal(order.tell({ type: 'reinstated' }), 'backordered');
  assert.equal(order.state.reservation.round, 2);
});

test('money after completion is a case, and no hold', () => {
  const order = Play.opened(paidSnapshot(), undefined, { paymentTimeoutMs: 1, autoCompleteMs: 0 });
  order.tell(ship('T1', { 1: 2 }));
  assert.equal(order.tell(deliver('S1')), 'completed');
  assert.equal(order.tell(pay('p2', 5)), 'completed');
  assert.deepEqual([order.holds, order.cases], [[], ['overpaid']]);
});

test('a presale whose balance is not paid closes; the deposit is kept and is a case', () => {
  const order = Play.opened(presaleSnapshot());
  assert.equal(order.tell(pay('p1', 500)), 'pending_payment');
  assert.equal(order.at(HOUR).tell({ type: 'paymentTimeout' }), 'unchanged');
  assert.equal(order.at(later(7 * 86_400_000)).tell({ type: 'balanceOverdue' }), 'closed');
  assert.deepEqual([order.cases, paidTotal(order.state)], [['deposit_kept'], 500]);
  assert.equal(order.tell(pay('p2', 1500)), 'closed');
  assert.deepEqual(order.cases, ['deposit_kept', 'late_payment', 'refund_due']);
  assert.equal(order.tell({ type: 'reinstated' }), 'action_not_allowed');
});

test('a presale without its deposit is cancelled like any unpaid order', () => {
  const order = Play.opened(presaleSnapshot());
  order.tell(pay('p1', 499));
  assert.equal(order.at(HOUR).tell({ type: 'balanceOverdue' }), 'unchanged');
  assert.equal(order.tell({ type: 'paymentTimeout' }), 'cancelled');
});

test('a presale that is paid in full is an order like others', () => {
  const order = Play.opened(presaleSnapshot());
  order.tell(pay('p1', 500));
  assert.equal(order.tell(pay('p2', 1500)), 'awaiting_shipment');
  assert.equal(order.tell(ship('T1', { 1: 2 })), 'shipped');
});

test('cash on delivery is not money: held with a case, never timed out, nothing reserved', () => {
  const order = Play.opened(snapshotOf({ payments: [payment('p1', 2000, { method: 'cod' })] }));
  assert.deepEqual([statusOf(order.state), order.holds, order.cases], ['on_hold', ['manual'], ['mapping_failed']]);
  assert.deepEqual([paymentStatusOf(order.state), order.state.reservation.state], ['unpaid', 'none']);
  assert.equal(order.at(later(30 * 86_400_000)).tell({ type: 'paymentTimeout' }), 'unchanged');
  assert.equal(order.tell(pay('p2', 2000, { method: 'cod' })), 'rule_violation');
  order.tell(pay('p3', 2000));
  assert.equal(order.tell(release('manual', 'operations')), 'awaiting_shipment');
});

test('an order counts as paid when the payment came that completed the sum, whatever the order of the news', () => {
  const order = Play.opened(snapshotOf());
  order.tell(pay('p2', 1500, { paidAt: later(5000) }));
  order.tell(pay('p1', 1000, { paidAt: '2026-11-22T12:00:00+08:00' }));
  assert.equal(paidAtOf(order.state), later(5000));
  const free = Play.opened(snapshotOf({ orderDiscount: 2000 }));
  assert.equal(paidAtOf(free.state), NOON);
});
