/** Money is an integer in minor units (fen, cent) of a currency given beside it. */
export type AmountMinor = number;

export const isAmountMinor = (value: unknown): value is AmountMinor =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

export class MoneyError extends Error {
  override name = 'MoneyError';
}

/** Adds amounts; throws when a sum on the way leaves the safe integers, never rounds. */
export const sumMinor = (amounts: readonly AmountMinor[]): AmountMinor => {
  let sum = 0;
  for (const amount of amounts) {
    sum += amount;
    if (!Number.isSafeInteger(sum)) throw new MoneyError('the sum is beyond the exact integers');
  }
  return sum;
};

/** `a × b` without rounding; throws beyond the safe integers. */
export const timesMinor = (a: number, b: number): AmountMinor => {
  const product = a * b;
  if (!Number.isSafeInteger(product)) throw new MoneyError('the product is beyond the exact integers');
  return product;
};

/**
 * Spreads `total` over `weights` so that the parts add up to it exactly: each gets its floor, the units left over go to
 * the largest remainders, ties to the earlier place. With weights that are all zero everything must be zero.
 */
export const largestRemainder = (total: AmountMinor, weights: readonly AmountMinor[]): AmountMinor[] => {
  const sum = sumMinor(weights);
  if (sum === 0) {
    if (total !== 0) throw new MoneyError('nothing to spread the amount over');
    return weights.map(() => 0);
  }
  const bigSum = BigInt(sum);
  const parts = weights.map((weight, index) => {
    const product = BigInt(total) * BigInt(weight);
    return { index, floor: Number(product / bigSum), remainder: product % bigSum };
  });
  let left = total - sumMinor(parts.map((part) => part.floor));
  const result = parts.map((part) => part.floor);
  const byRemainder = parts
    .filter((part) => part.remainder > 0n)
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const part of byRemainder) {
    if (left === 0) break;
    result[part.index] = (result[part.index] ?? 0) + 1;
    left -= 1;
  }
  return result;
};
