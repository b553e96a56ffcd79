import { createHash, timingSafeEqual } from 'node:crypto';

export type QimenParams = Readonly<Record<string, string>>;

/**
 * Qimen's signature: upper-case hex MD5 over the secret, every parameter of the query that has a value, by name and
 * without `sign`, the body's bytes as they are sent, and the secret again.
 */
export const qimenSign = (params: QimenParams, body: Uint8Array, secret: string): string => {
  const hash = createHash('md5').update(secret, 'utf8');
  for (const name of Object.keys(params).sort())
    if (name !== 'sign' && params[name]) hash.update(`${name}${params[name]}`, 'utf8');
  return hash.update(body).update(secret, 'utf8').digest('hex').toUpperCase();
};

/** Takes the same time whatever is wrong, so that nobody finds a signature by trying. */
export const isQimenSigned = (params: QimenParams, body: Uint8Array, secret: string): boolean => {
  const given = Buffer.from((params['sign'] ?? '').toUpperCase(), 'utf8');
  const right = Buffer.from(qimenSign(params, body, secret), 'utf8');
  return given.length === right.length && timingSafeEqual(given, right);
};
