/** A message's content, from XML or JSON alike: texts, elements by name, and a list where one is there several times. */
export type FieldValue = string | Fields | (string | Fields)[];
export interface Fields {
  readonly [name: string]: FieldValue;
}

/** A field is missing or of another form; the message names it and quotes nothing. */
export class FieldRefused extends Error {
  override name = 'FieldRefused';
}

const valueOf = (fields: Fields, name: string): FieldValue | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

/** Empty when the field is not there. */
export const textOf = (fields: Fields, name: string, maxLength = 200): string => {
  const value = valueOf(fields, name) ?? '';
  if (typeof value !== 'string') throw new FieldRefused(`${name} must be one text`);
  const text = value.trim();
  if (text.length > maxLength) throw new FieldRefused(`${name} is longer than ${maxLength} characters`);
  return text;
};

export const neededText = (fields: Fields, name: string, maxLength?: number): string => {
  const text = textOf(fields, name, maxLength);
  if (text === '') throw new FieldRefused(`${name} is missing`);
  return text;
};

/** Without fields when the element is not there, or empty. */
export const childOf = (fields: Fields, name: string): Fields => {
  const value = valueOf(fields, name) ?? '';
  if (Array.isArray(value)) throw new FieldRefused(`${name} is there more than once`);
  if (typeof value !== 'string') return value;
  if (value.trim() !== '') throw new FieldRefused(`${name} must have elements`);
  return {};
};

/** `<items><item/>…</items>` of XML, and in JSON that or a list in place of `items`. */
export const listOf = (fields: Fields, outer: string, inner: string): Fields[] => {
  const value = valueOf(fields, outer) ?? '';
  const items = Array.isArray(value) ? value : (valueOf(childOf(fields, outer), inner) ?? []);
  return (Array.isArray(items) ? items : [items]).flatMap((item) => {
    if (typeof item !== 'string') return [item];
    if (item.trim() !== '') throw new FieldRefused(`${inner} must have elements`);
    return [];
  });
};

const WHOLE = /^(\d{1,9})(?:\.0+)?$/;

/** `2` and `2.00` are 2; undefined when the field is not there. */
export const wholeOf = (fields: Fields, name: string): number | undefined => {
  const text = textOf(fields, name, 20);
  if (text === '') return undefined;
  const [, digits] = WHOLE.exec(text) ?? [];
  if (digits === undefined) throw new FieldRefused(`${name} must be a whole number`);
  return Number(digits);
};
