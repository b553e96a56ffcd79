import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { TellAnswer } from '../adapters/channels/channel-port.ts';
import type { CollectCounts } from '../domain/collect-counts.ts';
import type { BackfillProgress, BackfillStore } from '../models/backfills.ts';
import type { CollectedOrderStore } from '../models/collected-orders.ts';
import { failureOf } from './adapter-failure.ts';
import { beating } from './beating.ts';
import { collectMessages } from './intake/collect-messages.ts';
import { collectWindow, type CollectWindowInput, type WindowProgress } from './intake/collect-window.ts';
import { describeFailure } from './intake/describe-failure.ts';
import {
  distributeNews,
  type DistributeDeps,
  type DistributeNewsAnswer,
  type DistributeNewsInput,
} from './intake/distribute-news.ts';
import type { OrderCollector } from './intake/order-collector.ts';
import type { FailPollInput, FinishPollInput, PollPlan, ShopPolls } from './intake/poll-shop.ts';
import type { ChannelSettings, IntakeLog } from './intake/ports.ts';
import type { ShopSessions } from './intake/shop-sessions.ts';
import { tellPlatform, type TellPlatformInput } from './intake/tell-platform.ts';

export type { CollectWindowInput } from './intake/collect-window.ts';
export type { DistributeNewsAnswer, DistributeNewsInput } from './intake/distribute-news.ts';
export type { FailPollInput, FinishPollInput, PollPlan } from './intake/poll-shop.ts';
export type { TellPlatformInput } from './intake/tell-platform.ts';

export interface ShopInput {
  shopId: string;
}

export interface BackfillReport extends Omit<BackfillProgress, 'from' | 'to'> {
  backfillId: string;
  from: string;
  to: string;
}

export interface ChannelActivities {
  planPoll(input: ShopInput): Promise<PollPlan>;
  planBackfill(input: ShopInput): Promise<{ channel: string; windowMs: number }>;
  collectWindow(input: CollectWindowInput): Promise<CollectCounts>;
  finishPoll(input: FinishPollInput): Promise<{ hasNews: boolean }>;
  failPoll(input: FailPollInput): Promise<void>;
  collectMessages(input: ShopInput): Promise<CollectCounts>;
  reportBackfill(input: BackfillReport): Promise<void>;
  startDistribution(input: ShopInput): Promise<void>;
  distributeNews(input: DistributeNewsInput): Promise<DistributeNewsAnswer>;
  tellPlatform(input: TellPlatformInput): Promise<TellAnswer>;
}

export interface ChannelActivityDeps {
  sessions: ShopSessions;
  collector: OrderCollector;
  polls: ShopPolls;
  orders: Pick<CollectedOrderStore, 'hasUntold'>;
  backfills: Pick<BackfillStore, 'write'>;
  distribution: DistributeDeps;
  /** Has the shop's news distributed, now or once more. */
  startDistribution(shopId: string): Promise<void>;
  settings: Pick<ChannelSettings, 'courierCodeOf'>;
  log: IntakeLog;
}

export const createChannelActivities = (deps: ChannelActivityDeps): ChannelActivities => ({
  /** Safe to repeat: it reads, and notes when it was last asked. */
  async planPoll({ shopId }) {
    return mapped(() => deps.polls.plan(shopId));
  },

  /** Safe to repeat: it only reads. */
  async planBackfill({ shopId }) {
    return mapped(async () => {
      const { shop, can } = await deps.sessions.shop(shopId);
      return { channel: shop.channel, windowMs: can.windowMs };
    });
  },

  /** Safe to repeat: an order is stored only when the platform says something of it that is not stored yet. */
  async collectWindow(input) {
    const { attempt, heartbeatDetails } = activityInfo();
    const signal = cancellationSignal();
    return mapped(async () => {
      try {
        const known = heartbeatDetails as WindowProgress | undefined;
        return await beating<WindowProgress, CollectCounts>((report) =>
          collectWindow(deps, input, { attempt, known, report, signal }),
        );
      } catch (error) {
        if (signal.aborted) throw error;
        const failed = describeFailure(error);
        deps.log.warn('A window could not be collected', { shopId: input.shopId, from: input.from, failed });
        // What went wrong counts, not that it could not be noted; the poll's end is noted in any case.
        if (input.source === 'poll') await deps.polls.noteFailure(input.shopId, failed).catch(() => undefined);
        throw error;
      }
    });
  },

  /** Safe to repeat: the watermark only moves forward. */
  async finishPoll(input) {
    await deps.polls.finish(input);
    return { hasNews: await deps.orders.hasUntold(input.shopId) };
  },

  /** Safe to repeat: a poll's failure counts once. */
  async failPoll(input) {
    await deps.polls.fail(input);
  },

  /** Safe to repeat: messages are confirmed only when what they name is stored, and come again until then. */
  async collectMessages({ shopId }) {
    const signal = cancellationSignal();
    return mapped(() => beating<void, CollectCounts>((beat) => collectMessages(deps, shopId, { beat, signal })));
  },

  /** Safe to repeat: whole figures are written, never increments. */
  async reportBackfill({ backfillId, from, to, ...progress }) {
    await deps.backfills.write(backfillId, { ...progress, from: new Date(from), to: new Date(to) });
  },

  /** Safe to repeat: a distribution that is under way looks once more. */
  async startDistribution({ shopId }) {
    await deps.startDistribution(shopId);
  },

  /** Safe to repeat: an order starts once, and knows news that it has heard before. */
  async distributeNews(input) {
    const signal = cancellationSignal();
    return beating<void, DistributeNewsAnswer>((beat) => distributeNews(deps.distribution, input, { beat, signal }));
  },

  /** Safe to repeat: the platform recognises a parcel that it was told of. */
  async tellPlatform(input) {
    return mapped(() => tellPlatform(deps, input, cancellationSignal()));
  },
});

const mapped = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error);
  }
};
