import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { superviseApp, type AppProcess } from '../runtime/embedded/app-process.ts';
import { MEMORY_ENV, NODE_FLAGS } from '../runtime/embedded/app-memory.ts';
import { DataFolder } from '../runtime/embedded/data-folder.ts';
import { EmbeddedServers, settlePort } from '../runtime/embedded/embedded-servers.ts';
import type { Say } from '../runtime/embedded/say.ts';
import type { Env } from '../runtime/embedded/tool-paths.ts';
import { bundleName, removeOldBundles } from './build-workflows.ts';

export interface LaunchOptions {
  env: Env;
  demo: boolean;
  say: Say;
}

const DEFAULT_PORT = '8080';
const DEFAULT_SHUTDOWN_MS = 15_000;
/** What the application gets beyond the time that it allows itself, so that it ends by itself. */
const EXTRA_GRACE_MS = 2_000;
/** Of one Ctrl-C, which may reach us twice: from the terminal and from npm. */
const SAME_SIGNAL_MS = 700;
const READY_WITHIN_MS = 120_000;

const root = resolve(import.meta.dirname, '..');

const prepareBundle = async (env: Env, data: DataFolder, say: Say): Promise<string> => {
  if (env.ORDERHUB_WORKFLOW_BUNDLE?.trim()) return env.ORDERHUB_WORKFLOW_BUNDLE;
  const folder = join(data.path, 'bundles');
  const file = join(folder, bundleName());
  if (existsSync(file)) return file;
  say('workflows: bundling them, because they are new or have changed');
  // In a process of its own: the bundler's memory is not kept for as long as we run.
  await promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/build-workflows.ts', file], { cwd: root });
  removeOldBundles(folder, bundleName());
  return file;
};

/** Where this machine reaches a server that listens on `host`. */
const urlOf = (host: string, port: number): string => {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
};

const isReady = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    return response.status === 200;
  } catch {
    return false;
  }
};

const untilReady = async (url: string): Promise<void> => {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await isReady(url))) {
    if (Date.now() > deadline) throw new Error(`${url}/readyz did not answer 200 within ${READY_WITHIN_MS / 1000} s`);
    await sleep(50);
  }
};

const apiPort = (env: Env, data: DataFolder): Promise<number> => {
  const wanted = env.ORDERHUB_PORT?.trim() || DEFAULT_PORT;
  return settlePort(data, 'api', 'ORDERHUB_PORT', wanted === '0' ? undefined : wanted);
};

/** Brings everything up, prints the line that begins with `ready `, and stays until it is told to stop. */
export const launch = async ({ env, demo, say }: LaunchOptions): Promise<void> => {
  const fail = (error: unknown): void => {
    console.error(`\nOrderHub could not start: ${(error as Error).message}`);
    process.exitCode = 1;
  };
  let data: DataFolder;
  try {
    data = DataFolder.open(resolve(env.ORDERHUB_DATA?.trim() || join(root, '.orderhub')));
  } catch (error) {
    return fail(error);
  }

  let servers: EmbeddedServers | undefined;
  let app: AppProcess | undefined;
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    await app?.stop((Number(env.ORDERHUB_SHUTDOWN_TIMEOUT_MS) || DEFAULT_SHUTDOWN_MS) + EXTRA_GRACE_MS);
    data.forgetProcess('app');
    await servers?.stop();
    data.close();
  };
  const stopped = new Promise<'stopped'>((resolveStopped) => {
    let firstAt = 0;
    const onSignal = (name: NodeJS.Signals): void => {
      if (stopping) {
        // A second Ctrl-C does not wait for the application any longer; its servers still end in order.
        if (name === 'SIGINT' && Date.now() - firstAt > SAME_SIGNAL_MS) void app?.stop(0);
        return;
      }
      firstAt = Date.now();
      say('stopping: no new work, finishing what is under way');
      stopping = stopAll().then(() => resolveStopped('stopped'));
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });

  const run = async (): Promise<void> => {
    await data.endLeftovers(say);
    const host = env.ORDERHUB_HOST?.trim() || '127.0.0.1';
    const port = await apiPort(env, data);
    const url = urlOf(host, port);
    say(`data: ${data.path}`);
    const bundle = prepareBundle(env, data, say);
    servers = new EmbeddedServers({ env, data, say, codecEndpoint: `${url}/v1/codec` });
    const [{ temporalAddress, mongoUri, uiUrl }, bundleFile] = await Promise.all([servers.start(), bundle]);
    if (stopping) return;
    say('servers: Temporal and MongoDB are there, starting the application');
    const roles = demo ? 'api,worker,relay,simulators' : 'api,worker,relay';
    app = superviseApp({
      cwd: root,
      args: [...NODE_FLAGS, '--import', 'tsx', 'main.ts', '--roles', roles],
      env: {
        NODE_ENV: 'production',
        ...MEMORY_ENV,
        ...env,
        ...(temporalAddress && { TEMPORAL_ADDRESS: temporalAddress }),
        ...(mongoUri && { MONGODB_URI: mongoUri }),
        ORDERHUB_HOST: host,
        ORDERHUB_PORT: String(port),
        ORDERHUB_DATA: data.path,
        ORDERHUB_DEMO: String(demo),
        ORDERHUB_WORKFLOW_BUNDLE: bundleFile,
        ORDERHUB_UI_URL: env.ORDERHUB_UI_URL ?? uiUrl,
      },
      say,
      onStart: (identity) => data.rememberProcess('app', identity),
    });
    await Promise.race([untilReady(url), app.failed, stopped]);
    if (stopping) return;
    app.markReady();
    if (demo) {
      say(`demo: sign in as demo-operations, demo-finance, …; the password is in ${join(data.path, 'demo-password')}`);
      say(
        'demo: orders of demo (posted) and demo-taobao (collected) come from now on; ORDERHUB_LOG_LEVEL=info shows them',
      );
    }
    const ui = uiUrl ? `  Temporal UI ${uiUrl}` : '';
    console.log(`ready  API ${url}  docs ${url}/docs${ui}`);
    await Promise.race([app.failed, stopped]);
  };

  try {
    await run();
    await stopped;
    say('stopped');
  } catch (error) {
    if (!stopping) fail(error);
    stopping ??= stopAll();
    await stopping;
  }
  process.exit();
};
