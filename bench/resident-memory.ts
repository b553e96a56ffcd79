import { costOf, type ProcessCost } from './process-cost.ts';

const EVERY_MS = 200;

/** The most memory that processes had while they were looked at, by name. */
export class ResidentMemory {
  readonly #pids: Record<string, () => number>;
  readonly #most = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(pids: Record<string, () => number>) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** Since it was last asked, in MB. */
  take(): Record<string, number> {
    this.#look();
    const most = Object.fromEntries(this.#most);
    this.#most.clear();
    return most;
  }

  costs(): Record<string, ProcessCost> {
    return Object.fromEntries(Object.entries(this.#pids).map(([name, pid]) => [name, costOf(pid())]));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const [name, { memoryMb }] of Object.entries(this.costs()))
      this.#most.set(name, Math.max(this.#most.get(name) ?? 0, memoryMb));
  }
}
