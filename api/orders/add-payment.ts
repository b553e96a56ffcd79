import { isCashOnDelivery } from '../../domain/order-payment.ts';
import type { AddPaymentCommand } from '../../domain/order-messages.ts';
import type { CommandTarget } from './order-commands.ts';
import type { Sealer } from '../../runtime/sealing.ts';
import { paymentOf } from './intake.ts';
import { assertCurrency, ruleViolation } from './order-prices.ts';
import type { NewPayment } from './order-schemas.ts';

/** Throws 422 for another currency, for what is no payment, and for a sum that could not be exact any more. */
export const addPaymentCommand = (
  body: NewPayment,
  head: CommandTarget,
  sealer: Pick<Sealer, 'seal'>,
): AddPaymentCommand => {
  const payment = paymentOf(body, head.orderId, sealer);
  assertCurrency(body.currency, head.currency, 'currency');
  if (isCashOnDelivery(payment))
    throw ruleViolation({ path: 'method', message: 'cash on delivery is not a payment: nothing has been paid yet' });
  if (!Number.isSafeInteger(head.totals.paid + payment.amount))
    throw ruleViolation({ path: 'amount', message: 'would take the sum beyond the exact integers' });
  return { type: 'addPayment', payment };
};
