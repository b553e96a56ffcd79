import { setFlagsFromString } from 'node:v8';
import { Worker } from '@temporalio/worker';
import { createOrderActivities } from '../activities/order-activities.ts';
import { chainEntry } from '../models/audit-log.ts';
import { CaseStore } from '../models/case-store.ts';
import { commitHubOf } from '../models/commit-hub.ts';
import { logSteps } from '../models/step-log.ts';
import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { ORDERS_QUEUE } from '../workflows/contract.ts';
import { startChannelWorker } from './channel-worker.ts';
import { startFulfilmentWorker } from './fulfilment-worker.ts';
import { tellFilledOrders, watchForgottenOrders } from './filled-orders.ts';
import { workflowSource } from './workflow-source.ts';

/** Frames that stacks of workflow code keep. */
const WORKFLOW_STACK_FRAMES = 2;

/**
 * The SDK takes a stack for every promise of a workflow, for its stack trace query; at V8's ten frames that is a fourth of
 * what a workflow costs the CPU. Applies to contexts made from now on, which are the workflows'.
 */
const shortenWorkflowStacks = (): void => setFlagsFromString(`--stack-trace-limit=${WORKFLOW_STACK_FRAMES}`);

/**
 * A tenth of a megabyte each. An order waits for people most of its life, and is read anew from its history when they have
 * done; what follows within seconds finds it here.
 */
const CACHED_WORKFLOWS = 400;

/** Serves every queue; each can be served any number of times. */
export async function startWorkers(context: AppContext): Promise<RunningRole> {
  shortenWorkflowStacks();
  const started = await Promise.allSettled([
    startOrdersWorker(context),
    startChannelWorker(context),
    startFulfilmentWorker(context),
  ]);
  const running = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((worker) => worker.stop()));
  };
  const failed = started.find((outcome) => outcome.status === 'rejected');
  if (!failed) return { stop };
  await stop();
  throw failed.reason;
}

async function startOrdersWorker({ config, logger, mongo, temporal, metrics }: AppContext): Promise<RunningRole> {
  const hub = commitHubOf(mongo);
  const tell = tellFilledOrders(temporal.client, logger);
  hub.onFilled(tell);
  hub.onStep(logSteps(logger));
  hub.onBatch((steps, _path, ms) => metrics.commit({ steps, seconds: ms / 1000, outcome: 'ok' }));
  const worker = await Worker.create({
    ...(await workflowSource(config.workflowBundle)),
    connection: temporal.connection,
    namespace: config.temporal.namespace,
    dataConverter: temporal.dataConverter,
    taskQueue: ORDERS_QUEUE,
    activities: createOrderActivities({ committer: hub.committer, cases: new CaseStore(mongo), chainEntry }),
    reuseV8Context: true,
    workflowThreadPoolSize: 1,
    maxCachedWorkflows: CACHED_WORKFLOWS,
    maxConcurrentWorkflowTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 200,
    maxConcurrentActivityTaskExecutions: 100,
    shutdownGraceTime: '10s',
    shutdownForceTime: '14s',
  });
  const running = worker.run();
  running.catch((error: unknown) => logger.error('the worker failed', { error }));
  const forgotten = watchForgottenOrders(mongo, tell, logger);
  return {
    async stop() {
      await forgotten.stop();
      worker.shutdown();
      await running;
    },
  };
}
