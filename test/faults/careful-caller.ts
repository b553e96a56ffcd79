import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What callers went through; shared by all of them. */
export class CallTally {
  calls = 0;
  /** Answers from the memory of an idempotency key. */
  replayed = 0;
  /** Refused although it had its effect: its answer had been lost and the key was not remembered. */
  refusedAfterEffect: string[] = [];
  /** Refused because the order was not there yet, and asked again. */
  tooEarly = 0;
  readonly retries = { connection: 0, 'time-out': 0, 503: 0, 429: 0, '409 still running': 0 };
  /** Anything that no caller should ever see: a 500, a body that is no problem+json. */
  readonly wrong: string[] = [];
  readonly durationsMs: number[] = [];
}

export interface Answer<T> {
  status: number;
  body: T;
}

interface ProblemBody {
  code?: string;
  detail?: string;
  allowedActions?: string[];
}

/** A 4xx that asking again does not change. */
export class Refused extends Error {
  override name = 'Refused';
  readonly status: number;
  readonly problem: ProblemBody;

  constructor(what: string, status: number, problem: ProblemBody) {
    super(`${what}: ${status} ${problem.code ?? ''} ${problem.detail ?? ''}`);
    this.status = status;
    this.problem = problem;
  }
}

const ANSWER_WITHIN_MS = 25_000;
const LONGEST_PAUSE_MS = 2000;

export interface CarefulCallerOptions {
  url: string;
  authorize: () => Promise<string>;
  tally: CallTally;
  /** Ends everything that still waits. */
  signal: AbortSignal;
}

/**
 * Calls as a caller should who must not lose or double anything: one Idempotency-Key for each thing that is wanted, and
 * the same call again, with the same key, until there is an answer.
 */
export class CarefulCaller {
  readonly #options: CarefulCallerOptions;

  constructor(options: CarefulCallerOptions) {
    this.#options = options;
  }

  get = async <T>(path: string): Promise<T> => (await this.#insist<T>('GET', path)).body;
  put = async <T>(path: string, body: unknown): Promise<T> => (await this.#insist<T>('PUT', path, body)).body;
  post = async <T>(path: string, body: unknown, key: string = randomUUID()): Promise<T> =>
    (await this.#insist<T>('POST', path, body, key)).body;

  /**
   * Sends a command until it is carried out. A 409 is looked into: `isDone` tells from the resource whether it had its
   * effect after all; otherwise it came too early and is asked again, as a new request.
   */
  async command<T>(
    path: string,
    body: unknown,
    { resource, isDone }: { resource: string; isDone: (view: T) => boolean },
  ): Promise<T> {
    const { tally, signal } = this.#options;
    for (;;)
      try {
        return await this.post<T>(path, body);
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 409) throw error;
        const view = await this.get<T>(resource);
        if (isDone(view)) {
          tally.refusedAfterEffect.push(error.message);
          return view;
        }
        tally.tooEarly += 1;
        await sleep(200, undefined, { signal });
      }
  }

  async #insist<T>(method: string, path: string, body?: unknown, key?: string): Promise<Answer<T>> {
    const { tally, signal } = this.#options;
    const startedAt = performance.now();
    tally.calls += 1;
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const answer = await this.#once(method, path, body, key);
      if (!(typeof answer === 'string')) {
        const waitMs = await this.#judge<T>(answer, `${method} ${path}`, startedAt);
        if (typeof waitMs !== 'number') return waitMs;
        pauseMs = Math.max(pauseMs, waitMs);
      } else tally.retries[answer] += 1;
      await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal });
    }
  }

  async #once(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<Response | 'connection' | 'time-out'> {
    const { url, authorize, signal } = this.#options;
    const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      const headers = {
        authorization: `Bearer ${await authorize()}`,
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      };
      const answer = await fetch(`${url}${path}`, {
        method,
        headers,
        signal: AbortSignal.any([signal, limit]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      // The connection may still break before the last byte.
      const text = await answer.text();
      return new Response(text === '' ? null : text, { status: answer.status, headers: answer.headers });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refused) throw error;
      return limit.aborted ? 'time-out' : 'connection';
    }
  }

  /** The answer, or how long to wait before the same is asked again; throws when it is refused for good. */
  async #judge<T>(answer: Response, what: string, startedAt: number): Promise<Answer<T> | number> {
    const { tally } = this.#options;
    const { status, headers } = answer;
    const retryAfterMs = Number(headers.get('retry-after') ?? 0) * 1000;
    if (answer.ok) {
      if (headers.has('idempotency-replayed')) tally.replayed += 1;
      tally.durationsMs.push(performance.now() - startedAt);
      return { status, body: (await answer.json()) as T };
    }
    const text = await answer.text();
    if (!headers.get('content-type')?.startsWith('application/problem+json'))
      tally.wrong.push(`${what}: ${status} ${text.slice(0, 200)}`);
    if (status === 503 || status === 429) {
      tally.retries[status] += 1;
      return Math.min(retryAfterMs, LONGEST_PAUSE_MS);
    }
    if (status >= 500) {
      tally.wrong.push(`${what}: ${status} ${text.slice(0, 300)}`);
      return LONGEST_PAUSE_MS;
    }
    if (status === 409 && retryAfterMs > 0) {
      tally.retries['409 still running'] += 1;
      return Math.min(retryAfterMs, LONGEST_PAUSE_MS);
    }
    throw new Refused(what, status, problemOf(text));
  }
}

const problemOf = (text: string): ProblemBody => {
  try {
    return JSON.parse(text) as ProblemBody;
  } catch {
    return {};
  }
};
