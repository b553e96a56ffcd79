export interface CallRecord {
  /** RFC 3339, UTC. */
  at: string;
  method: string;
  seller?: string;
  /** `ok`, `error <code> <sub code>`, or the fault that struck, with `ok` before it when the call took effect. */
  outcome: string;
  /** Business parameters; no secrets among them. */
  params: Readonly<Record<string, string>>;
}

const MOST_RECENT = 500;
const NOT_KEPT = new Set([
  'method',
  'app_key',
  'session',
  'sign',
  'sign_method',
  'refresh_token',
  'v',
  'format',
  'fields',
]);

/** How often each method was called and what came of it, since the process began. */
export class CallBook {
  readonly #byMethod = new Map<string, Map<string, number>>();
  #recent: CallRecord[] = [];

  record(params: ReadonlyMap<string, string>, outcome: string, seller: string | undefined): void {
    const method = params.get('method') ?? '';
    const outcomes = this.#byMethod.get(method) ?? new Map<string, number>();
    this.#byMethod.set(method, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
    this.#recent.push({
      at: new Date().toISOString(),
      method,
      ...(seller === undefined ? {} : { seller }),
      outcome,
      params: Object.fromEntries([...params].filter(([name]) => !NOT_KEPT.has(name))),
    });
    if (this.#recent.length > 2 * MOST_RECENT) this.#recent = this.#recent.slice(-MOST_RECENT);
  }

  byMethod(): Record<string, Record<string, number>> {
    return Object.fromEntries([...this.#byMethod].map(([method, outcomes]) => [method, Object.fromEntries(outcomes)]));
  }

  recent(): readonly CallRecord[] {
    return this.#recent.slice(-MOST_RECENT);
  }
}
