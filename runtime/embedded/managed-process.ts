import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, identify, type ProcessIdentity } from './process-identity.ts';

export interface ManagedProcessOptions {
  name: string;
  command: string;
  args: string[];
  logFile: string;
  /** Awaited again and again until it says true; the process ending first is an error. */
  isReady: (logSinceStart: () => string) => boolean | Promise<boolean>;
  readyTimeoutMs?: number;
  /** Called as soon as the process is there, long before it is ready. */
  onSpawn?: ((identity: ProcessIdentity) => void) | undefined;
  /** For throw-away servers: when we end, in whatever way, the process is killed and this folder removed. */
  discard?: string | undefined;
}

export interface ManagedProcess {
  readonly name: string;
  readonly identity: ProcessIdentity;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  stop(graceMs?: number): Promise<void>;
}

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

const openLog = (file: string): { fd: number; offset: number } => {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  const fd = openSync(file, 'a', 0o600);
  return { fd, offset: statSync(file).size };
};

// Its standard input ends when we end, even by a kill; the server must not inherit it.
const DISCARDING = 'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3; kill -9 $server; rm -rf "$0") & wait $server';

/**
 * Starts a server process and waits until it is ready. It has its own process group, so that a Ctrl-C at the
 * terminal reaches only us and the application can finish before its servers go.
 */
export const startManagedProcess = async (options: ManagedProcessOptions): Promise<ManagedProcess> => {
  const { name, command, args, logFile, isReady, discard, readyTimeoutMs = 60_000 } = options;
  const { fd, offset } = openLog(logFile);
  const logSinceStart = (): string => readFileSync(logFile).subarray(offset).toString('utf8');
  const child = discard
    ? spawn('/bin/sh', ['-c', DISCARDING, discard, command, ...args], { stdio: ['pipe', fd, fd], detached: true })
    : spawn(command, args, { stdio: ['ignore', fd, fd], detached: true });
  closeSync(fd);
  child.unref();
  // A pipe, not only the process, would keep us from ending.
  (child.stdin as Socket | null)?.unref();

  let ended: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended = signal ? `signal ${signal}` : `exit code ${code}`;
      resolve();
    });
  });
  await new Promise((resolve) => setImmediate(resolve));
  const identity = identify(child.pid ?? -1);
  if (child.pid !== undefined) options.onSpawn?.(identity);
  const stop = (graceMs = 10_000): Promise<void> =>
    ended === undefined ? endProcess(identity, graceMs) : Promise.resolve();

  const deadline = Date.now() + readyTimeoutMs;
  while (ended === undefined && !(await isReady(logSinceStart))) {
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`${name} was not ready after ${readyTimeoutMs / 1000} s, see ${logFile}`);
    }
    await sleep(25);
  }
  if (ended !== undefined) {
    const lastLines = logSinceStart().trim().split('\n').slice(-3).join(' | ');
    throw new Error(`${name} ended while starting (${ended})${lastLines ? `: ${lastLines}` : ''}`);
  }
  return { name, identity, exited, stop };
};
