import type { Client, WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Connection } from 'mongoose';
import { orderWorkflowId } from '../../domain/ids.ts';
import { orderCollection } from '../../models/order-records.ts';
import { ORDER_WORKFLOW, type OrderWorkflowResult } from '../../workflows/contract.ts';
import type { Expected } from './order-proofs.ts';
import { Claim, type Proof } from './proof.ts';

const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** What went wrong in histories and is no fault of the orders': tasks of killed workers, by cause. */
export interface EngineFigures {
  failedTasks: Record<string, number>;
  mostEvents: number;
}

/** Workflows: closed with the state of the view, or waiting for what the path says; none beside them. */
export const proveWorkflows = async (
  client: Client,
  connection: Connection,
  expected: readonly Expected[],
): Promise<{ proofs: Proof[]; figures: EngineFigures }> => {
  const closed = new Claim('every workflow is closed as its view says, or waits for what it should');
  const clean = new Claim('no history has a non-determinism error, a step that was given up or an unexpected end');
  const figures: EngineFigures = { failedTasks: {}, mostEvents: 0 };
  const withWorkflow = expected.filter(({ path }) => !path.end.hasNoWorkflow);
  for (const { orderId, path } of withWorkflow) {
    const handle = client.workflow.getHandle(orderWorkflowId(orderId));
    const record = await orderCollection(connection).findOne({ _id: orderId });
    const described = await handle.describe().catch((error: Error) => error);
    closed.examined += 1;
    if (described instanceof Error) {
      closed.problems.push(`${orderId} (${path.name}): ${described.name}`);
      continue;
    }
    const { status, historyLength } = described;
    figures.mostEvents = Math.max(figures.mostEvents, historyLength);
    const about = (what: string) => `${what} of ${orderId} (${path.name})`;
    if (path.end.waits) {
      closed.same(about('workflow status'), status.name, 'RUNNING');
      const details = await currentDetails(handle);
      closed.holds(path.end.waits.test(details), `${about('wait')} is “${details}”`);
    } else {
      closed.same(about('workflow status'), status.name, 'COMPLETED');
      if (status.name === 'COMPLETED') {
        const result = (await handle.result()) as OrderWorkflowResult;
        closed.same(about('result'), result.status, record?.status);
        // What happens after the end is written past the workflow: the view may be ahead, never behind.
        const after = (record?.revision ?? -1) - result.revision;
        closed.same(about('number of steps after the end'), after, path.end.stepsAfterEnd ?? 0);
      }
    }
    await readHistory(handle, clean, figures);
  }
  const listed = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = "${ORDER_WORKFLOW}"` }))
    listed.add(workflowId);
  closed.same('number of workflow ids', listed.size, withWorkflow.length);
  return { proofs: [closed, clean], figures };
};

const currentDetails = async (handle: WorkflowHandle): Promise<string> => {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
};

const UNEXPECTED = [
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
];

export const readHistory = async (
  handle: WorkflowHandle,
  claim: Claim,
  { failedTasks }: EngineFigures,
): Promise<void> => {
  claim.examined += 1;
  const { events } = await handle.fetchHistory();
  for (const { eventType, workflowTaskFailedEventAttributes: failed } of events ?? []) {
    const type = eventType ?? EventType.EVENT_TYPE_UNSPECIFIED;
    if (UNEXPECTED.includes(type)) claim.problems.push(`${handle.workflowId} has ${EventType[type]}`);
    if (!failed) continue;
    const cause = WorkflowTaskFailedCause[failed.cause ?? 0] ?? 'unknown';
    failedTasks[cause] = (failedTasks[cause] ?? 0) + 1;
    if (cause.includes('NON_DETERMINISTIC'))
      claim.problems.push(`${handle.workflowId}: ${failed.failure?.message ?? cause}`);
  }
};
