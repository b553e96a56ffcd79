import {
  ContinueAsNew,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { DistributeNewsAnswer, DistributeNewsInput } from '../activities/channel-activities.ts';
import { distributeNews } from './channel-proxies.ts';
import { newsArrivedSignal, type ShopWorkflowInput } from './channel-contract.ts';
import { reasonOf } from './shop-signs.ts';

/** What could not be told is tried again so often; the worker looks for what is left from time to time. */
const MOST_ROUNDS_IN_VAIN = 5;
const PAUSE = '1m';

/** Tells a shop's orders what their platform says of them, at the rate that the engine takes, until nothing is left. */
export async function distributeShopWorkflow(input: ShopWorkflowInput): Promise<{ told: number }> {
  const { shopId } = input;
  let hasNews = true;
  let told = 0;
  setHandler(newsArrivedSignal, () => void (hasNews = true));
  setCurrentDetails('telling orders what their platform says');
  try {
    for (let inVain = 0; hasNews;) {
      hasNews = false;
      let failed = 0;
      let after: DistributeNewsInput['after'] = null;
      do {
        const answer: DistributeNewsAnswer = await distributeNews({ shopId, after });
        told += answer.told;
        failed += answer.failed;
        after = answer.next;
        setCurrentDetails(`${told} orders told, ${failed} could not be told`);
      } while (after);
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof distributeShopWorkflow>(input);
      inVain = failed > 0 ? inVain + 1 : 0;
      if (failed > 0 && inVain < MOST_ROUNDS_IN_VAIN) {
        await condition(() => hasNews, PAUSE);
        hasNews = true;
      }
    }
  } catch (error) {
    if (isCancellation(error) || error instanceof ContinueAsNew) throw error;
    setCurrentDetails(`stopped after ${told}: ${reasonOf(error)}`);
  }
  return { told };
}
