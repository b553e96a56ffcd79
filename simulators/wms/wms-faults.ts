import { randomUUID } from 'node:crypto';

/** What can go wrong on the way in, once the warehouse has acted, and with its own reports. */
export const FAULT_KINDS = [
  'down',
  'hang',
  'slow',
  'http-500',
  'busy',
  'refuse-create',
  'refuse-stop',
  'lost-answer',
  'cut-short',
  'duplicate-report',
  'out-of-order',
  'bad-signature',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  id: string;
  kind: FaultKind;
  /** Only calls of this method, without its prefix. */
  method?: string;
  /** Only this delivery. */
  code?: string;
  /** So often, then no more. */
  times?: number;
  /** Of so many, as a fraction. */
  rate?: number;
  delayMs?: number;
}

export type FaultInput = Omit<Fault, 'id'>;

export class WmsFaults {
  #faults: Fault[] = [];

  get list(): readonly Fault[] {
    return this.#faults;
  }

  add(fault: FaultInput): Fault {
    const added = { ...fault, id: randomUUID() };
    this.#faults.push(added);
    return added;
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault that strikes now, and is used up by it. */
  strike(kind: FaultKind, method: string, code = ''): Fault | undefined {
    const fault = this.#faults.find(
      (entry) =>
        entry.kind === kind &&
        (entry.method === undefined || entry.method === method) &&
        (entry.code === undefined || entry.code === code) &&
        (entry.times === undefined || entry.times > 0) &&
        (entry.rate === undefined || Math.random() < entry.rate),
    );
    if (fault?.times !== undefined) fault.times -= 1;
    return fault;
  }
}
