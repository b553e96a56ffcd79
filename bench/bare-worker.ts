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
import { deliveredSignal, shippedSignal, type BareSinks } from './bare-workflow.ts';
import { inParallel, type Round } from './rounds.ts';

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
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('bare-workflow.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const worker = await Worker.create({
  connection,
  workflowBundle,
  taskQueue: QUEUE,
  sinks,
  reuseV8Context: true,
  workflowThreadPoolSize: 1,
  maxCachedWorkflows: 2000,
  maxConcurrentWorkflowTaskExecutions: 100,
});
const running = worker.run();

/** Each signal is sent when the workflow has come to wait for it, as a warehouse acts on what it has been told. */
const order = async (workflowId: string): Promise<void> => {
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
};

process.on('message', (message: { count: number; prefix: string } | 'stop') => {
  if (message === 'stop') {
    worker.shutdown();
    void running.then(() => process.exit(0));
    return;
  }
  const startedAt = performance.now();
  void inParallel(message.count, concurrency, (index) => order(`bare/${message.prefix}-${index}`)).then(async () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const last = await client.workflow.getHandle(`bare/${message.prefix}-${message.count - 1}`).describe();
    const round: Round = {
      seconds,
      orders: message.count,
      events: last.historyLength,
      transitions: Number(last.raw.workflowExecutionInfo?.stateTransitionCount ?? 0),
      historyBytes: last.historySize ?? 0,
    };
    process.send?.(round);
  });
});
process.send?.('ready');
