import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify } from '../runtime/embedded/process-identity.ts';
import type { Env } from '../runtime/embedded/tool-paths.ts';
import type { Running } from './member.ts';

export interface NodeProcessOptions {
  /** Loaded before the application, after tsx. */
  imports: string[];
  args: string[];
  env: Env;
  logFile: string;
}

const root = dirname(import.meta.dirname);

/** Starts the application as a process of its own, which ends when we do. */
export const startNodeProcess = async ({ imports, args, env, logFile }: NodeProcessOptions): Promise<Running> => {
  const log = openSync(logFile, 'a', 0o600);
  const preloads = ['tsx', ...imports].flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, [...preloads, 'main.ts', ...args], {
    cwd: root,
    env: { ...env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  let isGone = false;
  const exited = new Promise<void>((resolve) => {
    const settle = () => {
      isGone = true;
      resolve();
    };
    child.once('error', settle);
    child.once('exit', settle);
  });
  return {
    identity: identify(child.pid ?? -1),
    exited,
    kill: () => void (isGone || child.kill('SIGKILL')),
  };
};
