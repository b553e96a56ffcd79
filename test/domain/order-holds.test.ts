import { test } from 'node:test';
import assert from 'node:assert/strict';
import { allowedActions } from '../../domain/order-actions.ts';
import { isReleasable, mayRelease, SETTABLE_HOLDS } from '../../domain/order-holds.ts';
import { statusOf } from '../../domain/order-status.ts';
import type { HoldCode } from '../../domain/order-model.ts';
import {
  CANCEL,
  hold,
  later,
  lineOf,
  paidSnapshot,
  pay,
  Play,
  RECEIVER,
  release,
  ship,
  snapshotOf,
} from './samples.ts';

const CODES: HoldCode[] = [
  'platform_hold',
  'risk_review',
  'phone_confirmation',
  'unknown_sku',
  'address_incomplete',
  'manual',
  'refund_open',
  'overpaid',
  'amount_mismatch',
  'unknown_status',
];
const ROLES = ['admin', 'cs_agent', 'cs_supervisor', 'finance', 'operations', 'warehouse', 'auditor', 'service'];
const releasersOf = (code: HoldCode) => ROLES.filter((role) => mayRelease(code, [role]));

test('each hold is released by whom the contract names, the others end with their cause', () => {
  const all = ['admin', 'cs_agent', 'cs_supervisor', 'operations', 'service'];
  assert.deepEqual([releasersOf('manual'), releasersOf('address_incomplete')], [all, all]);
  assert.deepEqual(
    releasersOf('risk_review'),
    all.filter((role) => role !== 'cs_agent'),
  );
  assert.ok(mayRelease('risk_review', ['cs_agent', 'cs_supervisor']) && !mayRelease('risk_review', []));
  assert.deepEqual([releasersOf('overpaid'), releasersOf('amount_mismatch')], [['finance'], ['finance']]);
  for (const code of ['platform_hold', 'phone_confirmation', 'unknown_sku', 'refund_open', 'unknown_status'] as const)
    assert.deepEqual([isReleasable(code), releasersOf(code)], [false, []], code);
});

test('an order on hold is on_hold before anything else, and says again what it was when the hold ends', () => {
  for (const [snapshot, status] of [
    [snapshotOf(), 'pending_payment'],
    [paidSnapshot(), 'awaiting_shipment'],
  ] as const) {
    const order = Play.opened(snapshot);
    assert.deepEqual([order.tell(hold('manual')), order.tell(release('manual', 'cs_agent'))], ['on_hold', status]);
  }
});

test('nothing ships while any hold stands', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(hold('manual'));
  order.tell(hold('risk_review'));
  order.tell(release('manual', 'operations'));
  assert.equal(order.tell(ship('T1', { 1: 2 })), 'action_not_allowed');
  assert.ok(!allowedActions(order.state).includes('shipments'));
  assert.equal(order.tell(release('risk_review', 'cs_agent')), 'action_not_allowed');
  order.tell(release('risk_review', 'operations'));
  assert.equal(order.tell(ship('T1', { 1: 2 })), 'shipped');
});

test('people set four kinds of holds, the others are refused', () => {
  const order = Play.opened(paidSnapshot());
  for (const code of CODES) {
    const isSettable = SETTABLE_HOLDS.some((settable) => settable === code);
    const answer = order.tell({ type: 'hold', code, detail: 'x' });
    assert.equal(answer, isSettable ? 'on_hold' : 'rule_violation', code);
  }
});

test('the same hold again changes nothing; with other words or another end it is changed, and keeps its beginning', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(hold('manual'));
  assert.equal(order.at(later(1000)).tell(hold('manual')), 'unchanged');
  assert.equal(order.tell({ type: 'hold', code: 'manual', detail: 'other words' }), 'on_hold');
  assert.deepEqual(order.state.holds, [{ code: 'manual', since: later(0), detail: 'other words' }]);
});

test('a hold with an end stands until then, not before and not after', () => {
  const order = Play.opened(paidSnapshot());
  assert.equal(order.tell(hold('manual', later(0))), 'rule_violation');
  assert.equal(order.tell(hold('manual', 'tomorrow')), 'rule_violation');
  // Without parts of a second, and with an offset: it is the same time.
  order.tell(hold('manual', '2026-11-22T13:00:00+08:00'));
  order.tell(hold('risk_review'));
  assert.equal(order.at(later(3_599_999)).tell({ type: 'holdExpired' }), 'unchanged');
  assert.equal(order.at(later(3_600_000)).tell({ type: 'holdExpired' }), 'on_hold');
  assert.deepEqual(order.holds, ['risk_review']);
});

test('a hold that does not stand cannot be released, one that ends with its cause neither', () => {
  const order = Play.opened(paidSnapshot());
  assert.equal(order.tell(release('manual', 'admin')), 'action_not_allowed');
  order.tell(hold('phone_confirmation'));
  assert.equal(order.tell(release('phone_confirmation', ...ROLES)), 'action_not_allowed');
  assert.ok(!allowedActions(order.state).includes('release'));
});

test('a refused phone confirmation keeps the hold and opens a case, a later yes ends both', () => {
  const order = Play.opened(paidSnapshot());
  assert.equal(order.tell({ type: 'phoneConfirmation', outcome: 'confirmed', note: '' }), 'action_not_allowed');
  order.tell(hold('phone_confirmation'));
  assert.equal(order.tell({ type: 'phoneConfirmation', outcome: 'refused', note: 'no such person' }), 'on_hold');
  assert.deepEqual([order.holds, order.cases], [['phone_confirmation'], ['phone_refused']]);
  assert.deepEqual(order.step.happenings[0], {
    code: 'phone_confirmation',
    params: { outcome: 'refused', note: 'no such person' },
  });
  order.tell({ type: 'phoneConfirmation', outcome: 'refused', note: 'again' });
  assert.deepEqual(order.cases, ['phone_refused']);
  assert.equal(order.tell({ type: 'phoneConfirmation', outcome: 'confirmed', note: '' }), 'awaiting_shipment');
  assert.deepEqual([order.holds, order.cases, order.state.phoneConfirmed], [[], [], true]);
});

test('an order without a complete address is held until it has one, or somebody releases it', () => {
  const bare = paidSnapshot({ receiver: { ...RECEIVER, missing: ['name', 'phone'] } });
  const order = Play.opened(bare);
  assert.equal(order.state.holds[0]?.detail, 'missing: name, phone');
  order.tell({ type: 'changeAddress', receiver: { ...RECEIVER, missing: ['phone'] } });
  assert.equal(order.state.holds[0]?.detail, 'missing: phone');
  assert.equal(order.tell({ type: 'changeAddress', receiver: RECEIVER }), 'awaiting_shipment');
  assert.equal(Play.opened(bare).tell(release('address_incomplete', 'cs_agent')), 'awaiting_shipment');
});

test('an unknown SKU holds the order with a case, nothing is reserved until each is known', () => {
  const lines = [
    lineOf('1', 1, { skuCode: null, platformSku: 'P1' }),
    lineOf('2', 1, { skuCode: null }),
    lineOf('3', 1),
  ];
  const order = Play.opened(paidSnapshot({ lines }));
  assert.deepEqual([order.holds, order.cases, order.asked], [['unknown_sku'], ['unknown_sku'], '']);
  assert.equal(order.state.holds[0]?.detail, 'no SKU for: P1, 2');
  assert.equal(order.tell({ type: 'skuMapped', platformSku: 'P9', skuCode: 'X' }), 'unchanged');
  assert.equal(order.tell({ type: 'skuMapped', platformSku: 'P1', skuCode: 'A' }), 'on_hold');
  assert.equal(order.tell({ type: 'skuMapped', platformSku: 'P1', skuCode: 'B' }), 'unchanged');
  assert.equal(order.tell({ type: 'skuMapped', platformSku: '', skuCode: 'B' }), 'awaiting_shipment');
  assert.deepEqual([order.holds, order.cases, order.asked], [[], [], 'reserve']);
  assert.deepEqual(
    order.state.snapshot.lines.map(({ skuCode }) => skuCode),
    ['A', 'B', 'SKU-3'],
  );
});

test('a mapping that comes before the money, or after the end, is no trouble', () => {
  const lines = [lineOf('1', 1, { skuCode: null, platformSku: 'P1' })];
  const unpaid = Play.opened(snapshotOf({ lines }));
  assert.equal(unpaid.tell({ type: 'skuMapped', platformSku: 'P1', skuCode: 'A' }), 'pending_payment');
  assert.equal(unpaid.tell(pay('p1', 1000)), 'awaiting_shipment');
  const cancelled = Play.opened(snapshotOf({ lines }));
  cancelled.tell(CANCEL);
  assert.equal(cancelled.tell({ type: 'skuMapped', platformSku: 'P1', skuCode: 'A' }), 'unchanged');
});

test('a partly sent order can be held: its status stays, its rest does not go', () => {
  const order = Play.opened(paidSnapshot());
  order.tell(ship('T1', { 1: 1 }));
  assert.deepEqual(
    [order.tell(hold('manual')), order.tell(ship('T2', { 1: 1 }))],
    ['partially_shipped', 'action_not_allowed'],
  );
  order.tell(release('manual', 'operations'));
  assert.equal(order.tell(ship('T2', { 1: 1 })), 'shipped');
  assert.equal(order.tell(hold('manual')), 'action_not_allowed');
  assert.equal(statusOf(order.state), 'shipped');
});
