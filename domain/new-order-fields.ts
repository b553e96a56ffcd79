import { initialState } from './order-life.ts';
import type { OrderSnapshot } from './order-model.ts';
import { orderViewOf } from './order-view.ts';
import { searchFieldsOf } from './step-request.ts';

/** What is readable of an order that intake has stored and no workflow has looked at; revision 0. */
export const newOrderFields = (snapshot: OrderSnapshot, now: string) => {
  const view = orderViewOf(initialState(snapshot), now);
  return { ...view, ...searchFieldsOf(view) };
};
