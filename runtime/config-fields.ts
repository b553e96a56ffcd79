import { z } from 'zod';

const WORDS: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  on: true,
  '0': false,
  false: false,
  no: false,
  off: false,
};

/** `Boolean('false')` is true; this is not. */
export const bool = () =>
  z.string().transform((value, ctx) => {
    const known = WORDS[value.toLowerCase()];
    if (known === undefined) ctx.addIssue({ code: 'custom', message: '1, true, yes, on or 0, false, no, off' });
    return known ?? false;
  });

export const integer = (min: number, max: number) =>
  z.string().transform((value, ctx) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max))
      ctx.addIssue({ code: 'custom', message: `a whole number from ${min} to ${max}` });
    return number;
  });

export const text = (min: number, max: number) =>
  z
    .string({ error: 'needed, but not set' })
    .min(min, `at least ${min} characters`)
    .max(max, `at most ${max} characters`);

export const url = (...protocols: string[]) =>
  z.string({ error: 'needed, but not set' }).superRefine((value, ctx) => {
    // Several hosts of a replica set in one address are no valid WHATWG URL, so only the scheme is looked at.
    const scheme = /^([a-z+]+:)\/\/[^\s/]+/.exec(value)?.[1];
    if (!scheme || !protocols.includes(scheme))
      ctx.addIssue({
        code: 'custom',
        message: `an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
      });
  });

export const list = <T extends string>(allowed: readonly T[]) =>
  z.string().transform((value, ctx) => {
    const words = value.split(',').map((word) => word.trim());
    if (words.length === 0 || words.some((word) => !(allowed as readonly string[]).includes(word)))
      ctx.addIssue({ code: 'custom', message: `one or more of ${allowed.join(',')}, separated by commas` });
    return [...new Set(words)] as T[];
  });

/** `id:base64[,id:base64…]`, the current one first, the older ones kept to open what they sealed. */
export const keyList = () =>
  z.string().transform((value, ctx) => {
    const keys = value.split(',').map((part) => {
      const [, id, base64] = /^([A-Za-z0-9_-]{1,40}):([A-Za-z0-9+/=]+)$/.exec(part.trim()) ?? [];
      return { id: id ?? '', bytes: Buffer.from(base64 ?? '', 'base64') };
    });
    if (keys.some((key) => key.id === '' || key.bytes.length < 32))
      ctx.addIssue({
        code: 'custom',
        message:
          'keys as id:base64[,id:base64], the current one first (32 bytes; for TOKEN and ASSERTION a PKCS #8 Ed25519 key)',
      });
    else if (new Set(keys.map((key) => key.id)).size < keys.length)
      ctx.addIssue({ code: 'custom', message: 'key ids that differ from each other' });
    return keys;
  });
