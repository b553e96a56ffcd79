import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { ShopRecord } from '../../models/shop-records.ts';
import { BULK_PRIORITY, CHANNELS_QUEUE, searchAttributes } from '../../workflows/contract.ts';
import {
  BACKFILL_WORKFLOW,
  backfillWorkflowId,
  shopPausedSignal,
  shopResumedSignal,
  type BackfillInput,
} from '../../workflows/channel-contract.ts';
import { withinTime } from './within-time.ts';

const WITHIN_MS = 5000;

/** The client side of the backfill workflow's contract. */
export class BackfillClient {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The same `backfillId` is the same backfill: a second start changes nothing. */
  async start({ shopId, channel }: ShopRecord, input: BackfillInput): Promise<void> {
    try {
      await withinTime(this.#client, WITHIN_MS, () =>
        this.#client.workflow.start(BACKFILL_WORKFLOW, {
          workflowId: backfillWorkflowId(shopId, input.backfillId),
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          taskQueue: CHANNELS_QUEUE,
          args: [input],
          typedSearchAttributes: [
            { key: searchAttributes.channel, value: channel },
            { key: searchAttributes.shopId, value: shopId },
          ],
          priority: { priorityKey: BULK_PRIORITY, fairnessKey: shopId },
          staticSummary: `${shopId}: ${input.from} to ${input.to}`,
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Nothing happens when it has ended. */
  async tellPaused(shopId: string, backfillId: string, isPaused: boolean): Promise<void> {
    const handle = this.#client.workflow.getHandle(backfillWorkflowId(shopId, backfillId));
    try {
      await withinTime(this.#client, WITHIN_MS, () => handle.signal(isPaused ? shopPausedSignal : shopResumedSignal));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }

  /** False when it has ended, was terminated, or was never there. */
  async isRunning(shopId: string, backfillId: string): Promise<boolean> {
    const handle = this.#client.workflow.getHandle(backfillWorkflowId(shopId, backfillId));
    try {
      const { status } = await withinTime(this.#client, WITHIN_MS, () => handle.describe());
      return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}
