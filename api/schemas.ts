import { z } from 'zod';
import 'zod-openapi';
import { ID_PATTERN, isOrderId } from '../domain/ids.ts';
import { PROBLEM_CODES, Problem, invalidField } from './errors.ts';

export const idSchema = z.string().regex(ID_PATTERN, 'must match [A-Za-z0-9_-]{1,64}').meta({ example: 'own1' });

export const orderIdSchema = z
  .string()
  .max(129)
  .refine(isOrderId, 'must be <shopId>.<platformOrderId>')
  .meta({ example: 'own1.W1001' });

export const usernameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}')
  .meta({ example: 'alice' });

const amount = (min: number) =>
  z
    .number({ error: 'must be a whole number of minor units' })
    .int('must be a whole number of minor units')
    .min(min, `must be at least ${min}`)
    .max(Number.MAX_SAFE_INTEGER, 'is beyond the exact integers');

/** Money in minor units, zero allowed. */
export const moneySchema = amount(0).meta({ description: 'Minor units of the currency', example: 28000 });
export const positiveMoneySchema = amount(1).meta({ description: 'Minor units of the currency', example: 28000 });
export const currencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code')
  .meta({ example: 'CNY' });

export const quantitySchema = z
  .number({ error: 'must be a whole number' })
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(1_000_000, 'must be at most 1000000');

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-](\d\d):(\d\d))$/;

/** An RFC 3339 time with `Z` or an offset; comes out in UTC with milliseconds, `…T02:00:00.000Z`. */
export const timeSchema = z
  .string()
  .max(40)
  .transform((text, ctx) => {
    const time = parseRfc3339(text);
    if (time === undefined) {
      ctx.addIssue({ code: 'custom', message: 'must be an RFC 3339 time, e.g. 2026-11-22T02:00:00Z' });
      return z.NEVER;
    }
    return time;
  })
  .meta({ format: 'date-time', example: '2026-11-22T02:00:00Z' });

/** A time in an answer. */
export const timestampSchema = z.string().meta({ format: 'date-time', example: '2026-11-22T02:00:00.000Z' });

function parseRfc3339(text: string): string | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const offsetIsReal = Number(match[9] ?? 0) <= 23 && Number(match[10] ?? 0) <= 59;
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysInMonth ||
    hour > 23 ||
    minute > 59 ||
    second > 59 ||
    !offsetIsReal
  )
    return undefined;
  // Years outside these are slips, and some would not survive the way to a timer and back.
  if (year < 2000 || year > 2100) return undefined;
  return new Date(text.toUpperCase()).toISOString();
}

const CONTROL = /[\p{Cc}\p{Cs}]/u;
const CONTROL_BUT_LINES = /[^\P{Cc}\n\t]|\p{Cs}/u;

/** One line of text, trimmed, without control characters; not empty unless `min` is 0. */
export const textSchema = (max: number, min = 1) =>
  z
    .string()
    .trim()
    .min(min, min === 1 ? 'must not be empty' : `must be at least ${min} characters`)
    .max(max, `must be at most ${max} characters`)
    .refine((text) => !CONTROL.test(text), 'must not hold control characters');

/** Text of several lines, e.g. a note. */
export const noteSchema = (max: number, min = 1) =>
  z
    .string()
    .trim()
    .min(min, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .refine((text) => !CONTROL_BUT_LINES.test(text), 'must not hold control characters');

/** A SKU code may hold what merchants use in theirs: letters of any script, digits and `._/:+# -`. */
export const skuCodeSchema = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._/:+#() -]{0,127}$/u,
    'must be 1 to 128 letters, digits or ._/:+#()- and no space first',
  )
  .meta({ example: 'TEE-M' });

/** A whole number in a query string. */
export const queryIntSchema = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`)
    .meta({ override: { type: 'integer', minimum: min, maximum: max, pattern: undefined } });

const cursorSchema = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be a nextCursor of this list');

/** The query of a list: `limit`, `cursor` and the filters given; anything else is refused by name. */
export const listQuery = <S extends z.core.$ZodLooseShape>(filters: S) =>
  z.strictObject({ limit: queryIntSchema(1, 200).default(50), cursor: cursorSchema.optional(), ...filters });

export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable().meta({ description: 'null at the end' }) });

/** A cursor is the sort key of the last item; callers see it as opaque. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

/** Throws 400 for anything but a cursor of this list, whose key has the form of `schema`. */
export function decodeCursor<T extends z.ZodType>(cursor: string, schema: T): z.output<T> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw invalidField('cursor', 'must be a nextCursor of this list');
  }
}

/** Cuts what was read with `limit + 1` into a page. */
export function toPage<D, V>(
  docs: readonly D[],
  limit: number,
  view: (doc: D) => V,
  key: (doc: D) => readonly (string | number)[],
): { items: V[]; nextCursor: string | null } {
  const items = docs.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(view),
    nextCursor: docs.length > limit && last !== undefined ? encodeCursor(key(last)) : null,
  };
}

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.enum(PROBLEM_CODES),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    allowedActions: z.array(z.string()).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

/** 400 with every wrong field by its path. */
export function problemOf(error: z.core.$ZodError, where: 'body' | 'query' | 'params'): Problem {
  const errors = error.issues.flatMap((issue) => fieldErrors(issue)).slice(0, 50);
  const first = errors[0];
  return new Problem('invalid_request', {
    detail: first ? `${where}: ${first.path ? `${first.path}: ` : ''}${first.message}` : `The ${where} is not valid`,
    errors,
  });
}

function fieldErrors(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key.slice(0, 100)].join('.'), message: 'unknown field' }));
  return [{ path: path.join('.'), message: issue.message }];
}
