import { proxyActivities } from '@temporalio/workflow';
import type { ChannelActivities } from '../activities/channel-activities.ts';
import { BULK_PRIORITY } from './contract.ts';

const priority = { priorityKey: BULK_PRIORITY };

/** Our own database: quick, and tried for as long as an outage usually takes. */
export const { planPoll, planBackfill, finishPoll, failPoll, reportBackfill, startDistribution } =
  proxyActivities<ChannelActivities>({
    startToCloseTimeout: '10s',
    scheduleToCloseTimeout: '10m',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
    priority,
  });

/**
 * A platform that does not answer is asked ever more rarely, and when it has set a time then; after that the schedule's next
 * poll repeats the window. Heartbeats carry how far it has come.
 */
export const { collectWindow } = proxyActivities<ChannelActivities>({
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '40m',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 7 },
  summary: 'collect what changed in one window',
  priority,
});

/** As above, for longer: nobody repeats the window of a backfill. */
export const { collectWindow: collectWindowInsistently } = proxyActivities<ChannelActivities>({
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '6h',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m' },
  summary: 'collect one window of a backfill',
  priority,
});

/** Once: messages come again within seconds, and what they hint at is found by the poll too. */
export const { collectMessages } = proxyActivities<ChannelActivities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout: '20s',
  retry: { maximumAttempts: 1 },
  summary: 'collect the orders that messages name',
  priority,
});

/** News wait for as long as engine or database are away; what was told is not told again. */
export const { distributeNews } = proxyActivities<ChannelActivities>({
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '2h',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'start and tell the orders that have news',
  priority,
});
