import type { Instance } from '../../bench/instance.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { orderCollection } from '../../models/order-records.ts';
import { openData, type InstanceData } from './instance-data.ts';

interface OpenOrder {
  orderId: string;
  path: string;
  doing: string;
}

const MOST_DESCRIBED = 20;

/** For a run that was ended: what its callers waited for, and what view and workflow say. */
export const describeOpen = async (instance: Instance<string>, orders: readonly OpenOrder[]): Promise<string> => {
  const data = await openData(instance).catch(() => undefined);
  const lines: string[] = [];
  for (const { orderId, path, doing } of orders.slice(0, MOST_DESCRIBED)) {
    const facts = data ? await factsOf(data, orderId) : 'the servers do not answer';
    lines.push(`  ${orderId} (${path}), ${doing}: ${facts}`);
  }
  if (orders.length > MOST_DESCRIBED) lines.push(`  and ${orders.length - MOST_DESCRIBED} more`);
  await data?.close();
  return lines.join('\n');
};

const factsOf = async ({ connection, client }: InstanceData, orderId: string): Promise<string> => {
  try {
    const record = await orderCollection(connection).findOne({ _id: orderId });
    const { raw, status, historyLength } = await client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    const pending = (raw.pendingActivities ?? []).map(
      ({ activityType, attempt, lastFailure }) =>
        `${activityType?.name} at try ${attempt} (${lastFailure?.message ?? 'no failure'})`,
    );
    const view = record ? `view ${record.status} at revision ${record.revision}` : 'no view';
    const task = raw.pendingWorkflowTask;
    if (task)
      pending.push(`a workflow task at try ${task.attempt}, state ${task.state}, since ${dateOf(task.scheduledTime)}`);
    return [view, `workflow ${status.name} with ${historyLength} events`, ...pending].join(', ');
  } catch (error) {
    const { name, message } = error as Error;
    return `${name} ${message}`;
  }
};

const dateOf = (time: { seconds?: { toString(): string } | null } | null | undefined): string =>
  time?.seconds ? new Date(Number(time.seconds.toString()) * 1000).toISOString() : 'unknown';
