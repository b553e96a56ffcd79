import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { searchAttributes } from './contract.ts';

/** Whoever starts a shop's workflow may have set them: that costs nothing, while an upsert is an event. */
export const showShop = (shopId: string, channel: string): void => {
  const known = workflowInfo().typedSearchAttributes;
  if (known.get(searchAttributes.shopId) === shopId && known.get(searchAttributes.channel) === channel) return;
  upsertSearchAttributes([
    { key: searchAttributes.shopId, value: shopId },
    { key: searchAttributes.channel, value: channel },
  ]);
};

/** What ended an activity, in one line. */
export const reasonOf = (error: unknown): string => {
  let reason = error as Error & { type?: string };
  while (reason.cause instanceof Error) reason = reason.cause;
  return reason.type === undefined ? reason.message : `${reason.type}: ${reason.message}`;
};
