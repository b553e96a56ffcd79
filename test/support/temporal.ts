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
import { temporalTestServer } from './servers.ts';

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
  /** A worker that the test itself ends. */
  work(worker: Pick<WorkerOptions, 'taskQueue' | 'activities'>): Promise<{ stop(): Promise<void> }>;
}

export const newQueue = (): string => `orders-${randomUUID()}`;

/** One time-skipping server and one bundle for all tests of a file; each test takes a queue of its own. */
export function useTemporal(): TemporalBench {
  let env: TestWorkflowEnvironment;
  let bundle: { code: string };
  before(async () => {
    quietRuntime();
    const [path, code] = await Promise.all([temporalTestServer(), workflowBundle()]);
    bundle = code;
    env = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
      client: { dataConverter: { failureConverterPath: FAILURE_CONVERTER_PATH } },
    });
  });
  after(() => env.teardown());

  const createWorker = (options: Pick<WorkerOptions, 'taskQueue' | 'activities'>): Promise<Worker> =>
    Worker.create({
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
      return {
        async stop() {
          worker.shutdown();
          await running;
        },
      };
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
