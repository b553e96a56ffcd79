import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from '../runtime/logger.ts';

/** Which order, delivery, shop or time a call was about. */
const ASKED = ['shopId', 'warehouseId', 'code', 'platformOrderId', 'from', 'to', 'source', 'backfillId'];
/** How it came out; free texts of outside systems are left out. */
const ANSWERED = ['state', 'seen', 'created', 'changed', 'unchanged', 'failed', 'told'];
/** Of these only what moved something is worth a line. */
const FREQUENT = ['collectMessages', 'distributeNews'];
/** Our own book-keeping around the calls. */
const QUIET = ['planPoll', 'planBackfill', 'finishPoll', 'failPoll', 'reportBackfill', 'startDistribution'];

/** One line for each call of an outside system and each run of collecting, with how long it took. */
export const activityLog =
  (logger: Pick<Logger, 'info' | 'warn' | 'isEnabled'>): ActivityInterceptorsFactory =>
  ({ info: { activityType, attempt } }) => ({
    inbound: {
      async execute(input, next) {
        if (QUIET.includes(activityType) || !logger.isEnabled('warn')) return next(input);
        const startedAt = Date.now();
        const about = () => ({
          ...pick(input.args[0], ASKED),
          ...(attempt > 1 ? { attempt } : {}),
          ms: Date.now() - startedAt,
        });
        try {
          const answer = await next(input);
          const outcome = pick(answer, ANSWERED);
          if (logger.isEnabled('info') && !(FREQUENT.includes(activityType) && isNothing(outcome)))
            logger.info(activityType, { ...about(), ...outcome });
          return answer;
        } catch (error) {
          const { name, message, type } = error as Error & { type?: string };
          logger.warn(`${activityType} has failed`, { ...about(), kind: type ?? name, reason: message });
          throw error;
        }
      },
    },
  });

const pick = (from: unknown, names: readonly string[]): Record<string, unknown> =>
  typeof from === 'object' && from !== null
    ? Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
    : {};

const isNothing = (outcome: Readonly<Record<string, unknown>>): boolean =>
  Object.values(outcome).every((value) => value === 0);
