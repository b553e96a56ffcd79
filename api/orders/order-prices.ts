import { MoneyError, sumMinor, timesMinor } from '../../domain/money.ts';
import { goodsTotal, payableOf } from '../../domain/paid-share.ts';
import { Problem, type FieldError } from '../errors.ts';
import { MOST_UNITS, type NewOrder } from './order-schemas.ts';

export const payableOfOrder = ({ lines, orderDiscount, freight }: NewOrder): number =>
  payableOf(lines, orderDiscount, freight);

/** Throws 422 `rule_violation`, with the field, when the amounts of an order do not add up or are beyond the exact integers. */
export const assertPriced = (order: NewOrder): void => {
  try {
    const wrong = firstWrong(order);
    if (wrong) throw ruleViolation(wrong);
  } catch (error) {
    if (error instanceof MoneyError)
      throw ruleViolation({ path: 'lines', message: 'the amounts are beyond the exact integers' });
    throw error;
  }
};

/** Throws 422 when a payment is in another currency than its order. */
export const assertCurrency = (currency: string | undefined, ofOrder: string, path: string): void => {
  if (currency !== undefined && currency !== ofOrder)
    throw ruleViolation({ path, message: `is ${currency}, the order is in ${ofOrder}` });
};

export const ruleViolation = (error: FieldError): Problem =>
  new Problem('rule_violation', { detail: `${error.path}: ${error.message}`, errors: [error] });

const firstWrong = (order: NewOrder): FieldError | undefined => {
  const { lines, orderDiscount, payable, presale, payments } = order;
  const gross = lines.map((line) => timesMinor(line.unitPrice, line.quantity));
  const discounted = lines.findIndex((line, index) => line.discount > (gross[index] ?? 0));
  if (discounted >= 0) return { path: `lines.${discounted}.discount`, message: 'is above the price of its line' };
  sumMinor([...gross, orderDiscount]);
  sumMinor(payments.map(({ amount }) => amount));
  const goods = goodsTotal(lines);
  if (orderDiscount > goods) return { path: 'orderDiscount', message: `is above the goods, ${goods}` };
  const due = payableOfOrder(order);
  if (payable !== undefined && payable !== due) return { path: 'payable', message: `must be ${due}` };
  if (presale && presale.deposit > due) return { path: 'presale.deposit', message: `is above the payable, ${due}` };
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  if (units > MOST_UNITS) return { path: 'lines', message: `must have at most ${MOST_UNITS} units together` };
  return undefined;
};
