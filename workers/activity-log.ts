import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from '../runtime/logger.ts';

/** Which delivery, shop or time a call was about. */
const ASKED = ['shopId', 'warehouseId', 'code', 'from', 'to', 'source', 'backfillId', 'collectedTo', 'isLast'];
/** How it came out; free texts of outside systems are left out. */
const ANSWERED = ['state', 'seen', 'created', 'changed', 'unchanged', 'failed', 'told', 'hasNews'];
/** Of these only what moved something is worth a line. */
const FREQUENT = ['collectWindow', 'collectMessages', 'distributeNews'];
/** Our own book-keeping around the calls. */
const QUIET = ['planPoll', 'planBackfill', 'failPoll', 'reportBackfill', 'startDistribution'];
const ORDER = /^order\//;

/**
 * One line for each call of an outside system and each run of collecting, with how long it took. What fails is logged by
 * the SDK.
 */
export const activityLog =
  (logger: Pick<Logger, 'info' | 'isEnabled'>): ActivityInterceptorsFactory =>
  ({ info: { activityType, attempt, workflowExecution } }) => ({
    inbound: {
      async execute(input, next) {
        const startedAt = Date.now();
        const answer = await next(input);
        if (QUIET.includes(activityType) || !logger.isEnabled('info')) return answer;
        const outcome = pick(answer, ANSWERED);
        if (FREQUENT.includes(activityType) && isNothing(outcome)) return answer;
        const workflowId = workflowExecution?.workflowId ?? '';
        logger.info(activityType, {
          ...(ORDER.test(workflowId) ? { orderId: workflowId.replace(ORDER, '') } : {}),
          ...pick(input.args[0], ASKED),
          ...outcome,
          ...(attempt > 1 ? { attempt } : {}),
          ms: Date.now() - startedAt,
        });
        return answer;
      },
    },
  });

const pick = (from: unknown, names: readonly string[]): Record<string, unknown> =>
  typeof from === 'object' && from !== null
    ? Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
    : {};

const isNothing = (outcome: Readonly<Record<string, unknown>>): boolean =>
  Object.values(outcome).every((value) => value === 0);
