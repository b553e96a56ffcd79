import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Found {
  place: string;
  /** Which value, never the value itself. */
  what: string;
  form: string;
}

/** A value that must not be found, under the name by which a find is reported. */
export interface Needle {
  what: string;
  value: string;
}

type Forms = Record<string, Buffer[]>;

/** The forms in which a text may lie about and still be read by anybody. */
const formsOf = (value: string): Forms => {
  const utf8 = Buffer.from(value, 'utf8');
  const escaped = (spell: (code: string) => string) =>
    Buffer.from([...value].map((letter) => (letter.charCodeAt(0) < 128 ? letter : `\\u${spell(hexOf(letter))}`)).join(''));
  const encoded = encodeURIComponent(value);
  const digest = createHash('sha256').update(value).digest();
  return {
    clear: [utf8],
    'JSON escapes': [escaped((code) => code), escaped((code) => code.toUpperCase())],
    'URL encoding': [Buffer.from(encoded), Buffer.from(encoded.toLowerCase())],
    'UTF-16': [Buffer.from(value, 'utf16le')],
    hex: [Buffer.from(utf8.toString('hex'))],
    base64: [0, 1, 2].flatMap((shift) => [base64At(utf8, shift, 'base64'), base64At(utf8, shift, 'base64url')]),
    'plain SHA-256': [Buffer.from(digest.toString('hex')), digest, Buffer.from(digest.toString('base64url'))],
  };
};

const hexOf = (letter: string): string => letter.charCodeAt(0).toString(16).padStart(4, '0');

/** How the bytes look in the base64 of a longer text, without the letters that they share with their neighbours. */
const base64At = (bytes: Buffer, shift: number, alphabet: 'base64' | 'base64url'): Buffer => {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
  const usable = Math.floor(whole.length / 3) * 3;
  const text = whole.subarray(0, usable).toString(alphabet).replaceAll('=', '');
  return Buffer.from(text.slice(shift === 0 ? 0 : 4));
};

/** Distinct forms, so that nothing is searched for twice; forms that are too short to mean anything are left out. */
const distinct = (forms: Forms): [string, Buffer][] => {
  const seen = new Set<string>();
  return Object.entries(forms).flatMap(([form, spellings]) =>
    spellings.flatMap((bytes): [string, Buffer][] => {
      const key = bytes.toString('latin1');
      if (bytes.length < 6 || seen.has(key)) return [];
      seen.add(key);
      return [[form, bytes]];
    }),
  );
};

const isHexDigit = (byte: number | undefined): boolean => byte !== undefined && /[0-9a-fA-F]/.test(String.fromCharCode(byte));

/** The end of a phone number standing by itself; within longer numbers and hashes it means nothing. */
const hasLastDigits = (bytes: Buffer, digits: Buffer): boolean => {
  for (let at = bytes.indexOf(digits); at >= 0; at = bytes.indexOf(digits, at + 1))
    if (!isHexDigit(bytes[at - 1]) && !isHexDigit(bytes[at + digits.length])) return true;
  return false;
};

/** Where planted values were found, in whatever is put before it piece by piece. */
export class Search {
  readonly #needles: { what: string; forms: [string, Buffer][]; lastDigits: Buffer | undefined }[];
  readonly found: Found[] = [];
  bytes = 0;
  pieces = 0;

  constructor(needles: readonly Needle[]) {
    this.#needles = needles.map(({ what, value }) => ({
      what,
      forms: distinct(formsOf(value)),
      lastDigits: /^\d{9,}$/.test(value) ? Buffer.from(value.slice(-8)) : undefined,
    }));
  }

  look(place: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    this.bytes += bytes.length;
    this.pieces += 1;
    for (const { what, forms, lastDigits } of this.#needles) {
      for (const [form, spelling] of forms) if (bytes.includes(spelling)) this.found.push({ place, what, form });
      if (lastDigits && hasLastDigits(bytes, lastDigits)) this.found.push({ place, what, form: 'last eight digits' });
    }
  }

  lookUnder(folder: string): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      this.look(relative(folder, file), readFileSync(file));
    }
  }
}
