import { hash, verify } from '@node-rs/argon2';
import { Problem, invalidField } from '../errors.ts';

/** Argon2id with 19 MiB and two passes (OWASP's first choice); the library's own default algorithm is Argon2id. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Each takes a thread and 19 MiB for some 30 ms; more at once would starve everything else of threads. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 200;

export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 256;

/** Hashes and checks passwords, a few at a time; throws 503 when too many wait. */
export class Passwords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | undefined;

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(normalise(password), OPTIONS));
  }

  /** Takes as long for a user that does not exist (`null`), so that names cannot be probed. */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    this.#decoy ??= this.hash('nobody has this password');
    const stored = passwordHash ?? (await this.#decoy);
    const matches = await this.#inTurn(() => verify(stored, normalise(password)));
    return matches && passwordHash !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING)
        throw new Problem('unavailable', { detail: 'Too many sign-ins at once', retryAfterSec: 2 });
      // Whoever finishes hands its place over, so the count stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** Throws 400 for a password that is the user name or a variation of it; lengths are the schema's matter. */
export function assertGoodPassword(password: string, username: string): void {
  const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const name = bare(username);
  const rest = name === '' ? bare(password) : bare(password).replaceAll(name, '');
  if (rest.length === 0) throw invalidField('password', 'must not be the user name');
  if (new Set(password).size < 4) throw invalidField('password', 'must have at least 4 different characters');
}

/** The same characters typed on another system are the same password. */
const normalise = (password: string): string => password.normalize('NFKC');
