import { Worker } from '@temporalio/worker';
import { createChannelActivities } from '../activities/channel-activities.ts';
import { createChannelClient } from '../adapters/channels/channel-clients.ts';
import type { CreateChannelClient } from '../adapters/channels/channel-port.ts';
import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { ensureIndexes } from '../runtime/mongo.ts';
import { CHANNELS_QUEUE } from '../workflows/contract.ts';
import { activityLog } from './activity-log.ts';
import { channelDeps } from './channel-deps.ts';
import { watchLeftNews } from './distribution.ts';
import { workflowSource } from './workflow-source.ts';

export interface ChannelWorkerOptions {
  createClient?: CreateChannelClient;
  inboxDays?: number;
  inFlight?: number;
}

/** Serves the channels queue: platforms are asked and told, and what they say is distributed. */
export async function startChannelWorker(
  { config, logger, keyring, mongo, temporal, metrics }: AppContext,
  { createClient = createChannelClient, ...options }: ChannelWorkerOptions = {},
): Promise<RunningRole> {
  const { client, connection, dataConverter } = temporal;
  const deps = channelDeps({ connection: mongo, client, keyring, logger, metrics, createClient, ...options });
  // What collecting relies on must be there before it begins, whichever process comes first.
  await ensureIndexes(mongo, logger);
  const worker = await Worker.create({
    ...(await workflowSource(config.workflowBundle)),
    connection,
    namespace: config.temporal.namespace,
    dataConverter,
    taskQueue: CHANNELS_QUEUE,
    activities: createChannelActivities(deps),
    interceptors: { activity: [activityLog(logger)] },
    reuseV8Context: true,
    workflowThreadPoolSize: 1,
    maxCachedWorkflows: 100,
    maxConcurrentWorkflowTaskExecutions: 10,
    maxConcurrentActivityTaskExecutions: 50,
    maxHeartbeatThrottleInterval: '5s',
    shutdownGraceTime: '5s',
    shutdownForceTime: '14s',
  });
  const running = worker.run();
  running.catch((error: unknown) => logger.error('the channels worker failed', { error }));
  const leftNews = watchLeftNews(client, deps, logger);
  return {
    async stop() {
      await leftNews.stop();
      worker.shutdown();
      await running;
    },
  };
}
