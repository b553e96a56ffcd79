import { createHash, randomBytes } from 'node:crypto';

/** Recognisable to secret scanners; the part before the second underscore may be shown. */
const PREFIX = 'ohk';
const API_KEY = /^ohk_([a-z0-9]{12})_([A-Za-z0-9]{43})$/;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export interface NewApiKey {
  keyId: string;
  /** The whole key, shown once. */
  apiKey: string;
  secretHash: string;
}

/** 43 letters and digits at random: 256 bits. */
export function newApiKey(): NewApiKey {
  const keyId = pick(LETTERS.slice(26), 12);
  const secret = pick(LETTERS, 43);
  return {
    keyId,
    apiKey: `${PREFIX}_${keyId}_${secret}`,
    secretHash: createHash('sha256').update(secret).digest('base64url'),
  };
}

export function parseApiKey(credential: string): { keyId: string; secret: string } | undefined {
  const [, keyId, secret] = API_KEY.exec(credential) ?? [];
  return keyId !== undefined && secret !== undefined ? { keyId, secret } : undefined;
}

function pick(alphabet: string, length: number): string {
  let out = '';
  while (out.length < length)
    for (const byte of randomBytes(length)) {
      // Bytes above the last multiple would favour the first letters.
      if (byte < 256 - (256 % alphabet.length) && out.length < length) out += alphabet[byte % alphabet.length];
    }
  return out;
}
