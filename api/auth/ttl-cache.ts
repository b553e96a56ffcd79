interface Slot<V> {
  value: Promise<V>;
  staleAt: number;
}

/** Bounded cache of what is loaded by key; callers that ask at the same time share one load, failures are not kept. */
export class TtlCache<V> {
  readonly #slots = new Map<string, Slot<V>>();
  readonly #load: (key: string) => Promise<V>;
  readonly #ttlMs: number;
  readonly #maxSize: number;

  constructor(load: (key: string) => Promise<V>, ttlMs: number, maxSize: number) {
    this.#load = load;
    this.#ttlMs = ttlMs;
    this.#maxSize = maxSize;
  }

  get(key: string): Promise<V> {
    const now = Date.now();
    const slot = this.#slots.get(key);
    if (slot && now < slot.staleAt) return slot.value;
    const value = this.#load(key);
    const fresh = { value, staleAt: now + this.#ttlMs };
    this.#slots.delete(key);
    this.#slots.set(key, fresh);
    value.catch(() => this.#slots.get(key) === fresh && this.#slots.delete(key));
    if (this.#slots.size > this.#maxSize) this.#dropOldest();
    return value;
  }

  delete(key: string): void {
    this.#slots.delete(key);
  }

  #dropOldest(): void {
    const oldest = this.#slots.keys().next();
    if (!oldest.done) this.#slots.delete(oldest.value);
  }
}
