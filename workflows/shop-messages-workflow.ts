import { isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { NO_COUNTS, type CollectCounts } from '../domain/collect-counts.ts';
import { collectMessages, startDistribution } from './channel-proxies.ts';
import type { ShopWorkflowInput } from './channel-contract.ts';
import { reasonOf } from './shop-signs.ts';

/** Takes up the platform's messages that wait; what fails is tried by the schedule's next run, seconds later. */
export async function shopMessagesWorkflow({ shopId }: ShopWorkflowInput): Promise<CollectCounts> {
  setCurrentDetails('collecting the orders that messages name');
  try {
    const counts = await collectMessages({ shopId });
    if (counts.created + counts.changed + counts.failed > 0) await startDistribution({ shopId });
    return counts;
  } catch (error) {
    if (isCancellation(error)) throw error;
    setCurrentDetails(`stopped: ${reasonOf(error)}`);
    return NO_COUNTS;
  }
}
