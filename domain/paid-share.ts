import { largestRemainder, sumMinor, timesMinor, type AmountMinor } from './money.ts';

export interface PricedLine {
  quantity: number;
  unitPrice: AmountMinor;
  /** Of the whole line. */
  discount: AmountMinor;
}

export interface PaidShare {
  paidShare: AmountMinor;
  unitPaidShares: AmountMinor[];
}

export const lineNet = (line: PricedLine): AmountMinor => timesMinor(line.unitPrice, line.quantity) - line.discount;

export const goodsTotal = (lines: readonly PricedLine[]): AmountMinor => sumMinor(lines.map(lineNet));

/** Σ(unitPrice × quantity − discount) − orderDiscount + freight. */
export const payableOf = (lines: readonly PricedLine[], orderDiscount: AmountMinor, freight: AmountMinor) =>
  sumMinor([goodsTotal(lines), -orderDiscount, freight]);

/**
 * What the buyer pays for each line and each unit, freight apart: the order's discount is spread over the lines by
 * their net price, a line's share equally over its units, both by largest remainder with ties to the earlier.
 */
export const paidShares = (lines: readonly PricedLine[], orderDiscount: AmountMinor): PaidShare[] => {
  const nets = lines.map(lineNet);
  const discounts = largestRemainder(orderDiscount, nets);
  return lines.map((line, index) => {
    const paidShare = (nets[index] ?? 0) - (discounts[index] ?? 0);
    return { paidShare, unitPaidShares: largestRemainder(paidShare, new Array<number>(line.quantity).fill(1)) };
  });
};
