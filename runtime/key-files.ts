import { randomUUID } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface StoredKey {
  id: string;
  bytes: Buffer;
}

const ON_WINDOWS = process.platform === 'win32';

/** One file per key, `<kind>.<number>.json`, the highest number is the current one. Never changed once written. */
export class KeyFiles {
  readonly #dir: string;
  readonly #onWarning: (message: string) => void;

  constructor(dataDir: string, onWarning: (message: string) => void = () => {}) {
    this.#dir = join(dataDir, 'keys');
    this.#onWarning = onWarning;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    this.#makePrivate(this.#dir, 0o700);
  }

  /** Newest first. */
  read(kind: string): StoredKey[] {
    return this.#numbers(kind).map((number) => {
      const path = this.#path(kind, number);
      this.#makePrivate(path, 0o600);
      return parse(path, readFileSync(path, 'utf8'));
    });
  }

  /** Makes the first key of a kind; whoever comes second keeps the first one's. */
  async addFirst(kind: string, key: StoredKey): Promise<void> {
    await this.#write(kind, 1, key);
  }

  async add(kind: string, key: StoredKey): Promise<void> {
    let number = (this.#numbers(kind)[0] ?? 0) + 1;
    while (!(await this.#write(kind, number, key))) number += 1;
  }

  /** A hard link appears with its whole content or not at all, and never replaces another file. */
  async #write(kind: string, number: number, key: StoredKey): Promise<boolean> {
    const temporary = join(this.#dir, `.${kind}.${randomUUID()}.tmp`);
    const file = await open(temporary, 'wx', 0o600);
    try {
      const content = { id: key.id, kind, createdAt: new Date().toISOString(), key: key.bytes.toString('base64') };
      await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(temporary, this.#path(kind, number));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await unlink(temporary);
    }
    await this.#syncFolder();
    return true;
  }

  async #syncFolder(): Promise<void> {
    if (ON_WINDOWS) return;
    const folder = await open(this.#dir, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #numbers(kind: string): number[] {
    return readdirSync(this.#dir)
      .map((name) => new RegExp(`^${kind}\\.(\\d+)\\.json$`).exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => b - a);
  }

  #path(kind: string, number: number): string {
    return join(this.#dir, `${kind}.${number}.json`);
  }

  #makePrivate(path: string, mode: number): void {
    if (ON_WINDOWS || (statSync(path).mode & 0o077) === 0) return;
    try {
      chmodSync(path, mode);
    } catch (error) {
      throw new Error(`${path} can be read by others and that cannot be changed: chmod it to ${mode.toString(8)}`, {
        cause: error,
      });
    }
    this.#onWarning(`${path} could be read by others; now only by its owner. Rotate the keys if that was not meant`);
  }
}

function parse(path: string, content: string): StoredKey {
  let stored: { id?: unknown; key?: unknown };
  try {
    stored = JSON.parse(content);
  } catch {
    throw new Error(`${path} is damaged: restore it from a backup, what it sealed cannot be read without it`);
  }
  if (typeof stored.id !== 'string' || typeof stored.key !== 'string') throw new Error(`${path} holds no key`);
  return { id: stored.id, bytes: Buffer.from(stored.key, 'base64') };
}
