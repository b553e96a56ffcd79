import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { FAILURE_CONVERTER_PATH } from '../../runtime/temporal.ts';
import { buildWorkflows, bundleName } from '../../scripts/build-workflows.ts';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../runtime/search-attributes.ts';
import { temporalTestServer } from './servers.ts';

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

export interface TemporalBench {
  readonly client: Client;
  /** Virtual time passes: timers that fall due fire. */
  pass(ms: number): Promise<void>;
  /** What the workflows see as now. */
  now(): Promise<number>;
  /** Works a queue for as long as `run` takes; workflows that it leaves behind stay as they are. */
  runUntil<T>(worker: Pick<WorkerOptions, 'taskQueue' | 'activities'>, run: () => Promise<T>): Promise<T>;
  /** A worker that is ended by the test, or with the file. */
  work(worker: Pick<WorkerOptions, 'taskQueue' | 'activities'>): Promise<{ stop(): Promise<void> }>;
}

export const newQueue = (): string => `orders-${randomUUID()}`;

/** One time-skipping server and one bundle for all tests of a file; each test takes a queue of its own. */
export function useTemporal(): TemporalBench {
  let env: TestWorkflowEnvironment;
  let bundle: { code: string };
  const start = async (): Promise<void> => {
    quietRuntime();
    const [path, code] = await Promise.all([temporalTestServer(), workflowBundle()]);
    bundle = code;
    env = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
      client: { dataConverter: { failureConverterPath: FAILURE_CONVERTER_PATH } },
    });
    // This server knows no lists of keywords by name; a text is stored as it comes.
    const names = Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name as 'ShopId']]]);
    await env.connection.operatorService.addSearchAttributes({ searchAttributes: Object.fromEntries(names) });
  };
  // Hooks of a file do not wait for each other.
  let ready: Promise<void> | undefined;
  before(() => (ready ??= start()));
  const left = new Set<() => Promise<void>>();
  after(async () => {
    await Promise.all([...left].map((stop) => stop()));
    await env.teardown();
  });

  const createWorker = async (options: Pick<WorkerOptions, 'taskQueue' | 'activities'>): Promise<Worker> => {
    await (ready ??= start());
    return Worker.create({
      ...options,
      connection: env.nativeConnection,
      workflowBundle: bundle,
      dataConverter: { failureConverterPath: FAILURE_CONVERTER_PATH },
      reuseV8Context: true,
      workflowThreadPoolSize: 1,
      stickyQueueScheduleToStartTimeout: '1s',
      shutdownGraceTime: '50ms',
      shutdownForceTime: '300ms',
    });
  };

  return {
    get client() {
      return env.client;
    },
    async pass(ms) {
      // In parts, so that what a timer sets off is carried out before the next hour begins.
      for (let left = ms; left > 0; left -= HOUR_MS) await env.sleep(Math.min(left, HOUR_MS));
    },
    now: () => env.currentTimeMs(),
    async runUntil(options, run) {
      const worker = await createWorker(options);
      return worker.runUntil(run);
    },
    async work(options) {
      const worker = await createWorker(options);
      const running = worker.run().catch(() => undefined);
      const stop = async () => {
        left.delete(stop);
        worker.shutdown();
        await running;
      };
      left.add(stop);
      return { stop };
    },
  };
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
