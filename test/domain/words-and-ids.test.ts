import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { durationMs, isDuration } from '../../domain/duration.ts';
import { caseIdOf, exhaustedCaseId, isOrderId, movementId, orderIdOf, orderWorkflowId } from '../../domain/ids.ts';
import { AdapterError, RETRYABLE_KINDS } from '../../domain/failures.ts';
import { isEnd, mayMove } from '../../domain/transitions.ts';
import { ORDER_TRANSITIONS } from '../../domain/order-status.ts';

test('the durations of the timers document have their lengths', () => {
  const known = {
    PT30M: 1_800_000,
    PT24H: 86_400_000,
    P10D: 864_000_000,
    P2W: 1_209_600_000,
    PT0S: 0,
    P1DT2H3M4S: 93_784_000,
  };
  for (const [text, ms] of Object.entries(known)) assert.equal(durationMs(text), ms, text);
});

test('what is no duration, or has no fixed length, is refused', () => {
  for (const text of ['', 'P', 'PT', 'P1DT', '30M', 'PT1.5H', 'P1M', 'P1Y', 'PT-1S', 'pt30m', 'PT30M ', 'P1H']) {
    assert.ok(!isDuration(text), text);
    assert.throws(() => durationMs(text), RangeError);
  }
});

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

test('shop and platform id can be told apart in an order id, for any two ids', () => {
  fc.assert(
    fc.property(id, id, (shopId, platformOrderId) => {
      const orderId = orderIdOf(shopId, platformOrderId);
      assert.ok(isOrderId(orderId));
      assert.deepEqual(orderId.split('.'), [shopId, platformOrderId]);
      assert.equal(orderWorkflowId(orderId), `order/${orderId}`);
    }),
  );
});

test('what is no order id is recognised', () => {
  for (const text of ['', 'own1', 'own1.', '.W1', 'own1.W1.R1', 'own1.W 1', `own1.${'x'.repeat(65)}`, 'own/1.W1'])
    assert.ok(!isOrderId(text), text);
});

test('movements and cases are named by what they are for, so that no two share a name', () => {
  const names = [
    movementId.reserve('s.1', 1, 'w1', 'A'),
    movementId.reserve('s.1', 2, 'w1', 'A'),
    movementId.reserve('s.1', 1, 'w2', 'A'),
    movementId.release('s.1', 1, 'w1', 'A'),
    movementId.ship('s.1', 1, 'w1', 'A'),
    movementId.receipt('r1', 'w1', 'A'),
    movementId.adjustment('r1', 'w1', 'A'),
    caseIdOf('s.1', 'overpaid', 1),
    caseIdOf('s.1', 'overpaid', 2),
    exhaustedCaseId('s.1', 2, 1),
    exhaustedCaseId('s.1', 2, 2),
  ];
  assert.equal(new Set(names).size, names.length);
});

test('asking again helps against what passes, not against a plain no', () => {
  assert.deepEqual(
    RETRYABLE_KINDS.filter((kind) => ['declined', 'invalid', 'notFound', 'conflict', 'unauthorised'].includes(kind)),
    [],
  );
  const error = new AdapterError('wms', 'throttled', 'slow down', 5000);
  assert.deepEqual([error.system, error.kind, error.retryAfterMs], ['wms', 'throttled', 5000]);
});

test('the table of an order names only states that it has, and closed is its one end', () => {
  const states = Object.keys(ORDER_TRANSITIONS) as (keyof typeof ORDER_TRANSITIONS)[];
  for (const state of states) for (const to of ORDER_TRANSITIONS[state]) assert.ok(states.includes(to));
  assert.deepEqual(
    states.filter((state) => isEnd(ORDER_TRANSITIONS, state)),
    ['closed'],
  );
  assert.ok(mayMove(ORDER_TRANSITIONS, 'shipped', 'shipped'));
  assert.ok(!mayMove(ORDER_TRANSITIONS, 'shipped', 'cancelled'));
});
