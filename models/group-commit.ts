/**
 * Runs what is asked for at the same time as one batch: while a batch is under way the next one gathers. One commit of the
 * database then serves many orders, and orders of one process never conflict over a counter.
 */
export class GroupCommit<Q, A> {
  readonly #run: (requests: Q[]) => Promise<(A | Error)[]>;
  readonly #maxBatch: number;
  #waiting: { request: Q; resolve: (answer: A) => void; reject: (error: Error) => void }[] = [];
  #isRunning = false;

  constructor(run: (requests: Q[]) => Promise<(A | Error)[]>, maxBatch = 64) {
    this.#run = run;
    this.#maxBatch = maxBatch;
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
      const answers = await this.#run(batch.map(({ request }) => request)).catch((error: unknown) =>
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
}
