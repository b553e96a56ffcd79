import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ByteSearch } from './byte-search.ts';

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
    Buffer.from(
      Array.from(value, (letter) => (letter.charCodeAt(0) < 128 ? letter : `\\u${spell(hexOf(letter))}`)).join(''),
    );
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

const isHexDigit = (byte: number | undefined): boolean =>
  byte !== undefined && /[0-9a-fA-F]/.test(String.fromCharCode(byte));

interface Pattern {
  what: string;
  form: string;
  bytes: Buffer;
  /** The end of a phone number counts only standing by itself: within longer numbers and hashes it means nothing. */
  isAlone: boolean;
}

/** Forms that are too short to mean anything are left out, and so is what looks the same in two forms. */
const patternsOf = ({ what, value }: Needle): Pattern[] => {
  const patterns = Object.entries(formsOf(value)).flatMap(([form, spellings]) =>
    spellings.map((bytes): Pattern => ({ what, form, bytes, isAlone: false })),
  );
  if (/^\d{9,}$/.test(value))
    patterns.push({ what, form: 'last eight digits', bytes: Buffer.from(value.slice(-8)), isAlone: true });
  // The first of those that look the same gives the name.
  const distinct = new Map(patterns.toReversed().map((pattern) => [pattern.bytes.toString('latin1'), pattern]));
  return [...distinct.values()].filter(({ bytes }) => bytes.length >= 6);
};

/** Where planted values were found, in whatever is put before it piece by piece. */
export class Search {
  readonly #patterns: Pattern[];
  readonly #search: ByteSearch;
  readonly #found = new Map<string, Found>();
  bytes = 0;
  pieces = 0;

  constructor(needles: readonly Needle[]) {
    this.#patterns = needles.flatMap(patternsOf);
    this.#search = new ByteSearch(this.#patterns.map(({ bytes }) => bytes));
  }

  /** Each place once for each value and form. */
  get found(): Found[] {
    return [...this.#found.values()];
  }

  look(place: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.bytes += bytes.length;
    this.pieces += 1;
    this.#search.find(bytes, (index, end) => {
      const { what, form, bytes: spelling, isAlone } = this.#patterns[index] as Pattern;
      if (isAlone && (isHexDigit(bytes[end - spelling.length - 1]) || isHexDigit(bytes[end]))) return;
      this.#found.set(`${place}\n${what}\n${form}`, { place, what, form });
    });
  }

  lookUnder(folder: string): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      this.look(relative(dirname(folder), file), readFileSync(file));
    }
  }
}
