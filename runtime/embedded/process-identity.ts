import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can be recognised later, although the system hands out process ids again. */
export interface ProcessIdentity {
  pid: number;
  /** When the process began, in the system's own words; compared, never parsed. */
  began: string;
}

const readBegan = (pid: number): string | undefined => {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
};

export const identify = (pid: number): ProcessIdentity => ({ pid, began: readBegan(pid) ?? '' });

export const isRunning = ({ pid, began }: ProcessIdentity): boolean => {
  const now = readBegan(pid);
  return now !== undefined && now === began;
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
};

/** Asks the process to end and, after `graceMs`, makes it. Returns when it is gone. */
export const endProcess = async (identity: ProcessIdentity, graceMs: number): Promise<void> => {
  if (!isRunning(identity)) return;
  signal(identity.pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (isRunning(identity)) {
    if (Date.now() > deadline) signal(identity.pid, 'SIGKILL');
    await sleep(20);
  }
};
