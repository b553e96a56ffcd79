import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Keyring } from './keyring.ts';

/** What `blindIndex` treats in its own way; any other kind is compared without case and surrounding space. */
export type BlindIndexKind = 'phone' | 'address' | (string & {});

export class SealedValueError extends Error {
  readonly reason: 'malformed' | 'unknown_key' | 'tampered';
  constructor(reason: SealedValueError['reason'], message: string) {
    super(message);
    this.name = 'SealedValueError';
    this.reason = reason;
  }
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const INDEX_BYTES = 16;
const SEALED = /^v1\.([A-Za-z0-9_-]{1,40})\.([A-Za-z0-9_-]{38,})$/;

/**
 * Seals objects for the read model: `v1.<keyId>.<base64url(nonce | ciphertext | tag)>`, AES-256-GCM.
 *
 * With a `context` (say `shop/own1`) a value opens only under the same one, so that it cannot be moved to another
 * document. Leave it out where the value travels, as a receiver does from an order to its parcels and address changes.
 */
export class Sealer {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  seal(value: object, context = ''): string {
    const key = this.#keyring.current('sealing');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.secret, nonce);
    cipher.setAAD(additionalData(key.id, context));
    const parts = [nonce, cipher.update(JSON.stringify(value), 'utf8'), cipher.final(), cipher.getAuthTag()];
    return `v1.${key.id}.${Buffer.concat(parts).toString('base64url')}`;
  }

  /** Throws `SealedValueError`; its message holds nothing of the value. */
  unseal<T>(sealed: string, context = ''): T {
    const [, keyId, body] = SEALED.exec(sealed) ?? [];
    if (keyId === undefined || body === undefined) throw new SealedValueError('malformed', 'Not a sealed value');
    const key = this.#keyring.find('sealing', keyId);
    if (!key) throw new SealedValueError('unknown_key', `Sealed with key ${keyId}, which is not in the keyring`);
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key.secret, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(additionalData(keyId, context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const clear = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return JSON.parse(clear.toString('utf8')) as T;
    } catch {
      throw new SealedValueError('tampered', `Sealed with key ${keyId}, but changed since or of another context`);
    }
  }

  /** For storing: 128 bits, base64url, under the current index key. Empty when nothing of the value is left to compare. */
  blindIndex(kind: BlindIndexKind, value: string): string {
    return indexWith(this.#keyring.current('index').secret, kind, value);
  }

  /** For searching with `$in`: the index under every key, newest first, so that a rotation hides nothing. */
  blindIndexes(kind: BlindIndexKind, value: string): string[] {
    return this.#keyring
      .all('index')
      .map((key) => indexWith(key.secret, kind, value))
      .filter((index) => index !== '');
  }
}

const additionalData = (keyId: string, context: string): Buffer => Buffer.from(`v1.${keyId}.${context}`, 'utf8');

function indexWith(key: Parameters<typeof createHmac>[1], kind: string, value: string): string {
  const normalised = normalise(kind, value);
  if (normalised === '') return '';
  const mac = createHmac('sha256', key).update(`${kind}\0${normalised}`, 'utf8').digest();
  return mac.subarray(0, INDEX_BYTES).toString('base64url');
}

function normalise(kind: BlindIndexKind, value: string): string {
  const flat = value.normalize('NFKC').toLowerCase();
  if (kind === 'phone')
    return flat
      .replace(/^\s*(?:\+|00)\s*86/, '')
      .replace(/\D/g, '')
      .replace(/^86(?=1[3-9]\d{9})/, '');
  if (kind === 'address') return flat.replace(/[\s\p{P}\p{S}\p{Z}]/gu, '');
  return flat.trim();
}
