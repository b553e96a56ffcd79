import { sleep } from '@temporalio/workflow';
import { orderWorkflow as asRecorded } from '../../workflows/order-workflow.ts';
import type { OrderWorkflowInput, OrderWorkflowResult } from '../../workflows/contract.ts';

/** What nobody may do to running orders: a step more at the beginning, without `patched`. */
export async function orderWorkflow(input: OrderWorkflowInput): Promise<OrderWorkflowResult> {
  await sleep(1);
  return asRecorded(input);
}
