import { sumMinor, timesMinor, type AmountMinor } from '../../../domain/money.ts';
import type { TopLine, TopTrade } from './trade-schema.ts';

export interface LineAmounts {
  unitPrice: AmountMinor;
  discount: AmountMinor;
}

export interface TradeAmounts {
  /** In the order of the trade's lines. */
  lines: LineAmounts[];
  orderDiscount: AmountMinor;
}

/** Says which amount of a trade has no honest reading; names fields only. */
export class AmountsUnclear extends Error {
  override name = 'AmountsUnclear';
}

/**
 * A trade's amounts as prices, discounts of lines and a discount of the whole. Throws `AmountsUnclear`, or `MoneyError`
 * beyond the exact integers.
 */
export const tradeAmounts = (trade: TopTrade): TradeAmounts => {
  const lines = trade.orders.order;
  const nets = lines.map((line) => netOf(trade, line));
  const orderDiscount = sumMinor(lines.map((line) => shareOfTradeDiscount(line, lines.length === 1)));
  if (orderDiscount < 0) throw new AmountsUnclear("the trade's discount is negative");
  if (orderDiscount > sumMinor(nets)) throw new AmountsUnclear("the trade's discount is above its goods");
  return { lines: lines.map((line, index) => splitNet(line, nets[index] ?? 0, index)), orderDiscount };
};

/** What the line's own price and discounts make of it, when the platform gives them. */
const pricedNet = (line: TopLine): AmountMinor | undefined =>
  line.discount_fee === undefined
    ? undefined
    : sumMinor([timesMinor(line.price, line.num), line.adjust_fee ?? 0, -line.discount_fee]);

/** Of the discount on the whole trade; only with several lines is `payment` what it was taken from. */
const shareOfTradeDiscount = (line: TopLine, isOnly: boolean): AmountMinor => {
  if (line.part_mjz_discount !== undefined) return line.part_mjz_discount;
  if (line.divide_order_fee === undefined) return 0;
  const before = pricedNet(line) ?? (isOnly ? line.divide_order_fee : line.payment);
  return before - line.divide_order_fee;
};

/**
 * Payable for the line's goods before the trade's discount. With several lines `payment` says it, unless money that went
 * back was taken off it; a single line's `payment` has the freight in it and may lack the trade's discount.
 */
const netOf = (trade: TopTrade, line: TopLine): AmountMinor => {
  const isOnly = trade.orders.order.length === 1;
  const priced = pricedNet(line);
  if (priced !== undefined && (isOnly || line.refund_status === 'SUCCESS')) return priced;
  if (!isOnly) return line.payment;
  const freight = trade.post_fee;
  const discount = shareOfTradeDiscount(line, isOnly);
  const readings = [line.payment, line.payment - freight, line.payment - freight + discount];
  return readings.find((net) => net - discount + freight === trade.payment) ?? line.payment;
};

/** A line that was made dearer by the seller has a higher price; a discount is never negative. */
const splitNet = (line: TopLine, net: AmountMinor, index: number): LineAmounts => {
  if (net < 0) throw new AmountsUnclear(`orders.order.${index}.payment is negative`);
  const discount = timesMinor(line.price, line.num) - net;
  if (discount >= 0) return { unitPrice: line.price, discount };
  if (pricedNet(line) !== net) throw new AmountsUnclear(`orders.order.${index}.payment is above its price`);
  const unitPrice = Math.ceil(net / line.num);
  return { unitPrice, discount: timesMinor(unitPrice, line.num) - net };
};
