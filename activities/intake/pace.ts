export interface PaceOptions {
  least: number;
  most: number;
  /** How long one may take. */
  wantedMs?: number;
}

const WANTED_MS = 250;
/** Of the limit, what is kept after one that took too long. */
const KEPT = 0.95;

/**
 * How many orders may be under way at once: more while each is done quickly, fewer when they begin to wait for one another,
 * because whatever people ask for then waits just as long. Shared by all shops of a process.
 */
export class Pace {
  readonly most: number;
  readonly #least: number;
  readonly #wantedMs: number;
  readonly #waiting: (() => void)[] = [];
  #limit: number;
  #underWay = 0;

  constructor({ least, most, wantedMs = WANTED_MS }: PaceOptions) {
    this.most = most;
    this.#least = least;
    this.#wantedMs = wantedMs;
    this.#limit = least;
  }

  /** How many are allowed now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Runs `work` when it is its turn. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    while (this.#underWay >= this.limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      for (const next of this.#waiting.splice(0, this.limit - this.#underWay)) next();
    }
  }

  /** One has taken so long. */
  note(ms: number): void {
    this.#limit =
      ms > this.#wantedMs
        ? Math.max(this.#least, this.#limit * KEPT)
        : Math.min(this.most, this.#limit + 1 / this.#limit);
  }
}
