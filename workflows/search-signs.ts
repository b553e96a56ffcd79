import { upsertSearchAttributes } from '@temporalio/workflow';
import { statusOf } from '../domain/order-status.ts';
import type { OrderState } from '../domain/order-model.ts';
import { searchAttributes, searchedStatusOf } from './contract.ts';

/** What an engineer finds an order by. It follows holds, cases, backorders and the end, never every status: an upsert is an event. */
export class SearchSigns {
  private shown: string;

  /** `null` for an order whose attributes, left by a run before, are not known. */
  constructor(stored: OrderState | null) {
    this.shown = stored ? signsOf(stored) : '';
  }

  /** Somebody else has changed the attributes. */
  forget(): void {
    this.shown = '';
  }

  show(state: OrderState): void {
    const signs = signsOf(state);
    if (signs === this.shown) return;
    this.shown = signs;
    upsertSearchAttributes([
      { key: searchAttributes.orderStatus, value: searchedStatusOf(statusOf(state)) },
      { key: searchAttributes.holdCode, value: state.holds.map(({ code }) => code) },
      { key: searchAttributes.caseCode, value: state.cases.map(({ code }) => code) },
    ]);
  }
}

const signsOf = (state: OrderState): string => {
  // The client starts the workflow with what a stored order will be when nothing stands in its way.
  const status =
    state.revision === 0 && statusOf(state) === 'backordered' ? 'processing' : searchedStatusOf(statusOf(state));
  return JSON.stringify([status, state.holds.map(({ code }) => code), state.cases.map(({ code }) => code)]);
};
