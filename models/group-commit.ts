/** Longer than any batch takes; whoever asked has given up by then and asks again. */
const WITHIN_MS = 10_000;

/** The database has not answered a batch: it may or may not have been written. */
export class BatchTimeout extends Error {
  override name = 'BatchTimeout';
}

/**
 * Runs what is asked for at the same time as one batch: while a batch is under way the next one gathers. One commit of the
 * database then serves many orders, and orders of one process never conflict over a counter.
 */
export class GroupCommit<Q, A> {
  readonly #run: (requests: Q[]) => Promise<(A | Error)[]>;
  readonly #maxBatch: number;
  readonly #withinMs: number;
  #waiting: { request: Q; resolve: (answer: A) => void; reject: (error: Error) => void }[] = [];
  #isRunning = false;

  constructor(
    run: (requests: Q[]) => Promise<(A | Error)[]>,
    { maxBatch = 64, withinMs = WITHIN_MS }: { maxBatch?: number; withinMs?: number } = {},
  ) {
    this.#run = run;
    this.#maxBatch = maxBatch;
    this.#withinMs = withinMs;
  }

  submit(request: Q): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (!this.#isRunning) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isRunning = true;
    // What arrives in the same turn of the event loop joins the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#maxBatch);
      const answers = await this.#inTime(batch.map(({ request }) => request)).catch((error: unknown) =>
        batch.map(() => error as Error),
      );
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer instanceof Error) reject(answer);
        else if (answer === undefined) reject(new Error('the batch gave no answer'));
        else resolve(answer);
      });
    }
    this.#isRunning = false;
  }

  /**
   * A call that is never answered, say over a connection that broke without a word, must not keep all others waiting. Should
   * that batch be written after all, those who ask again find it written.
   */
  async #inTime(requests: Q[]): Promise<(A | Error)[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new BatchTimeout(`the database has not answered within ${this.#withinMs / 1000} s`);
      timer = setTimeout(() => reject(error), this.#withinMs);
    });
    try {
      return await Promise.race([this.#run(requests), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
