import type { OrderState } from './order-model.ts';
import { statusOf } from './order-status.ts';
import { allocatedWarehouses, paidTotal } from './order-quantities.ts';

/** One line for the Temporal UI: what this order waits for, in codes and times only, for it is shown in clear. */
export const waitingFor = (state: OrderState, until: number | null): string => {
  const by = until === null || !Number.isFinite(until) ? '' : ` (until ${new Date(until).toISOString()})`;
  const status = statusOf(state);
  const cases = state.cases.length > 0 ? ` · open cases: ${state.cases.map(({ code }) => code).join(', ')}` : '';
  return `${status}: ${describe(state, status)}${by}${cases}`;
};

const describe = (state: OrderState, status: ReturnType<typeof statusOf>): string => {
  if (state.cancelRequest) return 'waits for warehouses to stop, to be cancelled then';
  switch (status) {
    case 'pending_payment':
      return `waits for payment, ${paidTotal(state)} of ${state.snapshot.payable} paid`;
    case 'on_hold':
      return `held by ${state.holds.map(({ code }) => code).join(', ')}`;
    case 'backordered':
      return 'waits for stock, first come first served';
    case 'processing':
      return `waits for ${allocatedWarehouses(state).join(', ')} to take the delivery`;
    case 'awaiting_shipment':
    case 'partially_shipped':
      return `waits for ${allocatedWarehouses(state).join(', ')} to send the goods`;
    case 'shipped':
      return 'waits for delivery';
    case 'delivered':
      return 'waits for the time to complete by itself';
    default:
      return 'has ended';
  }
};
