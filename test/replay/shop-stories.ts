import assert from 'node:assert/strict';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, type SignalDefinition } from '@temporalio/common';
import type { ChannelActivities } from '../../activities/channel-activities.ts';
import {
  BACKFILL_WORKFLOW,
  DISTRIBUTE_WORKFLOW,
  MESSAGES_WORKFLOW,
  newsArrivedSignal,
  POLL_WORKFLOW,
  shopPausedSignal,
  shopResumedSignal,
} from '../../workflows/channel-contract.ts';
import { NO_COUNTS } from '../../domain/collect-counts.ts';
import { eventually } from '../support/temporal.ts';
import type { Twin } from './history-twin.ts';

interface Shop {
  /** A story may put others in their place. */
  activities: Partial<ChannelActivities>;
  /** What the worker is given. */
  served: object;
  /** Starts a workflow of the shop; its id is the story's. */
  start: (type: string, input?: object) => Promise<WorkflowHandle>;
  /** The same with a signal before anything else. */
  startWith: (type: string, signal: SignalDefinition, input?: object) => Promise<WorkflowHandle>;
}

export interface ShopStory {
  tell: (shop: Shop) => Promise<WorkflowHandle>;
  twin: Twin;
}

export const shopOf = (client: Client, taskQueue: string, name: string): Shop => {
  const options = (input: object) => ({ taskQueue, workflowId: name, args: [{ shopId: 'tb1', ...input }] });
  const activities: Record<string, ((input: never) => unknown) | undefined> = quietActivities();
  const served = Object.fromEntries(
    Object.keys(activities).map((name) => [name, async (input: never) => activities[name]?.(input)]),
  );
  return {
    activities,
    served,
    start: (type, input = {}) => client.workflow.start(type, options(input)),
    startWith: (type, signal, input = {}) =>
      client.workflow.signalWithStart(type, { ...options(input), signal, signalArgs: [] }),
  };
};

const HOURS = ['00', '01', '02'].map((hour) => `2026-11-22T${hour}:00:00.000Z`);
const [FROM = '', , TO = ''] = HOURS;
const windows = [0, 1].map((n) => ({ from: HOURS[n] ?? '', to: HOURS[n + 1] ?? '' }));
const FOUND = { ...NO_COUNTS, seen: 3, created: 2, unchanged: 1 };
const isDown = () => ApplicationFailure.nonRetryable('taobao: it does not take us', 'unauthorised');

/** A platform on which two orders are new in every window. */
const quietActivities = (): Partial<ChannelActivities> => ({
  planPoll: async () => ({ channel: 'taobao', windows, isLast: true }),
  planBackfill: async () => ({ channel: 'taobao', windowMs: 3_600_000 }),
  collectWindow: async () => FOUND,
  collectMessages: async () => FOUND,
  finishPoll: async () => ({ hasNews: true }),
  failPoll: async () => undefined,
  reportBackfill: async () => undefined,
  startDistribution: async () => undefined,
  distributeNews: async () => ({ told: 2, failed: 0, next: null }),
});

const ended = async (handle: WorkflowHandle): Promise<WorkflowHandle> => {
  await handle.result();
  return handle;
};

/** One run each of the workflows of a shop. */
export const SHOP_STORIES: Record<string, ShopStory> = {
  'shop-polled': {
    tell: async ({ start }) => ended(await start(POLL_WORKFLOW)),
    twin: { of: 'activity', change: (plan) => ({ ...plan, windows: [] }) },
  },
  'shop-poll-fails': {
    async tell({ start, activities }) {
      let windowsAsked = 0;
      activities.collectWindow = async () => {
        windowsAsked += 1;
        if (windowsAsked > 1) throw isDown();
        return FOUND;
      };
      return ended(await start(POLL_WORKFLOW));
    },
    twin: { of: 'activity', change: (plan) => ({ ...plan, windows: windows.slice(0, 1) }) },
  },
  'shop-messages': {
    tell: async ({ start }) => ended(await start(MESSAGES_WORKFLOW)),
    twin: { of: 'activity', change: () => NO_COUNTS },
  },
  'shop-distributed': {
    async tell({ startWith, activities }) {
      const answers = [
        { told: 2, failed: 0, next: { shopId: 'tb1' } as never },
        { told: 1, failed: 1, next: null },
        { told: 1, failed: 0, next: null },
      ];
      activities.distributeNews = async () => answers.shift() ?? { told: 0, failed: 0, next: null };
      const handle = await startWith(DISTRIBUTE_WORKFLOW, newsArrivedSignal);
      // It pauses after what could not be told, unless there are more news.
      await eventually(() => assert.equal(answers.length, 1));
      await handle.signal(newsArrivedSignal);
      return ended(handle);
    },
    twin: { of: 'activity', change: (answer) => ({ ...answer, next: null }) },
  },
  'shop-backfilled': {
    async tell({ startWith, activities }) {
      const states: string[] = [];
      activities.reportBackfill = async ({ state }) => void states.push(state);
      const span = { backfillId: 'b1', from: FROM, to: TO };
      const handle = await startWith(BACKFILL_WORKFLOW, shopPausedSignal, span);
      await eventually(() => assert.deepEqual(states, ['paused']));
      await handle.signal(shopResumedSignal);
      return ended(handle);
    },
    twin: { of: 'activity', change: (plan) => ({ ...plan, windowMs: 7_200_000 }) },
  },
  'shop-backfill-fails': {
    async tell({ start, activities }) {
      activities.collectWindow = async () => {
        throw isDown();
      };
      return ended(await start(BACKFILL_WORKFLOW, { backfillId: 'b1', from: FROM, to: TO }));
    },
    twin: { of: 'input', change: (input) => ({ ...input, to: input.from }) },
  },
};
