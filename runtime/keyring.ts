import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KeyFiles } from './key-files.ts';
import type { StoredKey } from './key-files.ts';

/** payload: Temporal's payloads; sealing: fields at rest; index: blind indexes; token: access tokens; assertion: signed decisions. */
export const KEY_KINDS = ['payload', 'sealing', 'index', 'token', 'assertion'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];
export type SecretKind = 'payload' | 'sealing' | 'index';
export type SigningKind = 'token' | 'assertion';

export interface SecretKey {
  readonly id: string;
  /** 256 bits. */
  readonly secret: KeyObject;
}
/** Ed25519. `id` is the `kid` of what it signs. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}
export type KeyOf<K extends KeyKind> = K extends SigningKind ? SigningKey : SecretKey;

export type KeyOverrides = Readonly<Record<KeyKind, readonly { id: string; bytes: Buffer }[]>>;

export interface KeyringOptions {
  /** Keys from the environment; nothing is then read from or written to disk. */
  keys?: KeyOverrides | undefined;
  onWarning?: (message: string) => void;
}

/** How soon a running process seals with the key that another one rotated in. */
const REFRESH_MS = 30_000;
const RELOAD_PAUSE_MS = 1000;

/**
 * Keys by kind and id. The current key seals and signs; older ones only open and verify. The
 * files are read again twice a minute and when an id is not known yet, so that a rotation needs no restart.
 */
export class Keyring {
  readonly #files: KeyFiles | undefined;
  readonly #keys = new Map<KeyKind, (SecretKey | SigningKey)[]>();
  readonly #onWarning: (message: string) => void;
  #reloadedAtMs = 0;

  constructor(source: KeyFiles | KeyOverrides, onWarning: (message: string) => void = () => {}) {
    this.#onWarning = onWarning;
    this.#files = source instanceof KeyFiles ? source : undefined;
    if (source instanceof KeyFiles) this.reload();
    else for (const kind of KEY_KINDS) this.#take(kind, source[kind]);
  }

  /** The newest key of a kind. */
  current<K extends KeyKind>(kind: K): KeyOf<K> {
    if (this.#files && Date.now() - this.#reloadedAtMs > REFRESH_MS) this.#tryReload();
    const key = this.#keys.get(kind)?.[0];
    if (!key) throw new Error(`There is no ${kind} key`);
    return key as KeyOf<K>;
  }

  find<K extends KeyKind>(kind: K, id: string): KeyOf<K> | undefined {
    const known = this.#lookUp(kind, id);
    if (known || !this.#files || Date.now() - this.#reloadedAtMs < RELOAD_PAUSE_MS) return known;
    this.#tryReload();
    return this.#lookUp(kind, id);
  }

  /** Newest first. */
  all<K extends KeyKind>(kind: K): readonly KeyOf<K>[] {
    return (this.#keys.get(kind) ?? []) as KeyOf<K>[];
  }

  /** Adds a new current key; everything sealed or signed before can still be opened. */
  async rotate<K extends KeyKind>(kind: K): Promise<KeyOf<K>> {
    if (!this.#files) throw new Error('Keys that come from the environment are rotated there: put the new one first');
    await this.#files.add(kind, newKey(kind));
    this.reload();
    return this.current(kind);
  }

  /** Reads the key files again. */
  reload(): void {
    this.#reloadedAtMs = Date.now();
    if (!this.#files) return;
    for (const kind of KEY_KINDS) this.#take(kind, this.#files.read(kind));
  }

  /** The keys at hand stay good when their folder cannot be read for a while. */
  #tryReload(): void {
    try {
      this.reload();
    } catch (error) {
      this.#onWarning(`The keys could not be read again: ${(error as Error).message}`);
    }
  }

  #take(kind: KeyKind, stored: readonly StoredKey[]): void {
    const keys = stored.map((key) => toKey(kind, key));
    this.#keys.set(kind, keys);
  }

  #lookUp<K extends KeyKind>(kind: K, id: string): KeyOf<K> | undefined {
    return this.#keys.get(kind)?.find((key) => key.id === id) as KeyOf<K> | undefined;
  }
}

/** Opens the keys under `<dataDir>/keys` and makes those that are missing; processes that start at once agree on one. */
export async function loadKeyring(dataDir: string, options: KeyringOptions = {}): Promise<Keyring> {
  if (options.keys) return new Keyring(options.keys);
  const files = new KeyFiles(dataDir, options.onWarning);
  await files.prepare();
  for (const kind of KEY_KINDS) if (files.read(kind).length === 0) await files.addFirst(kind, newKey(kind));
  return new Keyring(files, options.onWarning);
}

const isSigning = (kind: KeyKind): kind is SigningKind => kind === 'token' || kind === 'assertion';

function newKey(kind: KeyKind): StoredKey {
  const bytes = isSigning(kind)
    ? generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' })
    : randomBytes(32);
  const digest = createHash('sha256').update(kind).update(bytes).digest('hex');
  return { id: `${kind[0]}${digest.slice(0, 10)}`, bytes };
}

function toKey(kind: KeyKind, { id, bytes }: StoredKey): SecretKey | SigningKey {
  if (!isSigning(kind)) {
    if (bytes.length !== 32) throw new Error(`The ${kind} key ${id} must have 32 bytes, it has ${bytes.length}`);
    return { id, secret: createSecretKey(bytes) };
  }
  const privateKey = importPrivateKey(bytes);
  if (privateKey?.asymmetricKeyType !== 'ed25519')
    throw new Error(`The ${kind} key ${id} must be an Ed25519 private key in PKCS #8 DER`);
  return { id, privateKey, publicKey: createPublicKey(privateKey) };
}

function importPrivateKey(bytes: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  } catch {
    // Node's own message may quote the key; the caller names it by id instead.
    return undefined;
  }
}
