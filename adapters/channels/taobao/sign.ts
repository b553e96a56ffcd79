import { createHash, createHmac } from 'node:crypto';

export const SIGN_METHODS = ['md5', 'hmac', 'hmac-sha256'] as const;
export type SignMethod = (typeof SIGN_METHODS)[number];

/** What a request says; a file is sent but never signed. */
export type TopParams = Readonly<Record<string, string | Blob>>;

const upperHex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();

/**
 * TOP's signature over all parameters but `sign`, files and empty ones. md5 has the secret at both ends of the text, the
 * HMACs have it as their key only.
 */
export const signTop = (params: TopParams, secret: string, method: SignMethod): string => {
  const text = Object.entries(params)
    .filter(([key, value]) => key !== 'sign' && key !== '' && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => (typeof value === 'string' ? key + value : ''))
    .join('');
  switch (method) {
    case 'md5':
      return upperHex(createHash('md5').update(`${secret}${text}${secret}`, 'utf8').digest());
    case 'hmac':
      return upperHex(createHmac('md5', secret).update(text, 'utf8').digest());
    case 'hmac-sha256':
      return upperHex(createHmac('sha256', secret).update(text, 'utf8').digest());
  }
};
