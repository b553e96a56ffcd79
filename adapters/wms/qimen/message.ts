import { JSONParse } from 'json-with-bigint';
import type { FieldValue, Fields } from './fields.ts';
import { MAX_XML_BYTES, XmlRefused, buildXml, parseXml, type XmlContents } from './xml.ts';

export type QimenFormat = 'xml' | 'json';

const MAX_DEPTH = 20;

export class MessageRefused extends Error {
  override name = 'MessageRefused';
}

/** The fields of a request or a response, by the bounds of `parseXml`; throws `MessageRefused`. */
export const readMessage = (root: 'request' | 'response', bytes: Uint8Array, format: QimenFormat): Fields => {
  if (format === 'json') return readJson(root, bytes);
  try {
    const document = parseXml(bytes);
    if (document.root !== root) throw new MessageRefused(`the element must be ${root}`);
    if (typeof document.contents !== 'string') return document.contents;
    if (document.contents !== '') throw new MessageRefused(`${root} must have elements`);
    return {};
  } catch (error) {
    if (error instanceof XmlRefused) throw new MessageRefused(`the body cannot be taken: ${error.message}`);
    throw error;
  }
};

export const writeMessage = (root: 'request' | 'response', contents: XmlContents, format: QimenFormat): string =>
  format === 'json' ? JSON.stringify({ [root]: contents }) : buildXml(root, contents);

/** With or without the root around it. Numbers become texts, exact however many digits they have. */
const readJson = (root: string, bytes: Uint8Array): Fields => {
  if (bytes.byteLength > MAX_XML_BYTES) throw new MessageRefused('the body is larger than a megabyte');
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    assertShallow(text);
    value = JSONParse(text);
  } catch (error) {
    if (error instanceof MessageRefused) throw error;
    throw new MessageRefused('the body is not JSON in UTF-8');
  }
  const fields = fieldsOf(value);
  if (typeof fields === 'string' || Array.isArray(fields)) throw new MessageRefused('the body must be an object');
  const inner = Object.hasOwn(fields, root) && Object.keys(fields).length === 1 ? fields[root] : undefined;
  return inner !== undefined && typeof inner !== 'string' && !Array.isArray(inner) ? inner : fields;
};

/** Before it is parsed: brackets in texts do not count. */
const assertShallow = (text: string): void => {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (isText) {
      if (character === '\\') i += 1;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > MAX_DEPTH) throw new MessageRefused(`the body is more than ${MAX_DEPTH} levels deep`);
    } else if (character === '}' || character === ']') depth -= 1;
  }
};

const fieldsOf = (value: unknown): FieldValue => {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value))
    return value.map((item) => {
      const field = fieldsOf(item);
      if (Array.isArray(field)) throw new MessageRefused('a list in a list has no meaning');
      return field;
    });
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fieldsOf(field)]));
  return typeof value === 'string' ? value : `${value as number | boolean | bigint}`;
};
