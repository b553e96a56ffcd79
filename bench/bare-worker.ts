import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  NativeConnection,
  Worker,
  DefaultLogger,
  Runtime,
  type InjectedSinks,
} from '@temporalio/worker';
import {
  changedSignal,
  deliveredSignal,
  OUTSIDE_QUEUE,
  reportUpdate,
  shippedSignal,
  type BareSinks,
  type OutsideActivities,
} from './bare-workflow.ts';
import { inParallel, roundOf } from './rounds.ts';
import type { ShapeName } from './shape.ts';

/** What the parent asks for. */
export interface BareRound {
  shape: ShapeName;
  count: number;
  prefix: string;
}

const QUEUE = 'bare';
const [address = '', ...rest] = process.argv.slice(2);
const concurrency = Number(rest[0] ?? 32);

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } });
const client = new Client({ connection });
const waits = new EventEmitter({ captureRejections: false });
waits.setMaxListeners(0);
const sinks: InjectedSinks<BareSinks> = {
  bare: { waits: { fn: ({ workflowId }, stage) => void waits.emit(`${workflowId} ${stage}`) } },
};
const activities: OutsideActivities = { handOver: async () => undefined, tellPlatform: async () => undefined };
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('bare-workflow.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const workers = await Promise.all([
  Worker.create({
    connection,
    workflowBundle,
    taskQueue: QUEUE,
    sinks,
    reuseV8Context: true,
    workflowThreadPoolSize: 1,
    maxCachedWorkflows: 2000,
    maxConcurrentWorkflowTaskExecutions: 100,
  }),
  Worker.create({ connection, taskQueue: OUTSIDE_QUEUE, activities }),
]);
const running = Promise.all(workers.map((worker) => worker.run()));

/** Each message is sent when the workflow has come to wait for it, as a warehouse acts on what it has been told. */
const drive: Record<ShapeName, (workflowId: string) => Promise<void>> = {
  async own(workflowId) {
    const waitsForShipment = once(waits, `${workflowId} shipment`);
    const waitsForDelivery = once(waits, `${workflowId} delivery`);
    const handle = await client.workflow.start('bareOrderWorkflow', {
      workflowId,
      taskQueue: QUEUE,
      requestEagerStart: true,
    });
    await waitsForShipment;
    await handle.signal(shippedSignal);
    await waitsForDelivery;
    await handle.signal(deliveredSignal);
    await handle.result();
  },
  async platform(workflowId) {
    const waitsForShipment = once(waits, `${workflowId} shipment`);
    const waitsForDelivery = once(waits, `${workflowId} delivery`);
    // By another process, as platforms' orders may be.
    const handle = await client.workflow.start('bareTradeWorkflow', { workflowId, taskQueue: QUEUE });
    await waitsForShipment;
    await handle.executeUpdate(reportUpdate);
    await waitsForDelivery;
    await handle.signal(changedSignal);
    await handle.result();
  },
};

process.on('message', (message: BareRound | 'stop') => {
  if (message === 'stop') {
    for (const worker of workers) worker.shutdown();
    void running.then(() => process.exit(0));
    return;
  }
  const { shape, count, prefix } = message;
  const idOf = (index: number) => `bare/${shape}-${prefix}-${index}`;
  const startedAt = performance.now();
  void inParallel(count, concurrency, (index) => drive[shape](idOf(index))).then(async () => {
    const seconds = (performance.now() - startedAt) / 1000;
    process.send?.(await roundOf(client, { seconds, orders: count, idOf }));
  });
});
process.send?.('ready');
