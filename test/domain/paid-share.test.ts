import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { goodsTotal, lineNet, paidShares, payableOf, type PricedLine } from '../../domain/paid-share.ts';
import { sumMinor } from '../../domain/money.ts';

const line = (quantity: number, unitPrice: number, discount = 0): PricedLine => ({ quantity, unitPrice, discount });

const anyLine = fc
  .record({
    quantity: fc.integer({ min: 1, max: 60 }),
    unitPrice: fc.integer({ min: 0, max: 5_000_000 }),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ quantity, unitPrice, cut }) => line(quantity, unitPrice, Math.floor(quantity * unitPrice * cut)));

const anyOrder = fc
  .record({
    lines: fc.array(anyLine, { minLength: 1, maxLength: 12 }),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    freight: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ lines, cut, freight }) => ({ lines, freight, orderDiscount: Math.floor(goodsTotal(lines) * cut) }));

test('M1: 3 × 3333 less 1000 is worth 3000, 3000 and 2999 in this order', () => {
  const [share] = paidShares([line(3, 3333)], 1000);
  assert.deepEqual(share, { paidShare: 8999, unitPaidShares: [3000, 3000, 2999] });
});

test('M2: a discount of 6000 takes 4000 from a line of 20000 and 2000 from one of 10000', () => {
  const shares = paidShares([line(1, 20_000), line(1, 10_000)], 6000);
  assert.deepEqual(
    shares.map(({ paidShare }) => paidShare),
    [16_000, 8000],
  );
});

test('M18: of three lines of 100 less 100 the first takes the odd unit of the discount', () => {
  const shares = paidShares([line(1, 100), line(1, 100), line(1, 100)], 100);
  assert.deepEqual(
    shares.map(({ paidShare }) => paidShare),
    [66, 67, 67],
  );
});

test("the contract's own example: 3 × 10000 less 3000 with freight 1000 is payable 28000, a unit is worth 9000", () => {
  const lines = [line(3, 10_000)];
  assert.equal(payableOf(lines, 3000, 1000), 28_000);
  assert.deepEqual(paidShares(lines, 3000)[0]?.unitPaidShares, [9000, 9000, 9000]);
});

test('a discount of a line stays with that line', () => {
  const shares = paidShares([line(2, 5000, 4000), line(1, 6000)], 1200);
  assert.deepEqual(
    shares.map(({ paidShare }) => paidShare),
    [5400, 5400],
  );
});

test('shares of all units add up to what is payable without freight, for any order', () => {
  fc.assert(
    fc.property(anyOrder, ({ lines, orderDiscount, freight }) => {
      const shares = paidShares(lines, orderDiscount);
      assert.equal(
        sumMinor(shares.map(({ paidShare }) => paidShare)),
        payableOf(lines, orderDiscount, freight) - freight,
      );
      for (const { paidShare, unitPaidShares } of shares) assert.equal(sumMinor(unitPaidShares), paidShare);
    }),
  );
});

test('no unit is worth less than nothing or more than its price, and the units of a line differ by one at most', () => {
  fc.assert(
    fc.property(anyOrder, ({ lines, orderDiscount }) => {
      paidShares(lines, orderDiscount).forEach(({ paidShare, unitPaidShares }, index) => {
        const priced = lines[index];
        assert.ok(priced && paidShare >= 0 && paidShare <= lineNet(priced));
        assert.equal(unitPaidShares.length, priced.quantity);
        assert.ok(unitPaidShares.every((share) => share >= 0 && share <= priced.unitPrice));
        const [first = 0, last = 0] = [unitPaidShares[0], unitPaidShares.at(-1)];
        assert.ok(first - last <= 1);
        assert.deepEqual(
          unitPaidShares,
          unitPaidShares.toSorted((a, b) => b - a),
        );
      });
    }),
  );
});

test('an order that is free costs nothing for any unit', () => {
  assert.deepEqual(paidShares([line(2, 100), line(1, 0)], 200), [
    { paidShare: 0, unitPaidShares: [0, 0] },
    { paidShare: 0, unitPaidShares: [0] },
  ]);
});
