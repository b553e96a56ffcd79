import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedProcess } from '../runtime/embedded/managed-process.ts';
import { isRunning } from '../runtime/embedded/process-identity.ts';

export type Running = Pick<ManagedProcess, 'identity' | 'exited'>;

const PAUSE_MS = 250;

const killNow = (running: Running | undefined): void => {
  if (running && isRunning(running.identity)) process.kill(running.identity.pid, 'SIGKILL');
};

/** One process of an instance: killed without warning, started again on the same ports and data, as a supervisor would. */
export class Member {
  readonly name: string;
  readonly #start: () => Promise<Running>;
  #running: Running | undefined;
  #isWanted = false;
  #isDiscarded = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Times that the process ended although nobody had killed it. */
  endedByItself = 0;

  constructor(name: string, start: () => Promise<Running>) {
    this.name = name;
    this.#start = start;
  }

  get pid(): number {
    return this.#running?.identity.pid ?? -1;
  }

  /** Returns when the process has been started; a server is then ready, an application not yet. */
  start(): Promise<void> {
    this.#isWanted = true;
    return this.#inTurn(() => this.#launch());
  }

  /** SIGKILL; returns when it is gone. It stays down until `start`. */
  kill(): Promise<void> {
    this.#isWanted = false;
    return this.#inTurn(async () => {
      killNow(this.#running);
      await this.#running?.exited;
    });
  }

  /** For good, and without waiting. */
  discard(): void {
    this.#isDiscarded = true;
    this.#isWanted = false;
    killNow(this.#running);
  }

  async #launch(): Promise<void> {
    const running = await this.#start();
    this.#running = running;
    if (this.#isDiscarded) return killNow(running);
    void running.exited.then(() => this.#noticeEnd(running));
  }

  async #noticeEnd(ended: Running): Promise<void> {
    if (!this.#isWanted) return;
    this.endedByItself += 1;
    for (;;) {
      await sleep(PAUSE_MS);
      if (!this.#isWanted || this.#running !== ended) return;
      // Its port or its files may still be taken: then it is asked for again.
      await this.#inTurn(async () => this.#isWanted && this.#running === ended && (await this.#launch())).catch(
        () => undefined,
      );
    }
  }

  /** Starts and kills never overlap. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
