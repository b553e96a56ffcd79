/** What goes wrong with a call. All but `cut` and `lost-answer` strike before anything takes effect. */
export const FAULT_KINDS = [
  /** Refused for `seconds`, and with it every call of the method in that time. */
  'throttle',
  /** The caller's session ends for good. */
  'expire-session',
  /** A right signature is called wrong. */
  'bad-signature',
  /** Takes effect; the answer ends half-way. */
  'cut',
  /** Status 200 with a page that is no JSON. */
  'not-json',
  'http-500',
  /** Answers after `ms`. */
  'slow',
  /** Never answers. */
  'hang',
  /** Takes effect; the connection is destroyed without an answer. */
  'lost-answer',
  /** An `isp.` error: the platform's own service is away. */
  'isp',
  /** The connection is destroyed at once. */
  'down',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultInput {
  kind: FaultKind;
  /** Of one method; without it, of all. */
  method?: string | undefined;
  /** How often it strikes; without it, until it is taken away. */
  times?: number | undefined;
  /** Of matching calls, 0 to 1; without it, all. */
  rate?: number | undefined;
  seconds?: number | undefined;
  ms?: number | undefined;
}

export interface Fault extends FaultInput {
  id: number;
  struck: number;
}

/** Faults in force; the first that matches a call strikes it. */
export class Faults {
  #faults: Fault[] = [];
  #lastId = 0;

  add(input: FaultInput): Fault {
    const fault = { ...input, id: (this.#lastId += 1), struck: 0 };
    this.#faults.push(fault);
    return fault;
  }

  all(): readonly Fault[] {
    return this.#faults;
  }

  /** All, or one by its id. */
  clear(id?: number): void {
    this.#faults = id === undefined ? [] : this.#faults.filter((fault) => fault.id !== id);
  }

  take(method: string): Fault | undefined {
    const fault = this.#faults.find(
      (candidate) =>
        (candidate.method ?? method) === method &&
        (candidate.times === undefined || candidate.struck < candidate.times) &&
        (candidate.rate === undefined || Math.random() < candidate.rate),
    );
    if (fault) fault.struck += 1;
    return fault;
  }
}
