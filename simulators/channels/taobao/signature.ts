import { createHash, createHmac } from 'node:crypto';

/** Undefined for a method of signing that the platform does not know. */
export const signatureOf = (
  params: ReadonlyMap<string, string>,
  appSecret: string,
  signMethod: string,
): string | undefined => {
  const text = [...params]
    .filter(([name, value]) => name !== 'sign' && name !== '' && value !== '')
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flat()
    .join('');
  const digest = {
    md5: () => createHash('md5').update(`${appSecret}${text}${appSecret}`),
    hmac: () => createHmac('md5', appSecret).update(text),
    'hmac-sha256': () => createHmac('sha256', appSecret).update(text),
  }[signMethod];
  return digest?.().digest('hex').toUpperCase();
};
