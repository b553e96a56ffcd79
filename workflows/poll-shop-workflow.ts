import { ContinueAsNew, continueAsNew, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { addCounts, NO_COUNTS, type CollectCounts } from '../domain/collect-counts.ts';
import { collectWindow, failPoll, finishPoll, planPoll, startDistribution } from './channel-proxies.ts';
import type { ShopWorkflowInput } from './channel-contract.ts';
import { reasonOf, showShop } from './shop-signs.ts';

/**
 * Collects everything that has changed in a shop since the last time, window after window, and has it distributed. What
 * cannot be collected now is by the schedule's next run, from the same place on.
 */
export async function pollShopWorkflow(input: ShopWorkflowInput): Promise<CollectCounts> {
  const { shopId } = input;
  let counts = NO_COUNTS;
  let collectedTo: string | null = null;
  try {
    for (let isLast = false; !isLast;) {
      const plan = await planPoll({ shopId });
      showShop(shopId, plan.channel);
      for (const [index, window] of plan.windows.entries()) {
        setCurrentDetails(
          `collecting from ${window.from} to ${window.to}, window ${index + 1} of ${plan.windows.length}; ${inWords(counts)}`,
        );
        counts = addCounts(counts, await collectWindow({ shopId, ...window, source: 'poll' }));
        collectedTo = window.to;
      }
      isLast = plan.isLast;
      if (collectedTo === null) break;
      const { hasNews } = await finishPoll({ shopId, collectedTo, isLast });
      if (hasNews) await startDistribution({ shopId });
      if (!isLast && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof pollShopWorkflow>(input);
    }
    setCurrentDetails(`done: ${inWords(counts)}`);
  } catch (error) {
    if (isCancellation(error) || error instanceof ContinueAsNew) throw error;
    const reason = reasonOf(error);
    setCurrentDetails(`stopped, ${inWords(counts)}: ${reason}`);
    await failPoll({ shopId, pollId: workflowInfo().runId, error: reason, collectedTo });
  }
  return counts;
}

const inWords = ({ seen, created, changed }: CollectCounts): string =>
  `${seen} seen, ${created} new, ${changed} changed`;
