import type { Logger } from './logger.ts';

export interface ShutdownOptions {
  logger: Logger;
  /** For everything together. */
  timeoutMs?: number;
  /** Replaced in tests. */
  exit?: (code: number) => void;
}

/** One signal can arrive twice: from the terminal and from whoever started us. */
const SECOND_SIGNAL_AFTER_MS = 700;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface Step {
  name: string;
  /** May return a promise; what it resolves to does not matter. */
  stop: () => unknown;
}

/**
 * Stops what was started, the latest first, within one budget, then ends the process: 0 when all stopped in time, 1 when
 * not, 130 when a second Ctrl-C cut it short. A step that fails or hangs is logged and does not keep the next from stopping.
 */
export class Shutdown {
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #exit: (code: number) => void;
  readonly #steps: Step[] = [];
  readonly #abort = new AbortController();
  #firstSignalAtMs = 0;
  #running: Promise<number> | undefined;

  constructor({ logger, timeoutMs = 15_000, exit = (code) => process.exit(code) }: ShutdownOptions) {
    this.#logger = logger;
    this.#timeoutMs = timeoutMs;
    this.#exit = exit;
  }

  /** Aborted as soon as stopping begins: take no new work. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Call it right after something was started. What is registered while stopping is stopped as well. */
  onStop(name: string, stop: Step['stop']): void {
    this.#steps.push({ name, stop });
  }

  listen(): void {
    for (const name of SIGNALS) process.on(name, this.#onSignal);
    process.on('uncaughtException', this.#onCrash);
    process.on('unhandledRejection', this.#onCrash);
  }

  /** Ends the process with `code` unless stopping goes wrong. */
  begin(reason: string, code = 0): Promise<number> {
    this.#running ??= this.#stopAll(reason, code).then((result) => {
      this.#exit(result);
      return result;
    });
    return this.#running;
  }

  /** For tests, which must not leave listeners behind. */
  unlisten(): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal);
    process.off('uncaughtException', this.#onCrash);
    process.off('unhandledRejection', this.#onCrash);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const nowMs = Date.now();
    if (this.#firstSignalAtMs === 0) this.#firstSignalAtMs = nowMs;
    else if (name === 'SIGINT' && nowMs - this.#firstSignalAtMs > SECOND_SIGNAL_AFTER_MS) {
      this.#logger.warn('Second Ctrl-C: not waiting any longer');
      this.#exit(130);
    }
    void this.begin(name);
  };

  readonly #onCrash = (error: unknown): void => {
    this.#logger.error('Unexpected error, stopping', { error });
    void this.begin('unexpected error', 1);
  };

  async #stopAll(reason: string, code: number): Promise<number> {
    this.#logger.info('Stopping', { reason });
    this.#abort.abort(new Error(`stopping: ${reason}`));
    const deadlineMs = Date.now() + this.#timeoutMs;
    let allStopped = true;
    for (let step = this.#steps.pop(); step; step = this.#steps.pop())
      allStopped = (await this.#stopOne(step, deadlineMs - Date.now())) && allStopped;
    this.#logger.info('Stopped', { allStopped });
    return allStopped ? code : Math.max(code, 1);
  }

  async #stopOne({ name, stop }: Step, leftMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), Math.max(leftMs, 100));
    });
    try {
      const outcome = await Promise.race([Promise.resolve().then(stop), late]);
      if (outcome === 'late') this.#logger.error('Did not stop in time', { step: name });
      return outcome !== 'late';
    } catch (error) {
      this.#logger.error('Could not be stopped', { step: name, error });
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
