import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isAmountMinor, largestRemainder, MoneyError, sumMinor, timesMinor } from '../../domain/money.ts';

const amount = fc.integer({ min: 0, max: 1_000_000_000 });
const weights = fc.array(amount, { minLength: 1, maxLength: 40 });

test('parts by largest remainder add up to the total exactly', () => {
  fc.assert(
    fc.property(amount, weights, (total, list) => {
      fc.pre(list.some((weight) => weight > 0));
      assert.equal(sumMinor(largestRemainder(total, list)), total);
    }),
  );
});

test('no part is further than one minor unit from its exact share', () => {
  fc.assert(
    fc.property(amount, weights, (total, list) => {
      const sum = sumMinor(list);
      fc.pre(sum > 0);
      largestRemainder(total, list).forEach((part, index) => {
        const product = BigInt(total) * BigInt(list[index] ?? 0);
        const floor = Number(product / BigInt(sum));
        assert.ok(part === floor || (part === floor + 1 && product % BigInt(sum) > 0n));
      });
    }),
  );
});

test('a larger remainder is served before a smaller one, and of equal ones the earlier', () => {
  assert.deepEqual(largestRemainder(100, [1, 1, 1]), [34, 33, 33]);
  assert.deepEqual(largestRemainder(2, [1, 1, 1]), [1, 1, 0]);
  assert.deepEqual(largestRemainder(10, [1, 2, 4]), [1, 3, 6]);
  assert.deepEqual(largestRemainder(0, [3, 5]), [0, 0]);
});

test('a weight of zero gets nothing', () => {
  fc.assert(
    fc.property(amount, weights, (total, list) => {
      fc.pre(list.some((weight) => weight > 0));
      const parts = largestRemainder(total, list);
      list.forEach((weight, index) => assert.ok(weight > 0 || parts[index] === 0));
    }),
  );
});

test('amounts near the limit of the exact integers are spread exactly', () => {
  const total = Number.MAX_SAFE_INTEGER;
  const parts = largestRemainder(total, [total - 2, 1, 1]);
  assert.deepEqual(parts, [total - 2, 1, 1]);
  assert.deepEqual(largestRemainder(total, [1, 1]), [(total + 1) / 2, (total - 1) / 2]);
});

test('there is nothing to spread an amount over when all weights are zero', () => {
  assert.throws(() => largestRemainder(1, [0, 0]), MoneyError);
  assert.deepEqual(largestRemainder(0, [0, 0]), [0, 0]);
});

test('sums and products beyond the exact integers are refused, never rounded', () => {
  assert.equal(sumMinor([Number.MAX_SAFE_INTEGER - 1, 1]), Number.MAX_SAFE_INTEGER);
  assert.throws(() => sumMinor([Number.MAX_SAFE_INTEGER, 1]), MoneyError);
  assert.throws(() => sumMinor([Number.MAX_SAFE_INTEGER, 2, -3]), MoneyError);
  assert.throws(() => timesMinor(94_906_267, 94_906_267), MoneyError);
  assert.equal(timesMinor(94_906_265, 94_906_265), 9_007_199_136_250_225);
});

test('an amount is a safe integer that is not negative', () => {
  for (const good of [0, 1, Number.MAX_SAFE_INTEGER]) assert.ok(isAmountMinor(good));
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53, '1', null, undefined, 1n]) assert.ok(!isAmountMinor(bad));
});
