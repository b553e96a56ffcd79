import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { MEMORY_ENV, NODE_FLAGS } from '../runtime/embedded/app-memory.ts';
import { identify } from '../runtime/embedded/process-identity.ts';
import type { Env } from '../runtime/embedded/tool-paths.ts';
import type { Running } from './member.ts';

export interface NodeProcessOptions {
  entry?: string;
  args: string[];
  env: Env;
  logFile: string;
}

const root = dirname(import.meta.dirname);

/** Starts the application as a process of its own, which ends when we do. */
export const startNodeProcess = async ({
  entry = 'main.ts',
  args,
  env,
  logFile,
}: NodeProcessOptions): Promise<Running> => {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', 'tsx', entry, ...args], {
    cwd: root,
    env: { ...MEMORY_ENV, ...env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  return { identity: identify(child.pid ?? -1), exited };
};
