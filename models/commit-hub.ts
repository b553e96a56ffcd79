import type { Connection } from 'mongoose';
import type { WrittenStepNote } from './commit-requests.ts';
import { StepCommitter, type CommitterEvents } from './step-committer.ts';

type OnCommitted = NonNullable<CommitterEvents['onCommitted']>;

type Filled = Parameters<CommitterEvents['onFilled']>[0];

/** The one committer of a process and who listens to it: API and worker share it when they share the process. */
export class CommitHub {
  readonly committer: StepCommitter;
  readonly #onFilled = new Set<(filled: Filled) => void>();
  readonly #onCommitted = new Set<OnCommitted>();
  #onStep: ((step: WrittenStepNote) => void) | undefined;
  readonly #onBatch = new Set<(size: number, path: 'fast' | 'full', ms: number) => void>();

  constructor(connection: Connection) {
    this.committer = new StepCommitter(connection, {
      // Whoever tells the orders' workflows; one listener is enough, several would only tell twice.
      onFilled: (filled) => [...this.#onFilled][0]?.(filled),
      onCommitted: (...committed) => this.#onCommitted.forEach((listener) => listener(...committed)),
      onStep: (step) => this.#onStep?.(step),
      onBatch: (size, path, ms) => this.#onBatch.forEach((listener) => listener(size, path, ms)),
    });
  }

  onFilled(listener: (filled: Filled) => void): void {
    this.#onFilled.add(listener);
  }

  onCommitted(listener: OnCommitted): void {
    this.#onCommitted.add(listener);
  }

  /** Each role of a process asks for the same; the first is enough. */
  onStep(listener: (step: WrittenStepNote) => void): void {
    this.#onStep ??= listener;
  }

  onBatch(listener: (size: number, path: 'fast' | 'full', ms: number) => void): void {
    this.#onBatch.add(listener);
  }
}

const hubs = new WeakMap<Connection, CommitHub>();

export const commitHubOf = (connection: Connection): CommitHub => {
  let hub = hubs.get(connection);
  if (!hub) hubs.set(connection, (hub = new CommitHub(connection)));
  return hub;
};
