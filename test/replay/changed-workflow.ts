import { sleep } from '@temporalio/workflow';
import * as asRecorded from '../../workflows/index.ts';

type Workflow<I, R> = (input: I) => Promise<R>;

/** What nobody may do to running workflows: a step more at the beginning, without `patched`. */
const withStep =
  <I, R>(recorded: Workflow<I, R>): Workflow<I, R> =>
  async (input) => {
    await sleep(1);
    return recorded(input);
  };

export const orderWorkflow = withStep(asRecorded.orderWorkflow);
export const pollShopWorkflow = withStep(asRecorded.pollShopWorkflow);
export const shopMessagesWorkflow = withStep(asRecorded.shopMessagesWorkflow);
export const backfillWorkflow = withStep(asRecorded.backfillWorkflow);
export const distributeShopWorkflow = withStep(asRecorded.distributeShopWorkflow);
