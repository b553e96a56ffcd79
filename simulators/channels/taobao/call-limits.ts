import { callLimited } from './top-error.ts';

export interface CallRate {
  /** Calls of one app to one method. */
  perSecond: number;
  /** How long the method is closed to an app that called too often. */
  banSeconds?: number | undefined;
}

/** Closes a method to an app for some seconds, for too many calls or because it was told to. */
export class CallLimits {
  readonly #rate: CallRate | undefined;
  readonly #calls = new Map<string, { second: number; count: number }>();
  readonly #bannedUntil = new Map<string, number>();

  constructor(rate: CallRate | undefined) {
    this.#rate = rate;
  }

  ban(appKey: string, method: string, seconds: number): void {
    this.#bannedUntil.set(`${appKey} ${method}`, Date.now() + seconds * 1000);
  }

  /** Opens every method again, as if nobody had called. */
  lift(): void {
    this.#bannedUntil.clear();
    this.#calls.clear();
  }

  /** Throws while the method is closed; a call that is refused does not count as one. */
  admit(appKey: string, method: string): void {
    const key = `${appKey} ${method}`;
    const now = Date.now();
    const leftMs = (this.#bannedUntil.get(key) ?? 0) - now;
    if (leftMs > 0) throw callLimited(Math.ceil(leftMs / 1000));
    if (!this.#rate) return;
    const second = Math.floor(now / 1000);
    const calls = this.#calls.get(key);
    const count = calls?.second === second ? calls.count + 1 : 1;
    this.#calls.set(key, { second, count });
    if (count <= this.#rate.perSecond) return;
    const seconds = this.#rate.banSeconds ?? 1;
    this.ban(appKey, method, seconds);
    throw callLimited(seconds);
  }
}
