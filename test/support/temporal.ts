import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { createLogger } from '../../runtime/logger.ts';
import { ensureNamespace, ensureSearchAttributes, FAILURE_CONVERTER_PATH } from '../../runtime/temporal.ts';
import { buildWorkflows, bundleName, removeOldBundles } from '../../scripts/build-workflows.ts';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../runtime/search-attributes.ts';
import { temporalAddress, temporalTestServer } from './servers.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const TYPES = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
};
const HOUR_MS = 3_600_000;

/** The workflows as they are now, bundled once for all test files that run after each other or at the same time. */
export const workflowBundle = async (): Promise<{ code: string }> => {
  const folder = join(tmpdir(), `orderhub-bundles-${process.getuid?.() ?? ''}`);
  const file = join(folder, bundleName());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    // Under a name of its own until it is whole: another test file may be building it too.
    const own = `${file}.${process.pid}`;
    await buildWorkflows(own);
    renameSync(own, file);
    removeOldBundles(folder, bundleName());
  }
  return { code: await readFile(file, 'utf8') };
};

export const quietRuntime = (): void => {
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
    });
  } catch (error) {
    if ((error as Error).name !== 'IllegalStateError') throw error;
  }
};

/** Workflows are kept between tasks unless `maxCachedWorkflows` is 0: then every task replays its history. */
export type BenchWorker = Pick<WorkerOptions, 'taskQueue' | 'activities' | 'maxCachedWorkflows'> & {
  /** False for a queue of activities alone. */
  hasWorkflows?: boolean;
};

export interface TemporalBench {
  readonly client: Client;
  /** Virtual time passes: timers that fall due fire. */
  pass(ms: number): Promise<void>;
  /** What the workflows see as now. */
  now(): Promise<number>;
  /** Works a queue for as long as `run` takes; workflows that it leaves behind stay as they are. */
  runUntil<T>(worker: BenchWorker, run: () => Promise<T>): Promise<T>;
  /** A worker that is ended by the test, or with the file. */
  work(worker: BenchWorker): Promise<{ stop(): Promise<void> }>;
}

export const newQueue = (): string => `orders-${randomUUID()}`;

interface Engine {
  client: Client;
  connection: NativeConnection;
  namespace: string;
  pass(ms: number): Promise<void>;
  now(): Promise<number>;
  close(): Promise<void>;
}

/** One time-skipping server and one bundle for all tests of a file; each test takes a queue or orders of its own. */
export const useTemporal = (): TemporalBench => useEngine(skippingEngine);

/**
 * The same over a real server, where time passes as it does: for what the time-skipping one does otherwise. Where queues
 * with fixed names are worked, in a namespace of its own, for other files use the server too.
 */
export const useRealTemporal = ({ namespace = 'default' } = {}): TemporalBench =>
  useEngine(async () => realEngine(await temporalAddress(), namespace));

/** The same outside tests; to be closed. */
export const startBench = async (address: string): Promise<TemporalBench & { close(): Promise<void> }> => {
  const { bench, started, close } = benchOver(() => realEngine(address));
  await started();
  return { ...bench, client: bench.client, close };
};

const dataConverter = { failureConverterPath: FAILURE_CONVERTER_PATH };

const skippingEngine = async (): Promise<Engine> => {
  const path = await temporalTestServer();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
    client: { dataConverter },
  });
  const types = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPES[type]]);
  await env.connection.operatorService.addSearchAttributes({ searchAttributes: Object.fromEntries(types) });
  return {
    client: env.client,
    connection: env.nativeConnection,
    namespace: 'default',
    async pass(ms) {
      // In parts, so that what a timer sets off is carried out before the next hour begins.
      for (let left = ms; left > 0; left -= HOUR_MS) await env.sleep(Math.min(left, HOUR_MS));
    },
    now: () => env.currentTimeMs(),
    close: () => env.teardown(),
  };
};

const realEngine = async (address: string, namespace = 'default'): Promise<Engine> => {
  const connection = await NativeConnection.connect({ address });
  const logger = createLogger({ stream: new PassThrough().resume() });
  await ensureNamespace(connection, namespace, logger, 1);
  await ensureSearchAttributes(connection, namespace, logger);
  return {
    client: new Client({ connection, namespace, dataConverter }),
    connection,
    namespace,
    pass: sleep,
    now: async () => Date.now(),
    close: () => connection.close(),
  };
};

const useEngine = (start: () => Promise<Engine>): TemporalBench => {
  const { bench, started, close } = benchOver(start);
  before(started);
  after(close);
  return bench;
};

function benchOver(start: () => Promise<Engine>) {
  let engine: Engine | undefined;
  let starting: Promise<[Engine, { code: string }]> | undefined;
  const left = new Set<() => Promise<void>>();
  // Hooks of a file do not wait for each other.
  const started = () =>
    (starting ??= (async () => {
      quietRuntime();
      const all = await Promise.all([start(), workflowBundle()]);
      [engine] = all;
      return all;
    })());
  const close = async () => {
    await Promise.all([...left].map((stop) => stop()));
    await engine?.close();
  };
  const ready = (): Engine => {
    if (!engine) throw new Error('the server is only there within a test');
    return engine;
  };

  const createWorker = async ({ hasWorkflows = true, ...options }: BenchWorker): Promise<Worker> => {
    const [{ connection, namespace }, workflowBundle] = await started();
    return Worker.create({
      ...options,
      connection,
      namespace,
      ...(hasWorkflows ? { workflowBundle } : {}),
      dataConverter,
      reuseV8Context: true,
      workflowThreadPoolSize: 1,
      stickyQueueScheduleToStartTimeout: '1s',
      shutdownGraceTime: '50ms',
      shutdownForceTime: '1s',
    });
  };

  const bench: TemporalBench = {
    get client() {
      return ready().client;
    },
    pass: (ms) => ready().pass(ms),
    now: () => ready().now(),
    async runUntil(options, run) {
      const worker = await createWorker(options);
      return worker.runUntil(run);
    },
    async work(options) {
      const worker = await createWorker(options);
      const running = worker.run();
      const stop = async () => {
        if (!left.delete(stop)) return;
        worker.shutdown();
        await running;
      };
      left.add(stop);
      return { stop };
    },
  };
  return { bench, started, close };
}

/** Waits until `check` passes without throwing, and throws what it threw last when `withinMs` of real time are over. */
export const eventually = async <T>(check: () => T | Promise<T>, withinMs = 5000): Promise<T> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
};
