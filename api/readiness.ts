import type { Metrics } from '../runtime/metrics.ts';

/** Throws while the dependency cannot be used. */
export type ReadinessCheck = () => Promise<unknown>;

export interface ReadinessReport {
  ready: boolean;
  dependencies: Record<string, 'up' | 'down'>;
}

const CACHE_MS = 1000;
const TIMEOUT_MS = 2500;

/** Asks every dependency at most once a second, however often it is itself asked. */
export class Readiness {
  readonly #checks: Readonly<Record<string, ReadinessCheck>>;
  readonly #metrics: Metrics;
  #report: Promise<ReadinessReport> | undefined;
  #askedAt = 0;
  #isStopping = false;

  constructor(checks: Readonly<Record<string, ReadinessCheck>>, metrics: Metrics) {
    this.#checks = checks;
    this.#metrics = metrics;
  }

  /** From now on not ready, so that no new requests are sent here. */
  stop(): void {
    this.#isStopping = true;
  }

  async report(): Promise<ReadinessReport> {
    if (!this.#report || Date.now() - this.#askedAt > CACHE_MS) {
      this.#askedAt = Date.now();
      this.#report = this.#ask();
    }
    const { ready, dependencies } = await this.#report;
    return { ready: ready && !this.#isStopping, dependencies };
  }

  async #ask(): Promise<ReadinessReport> {
    const states = await Promise.all(
      Object.entries(this.#checks).map(async ([name, check]) => {
        const isUp = await withinTime(check);
        this.#metrics.dependency(name, isUp);
        return [name, isUp ? 'up' : 'down'] as const;
      }),
    );
    return { ready: states.every(([, state]) => state === 'up'), dependencies: Object.fromEntries(states) };
  }
}

async function withinTime(check: ReadinessCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), TIMEOUT_MS);
  });
  try {
    return await Promise.race([check().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
