import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Keyring, SecretKey } from './keyring.ts';

export { CodecRequestError, codecOverJson } from './codec-json.ts';

const PayloadProto = proto.temporal.api.common.v1.Payload;

export const ENCRYPTED_ENCODING = 'binary/encrypted';
const ENCODING_BYTES = Buffer.from(ENCRYPTED_ENCODING);
const KEY_ID_FIELD = 'encryption-key-id';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `unknown_key` is cured by giving the key back, the others are not. */
export class PayloadDecryptionError extends Error {
  readonly reason: 'unknown_key' | 'malformed' | 'tampered';
  constructor(reason: PayloadDecryptionError['reason'], message: string) {
    super(message);
    this.name = 'PayloadDecryptionError';
    this.reason = reason;
  }
}

/**
 * Encrypts whole payloads, their metadata included, with AES-256-GCM; data = nonce | ciphertext | tag, the key id is in the
 * metadata and authenticated. What comes unencrypted (a signal from the command line) passes. Workflow metadata stays in
 * clear: it holds codes and times only, is never stored, and tells everybody with the UI open what a workflow waits for.
 * Nonces are random: a key is good for 2^32 payloads, so rotate it long before.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return this.encodeNow(payloads);
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return this.decodeNow(payloads);
  }

  encodeNow(payloads: readonly Payload[]): Payload[] {
    const key = this.#keyring.current('payload');
    const keyId = Buffer.from(key.id);
    return payloads.map((payload) => (isWorkflowMetadata(payload) ? payload : encrypt(payload, key, keyId)));
  }

  decodeNow(payloads: readonly Payload[]): Payload[] {
    return payloads.map((payload) => (isEncrypted(payload) ? this.#decrypt(payload) : payload));
  }

  #decrypt(payload: Payload): Payload {
    const { [KEY_ID_FIELD]: keyIdBytes } = payload.metadata ?? {};
    const { data } = payload;
    if (!keyIdBytes || !data || data.length < NONCE_BYTES + TAG_BYTES)
      throw new PayloadDecryptionError('malformed', 'An encrypted payload without key id or of too few bytes');
    const keyId = Buffer.from(keyIdBytes).toString('utf8');
    const key = this.#keyring.find('payload', keyId);
    if (!key)
      throw new PayloadDecryptionError(
        'unknown_key',
        `A payload is encrypted with key ${printable(keyId)}, which is not in the keyring`,
      );
    const decipher = createDecipheriv('aes-256-gcm', key.secret, data.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(keyIdBytes);
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    try {
      const clear = decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES));
      decipher.final();
      return PayloadProto.decode(clear);
    } catch {
      throw new PayloadDecryptionError('tampered', `A payload encrypted with key ${keyId} was changed since`);
    }
  }
}

function encrypt(payload: Payload, key: SecretKey, keyId: Buffer): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce);
  cipher.setAAD(keyId);
  const ciphertext = cipher.update(PayloadProto.encode(payload).finish());
  cipher.final(); // empty for GCM, but it makes the tag
  return {
    metadata: { encoding: ENCODING_BYTES, [KEY_ID_FIELD]: keyId },
    data: Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]),
  };
}

function isEncrypted({ metadata }: Payload): boolean {
  const encoding = metadata?.['encoding'];
  return encoding != null && ENCODING_BYTES.equals(encoding);
}

const printable = (id: string): string => (/^[A-Za-z0-9_-]{1,40}$/.test(id) ? id : '(unreadable id)');

const METADATA_START = Buffer.from('{"definition":{"type":"');

/** The SDK's own answer to the UI's metadata query: message definitions and the current details. */
const isWorkflowMetadata = ({ metadata, data }: Payload): boolean =>
  data !== null &&
  data !== undefined &&
  Buffer.from(metadata?.['encoding'] ?? []).toString() === 'json/plain' &&
  METADATA_START.equals(data.subarray(0, METADATA_START.length));
