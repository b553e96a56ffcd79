import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, identify, type ProcessIdentity } from './process-identity.ts';
import type { Say } from './say.ts';
import type { Env } from './tool-paths.ts';

export interface AppProcessOptions {
  args: string[];
  cwd: string;
  env: Env;
  say: Say;
  onStart: (identity: ProcessIdentity) => void;
}

export interface AppProcess {
  /** Rejects when the application cannot come up at all; else pending for as long as it is kept running. */
  readonly failed: Promise<never>;
  markReady(): void;
  stop(graceMs: number): Promise<void>;
}

/** The application's way of saying that starting it again would change nothing. */
const EXIT_CONFIG = 78;
const MOST_FAILED_STARTS = 3;
const LONGEST_PAUSE_MS = 30_000;
const HEALTHY_AFTER_MS = 60_000;

/** Runs the application and starts it again, at growing intervals, whenever it ends by itself. */
export const superviseApp = ({ args, cwd, env, say, onStart }: AppProcessOptions): AppProcess => {
  let child: ChildProcess | undefined;
  let identity: ProcessIdentity | undefined;
  let wasReady = false;
  let stopping = false;
  let wake = (): void => undefined;

  const runOnce = async (): Promise<number | null> => {
    // A channel, so that the application notices when we are killed; its own group, so that a Ctrl-C reaches us alone.
    child = spawn(process.execPath, args, {
      cwd,
      env: { ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    const ended = new Promise<number | null>((resolve) => {
      child?.once('error', () => resolve(null));
      child?.once('exit', (code) => resolve(code));
    });
    if (child.pid !== undefined) {
      identity = identify(child.pid);
      onStart(identity);
    }
    return ended;
  };

  const keepRunning = async (): Promise<never> => {
    let failures = 0;
    for (;;) {
      const began = Date.now();
      const code = await runOnce();
      if (stopping) return new Promise<never>(() => undefined);
      if (code === EXIT_CONFIG) throw new Error('the configuration is wrong, see above');
      failures = Date.now() - began > HEALTHY_AFTER_MS ? 1 : failures + 1;
      if (!wasReady && failures >= MOST_FAILED_STARTS)
        throw new Error(`the application ended ${failures} times before it was ready, the last time with code ${code}`);
      const pauseMs = Math.min(250 * 2 ** failures, LONGEST_PAUSE_MS);
      say(`application: ended unexpectedly (code ${code}), starting it again in ${pauseMs / 1000} s`);
      await Promise.race([sleep(pauseMs), new Promise<void>((resolve) => (wake = resolve))]);
      if (stopping) return new Promise<never>(() => undefined);
    }
  };

  return {
    failed: keepRunning(),
    markReady: () => {
      wasReady = true;
    },
    stop: async (graceMs) => {
      stopping = true;
      wake();
      if (identity) await endProcess(identity, graceMs);
    },
  };
};
