import { isFullyPaid, remainingLines } from '../domain/order-quantities.ts';
import { statusOf } from '../domain/order-status.ts';
import type { OrderState } from '../domain/order-model.ts';
import { OrderDesk } from './order-desk.ts';
import type { OrderWorkflowInput, OrderWorkflowResult } from './contract.ts';

const awaitsPayment = (order: OrderState) => !isFullyPaid(order);
const awaitsStock = (order: OrderState) => order.reservation.state !== 'reserved';
const awaitsShipment = (order: OrderState) => remainingLines(order).length > 0;
const awaitsCompletion = (order: OrderState) => !order.ended;

/**
 * The life of one order, from intake to its end. Commands, news and deadlines are applied one after the other by the
 * desk, whatever stage the order is in; each stage only says what it waits for, and each has an end.
 */
export async function orderWorkflow(input: OrderWorkflowInput): Promise<OrderWorkflowResult> {
  const desk = new OrderDesk(input);
  const isContinued = input.firstRunId !== undefined;
  if (!isContinued) await desk.act({ type: input.opening }, input.origin);

  // Unpaid: until the money is there, or the payment's time is over and the order is cancelled.
  await desk.attend(awaitsPayment);
  // Paid, without goods: until the queue of backorders gives them, or somebody cancels.
  await desk.attend(awaitsStock);
  // Reserved: until the last unit has left, in as many parcels as it takes.
  await desk.attend(awaitsShipment);
  // Under way: until every parcel has arrived and the time for complaints that need no refund is over.
  await desk.attend(awaitsCompletion);

  const ended = await desk.close();
  return { status: statusOf(ended), revision: ended.revision };
}
