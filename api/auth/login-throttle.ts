import { Problem } from '../errors.ts';

const WINDOW_MS = 5 * 60_000;
const MAX_WRONG_PER_NAME = 5;
const MAX_WRONG_PER_ADDRESS = 100;
const MAX_TRACKED = 50_000;

interface Tries {
  wrong: number;
  endsAt: number;
}

/**
 * Counts wrong passwords per user name and address, and per address. A right password clears the first count; whoever
 * knows only the name cannot lock the person out from elsewhere.
 */
export class LoginThrottle {
  readonly #tries = new Map<string, Tries>();

  /** Throws 429 while too many were wrong; call it before looking at the password. */
  assertOpen(username: string, ip: string): void {
    const now = Date.now();
    for (const [key, max] of limitsOf(username, ip)) {
      const tries = this.#tries.get(key);
      if (!tries || tries.endsAt <= now || tries.wrong < max) continue;
      throw new Problem('rate_limited', {
        detail: 'Too many wrong passwords',
        retryAfterSec: Math.ceil((tries.endsAt - now) / 1000),
      });
    }
  }

  wrong(username: string, ip: string): void {
    const now = Date.now();
    for (const [key] of limitsOf(username, ip)) {
      const tries = this.#tries.get(key);
      if (tries && tries.endsAt > now) tries.wrong += 1;
      else this.#tries.set(key, { wrong: 1, endsAt: now + WINDOW_MS });
    }
    if (this.#tries.size > MAX_TRACKED) this.#forgetOld(now);
  }

  right(username: string, ip: string): void {
    const [[nameKey]] = limitsOf(username, ip);
    this.#tries.delete(nameKey);
  }

  #forgetOld(now: number): void {
    for (const [key, tries] of this.#tries) if (tries.endsAt <= now) this.#tries.delete(key);
    for (const key of this.#tries.keys()) {
      if (this.#tries.size <= MAX_TRACKED / 2) break;
      this.#tries.delete(key);
    }
  }
}

const limitsOf = (username: string, ip: string) =>
  [
    [`name ${username.toLowerCase()} ${ip}`, MAX_WRONG_PER_NAME],
    [`address ${ip}`, MAX_WRONG_PER_ADDRESS],
  ] as const;
