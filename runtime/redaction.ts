const SECRET_KEY =
  /passw|pwd|passphrase|secret|token|authorization|apikey|apiv3key|aeskey|privatekey|signingkey|sessionkey|accesskey|cookie|credential|sealed|signature|^sign$|^jwt$/;
const PERSONAL_KEY =
  /phone|mobile|^tel|idnumber|idcard|idno|bankcard|cardn|accountn|receiver|recipient|consignee|buyername|realname|fullname|^address$|streetaddress|detailaddress|addressdetail/;

const SECRET = '[secret]';
const PERSONAL = '[personal]';
const MAX_DEPTH = 8;
const MAX_ITEMS = 50;
const MAX_TEXT = 8192;

/**
 * A copy that may be written to a log: values under telling keys are masked at any depth, and every string goes through
 * `redactText`. Of errors only name, message, stack, code, kind and cause are kept: drivers put whole documents beside them.
 */
export function redact(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactFields(value, 0, new Set());
}

function redactFields(value: object, depth: number, above: Set<object>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const masked = maskOf(key, inner);
    out[redactText(key)] = masked ?? redactValue(inner, depth + 1, above);
  }
  return out;
}

function maskOf(key: string, value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'boolean') return undefined;
  const flat = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (SECRET_KEY.test(flat)) return SECRET;
  return PERSONAL_KEY.test(flat) ? PERSONAL : undefined;
}

function redactValue(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? numberOrMask(value) : String(value);
  if (typeof value === 'bigint') return redactText(String(value));
  if (typeof value === 'boolean' || value === null || value === undefined) return value;
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (above.has(value)) return '[circular]';
  if (depth > MAX_DEPTH) return '[deep]';
  const nested = new Set(above).add(value);
  if (value instanceof Error) return redactError(value, depth, nested);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value];
    const shown = items.slice(0, MAX_ITEMS).map((item) => redactValue(item, depth + 1, nested));
    return items.length > MAX_ITEMS ? [...shown, `[${items.length - MAX_ITEMS} more]`] : shown;
  }
  if (value instanceof Map) return redactFields(Object.fromEntries(value), depth, nested);
  if (value instanceof URL) return redactText(value.href);
  return redactFields(value, depth, nested);
}

const numberOrMask = (value: number): number | string => {
  const text = redactText(String(value));
  return text === String(value) ? value : text;
};

function redactError(error: Error, depth: number, above: Set<object>): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const { code, kind, type, errors } = error as { code?: unknown; kind?: unknown; type?: unknown; errors?: unknown };
  const out: Record<string, unknown> = {
    name: redactValue(name, depth, above),
    message: redactValue(message, depth, above),
  };
  for (const [key, part] of Object.entries({ code, kind, type }))
    if (typeof part === 'string' || typeof part === 'number') out[key] = redactValue(part, depth, above);
  if (typeof stack === 'string') out['stack'] = redactText(stack);
  if (cause !== undefined) out['cause'] = redactValue(cause, depth + 1, above);
  if (Array.isArray(errors)) out['errors'] = redactValue(errors, depth + 1, above);
  return out;
}

const TEXT_RULES: readonly (readonly [RegExp, string | ((...match: string[]) => string)])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, SECRET],
  [/\b(Bearer|Basic|Digest)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${SECRET}`],
  [/\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, SECRET],
  [/\bv1\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{38,}/g, SECRET],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${SECRET}@`],
  [
    /((?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|app[_-]?key|session[_-]?key|private[_-]?key|sign(?:ature)?|authorization|cookie)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"'&,;}{)]+)/gi,
    `$1${SECRET}`,
  ],
  [
    /((?:phone|mobile|receiver(?:_?name)?|address|id_?(?:card|number))["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*')/gi,
    `$1${PERSONAL}`,
  ],
  [
    /(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])/g,
    '[id number]',
  ],
  [/(?<!\d)(?:(?:\+|00)?86[\s-]?)?1[3-9]\d(?:[\s-]?\d{4}){2}(?!\d)/g, '[phone]'],
  [/(?<![\d-])0\d{2,3}[\s-]\d{7,8}(?!\d)/g, '[phone]'],
  [/(?<!\d)(?<![\w-]\.)[3-6]\d{15,18}(?!\d)/g, (digits) => (passesLuhn(digits) ? '[card]' : digits)],
];

/** Masks secrets, tokens, passwords in addresses, phone, ID and bank card numbers inside a text, and cuts it at 8 KiB. */
export function redactText(text: string): string {
  let out = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}[cut]` : text;
  for (const [pattern, mask] of TEXT_RULES) out = out.replace(pattern, mask as string);
  return out;
}

/** Platform order ids are as long as card numbers: behind a shop's id none is masked, elsewhere the check digit tells most. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
