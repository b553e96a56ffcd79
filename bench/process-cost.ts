import { readFileSync } from 'node:fs';

/** Kernel clock ticks a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SEC = 100;

export interface ProcessCost {
  cpuSec: number;
  /** Of the process now. */
  memoryMb: number;
}

/** What a process has used so far, all its threads together; from /proc, so on Linux only. */
export const costOf = (pid: number): ProcessCost => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuSec: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC, memoryMb: Number(rss ?? 0) / 1024 };
};
