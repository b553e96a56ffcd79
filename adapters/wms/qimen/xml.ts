import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
import type { FieldValue, Fields } from './fields.ts';

export type XmlContent = string | number | undefined | XmlContents | readonly XmlContents[];
export interface XmlContents {
  readonly [name: string]: XmlContent;
}

/** Says what is wrong in general words: nothing of the text is in it. */
export class XmlRefused extends Error {
  override name = 'XmlRefused';
}

export const MAX_XML_BYTES = 1024 * 1024;
const MAX_DEPTH = 20;

/** What XML 1.0 cannot hold, escaped or not. */
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
const DECLARED_ENCODING = /^\ufeff?<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"'>]{1,40})["']/i;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const builder = new XMLBuilder({ ignoreAttributes: true, suppressEmptyNode: false, format: false });

/** A document of one element. Fields that are undefined are left out; what XML cannot hold becomes a space. */
export const buildXml = (root: string, contents: XmlContents): string =>
  `<?xml version="1.0" encoding="utf-8"?>${builder.build({ [root]: clean(contents) })}`;

const clean = (content: XmlContent): unknown => {
  if (Array.isArray(content)) return content.map(clean);
  if (typeof content === 'object')
    return Object.fromEntries(
      Object.entries(content).flatMap(([name, value]) => (value === undefined ? [] : [[name, clean(value)]])),
    );
  return String(content).replace(ILLEGAL, ' ');
};

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // Codes such as 0012 and 1e5 are texts.
  parseTagValue: false,
  trimValues: true,
  // The root is not counted.
  maxNestedTags: MAX_DEPTH - 1,
  entityDecoder: {
    decode: (text) => decodeEntities(text),
    setExternalEntities: () => {},
    addInputEntities: () => {},
    setXmlVersion: () => {},
    reset: () => {},
  },
});

/**
 * The one element of a document in UTF-8, at most a megabyte and twenty levels deep, without attributes. Throws
 * `XmlRefused` for whatever is not well formed, and for every document type, because entities are made there.
 */
export const parseXml = (bytes: Uint8Array): { root: string; contents: string | Fields } => {
  if (bytes.byteLength > MAX_XML_BYTES) throw new XmlRefused('the document is larger than a megabyte');
  const text = decodeText(bytes);
  if (/<!\s*(?:DOCTYPE|ENTITY)/i.test(text)) throw new XmlRefused('a document type is not taken');
  const wrong = XMLValidator.validate(text);
  if (wrong !== true) throw new XmlRefused(`it is not well-formed XML, line ${wrong.err.line}`);
  const [[root, contents] = [], ...others] = Object.entries(parse(text));
  if (root === undefined || contents === undefined || others.length > 0 || Array.isArray(contents))
    throw new XmlRefused('it is not one element');
  return { root, contents };
};

const decodeText = (bytes: Uint8Array): string => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new XmlRefused('it is not UTF-8');
  }
  const encoding = DECLARED_ENCODING.exec(text)?.[1];
  if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) throw new XmlRefused('its encoding must be UTF-8');
  if (text.search(ILLEGAL) !== -1) throw new XmlRefused('it has characters that XML cannot hold');
  return text;
};

const parse = (text: string): Record<string, FieldValue> => {
  try {
    return parser.parse(text) as Record<string, FieldValue>;
  } catch (error) {
    if (error instanceof XmlRefused) throw error;
    const isDeep = error instanceof Error && error.message.startsWith('Maximum nested');
    throw new XmlRefused(isDeep ? `it is more than ${MAX_DEPTH} levels deep` : 'it is not well-formed XML');
  }
};

const decodeEntities = (text: string): string =>
  text.replace(/&([^;&]{0,40});?/g, (all, name: string) => {
    const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
    const character = known ?? characterOf(name);
    if (character === undefined || !all.endsWith(';'))
      throw new XmlRefused('it has an entity that nobody has declared');
    return character;
  });

const characterOf = (name: string): string | undefined => {
  const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  if (!(code <= 0x10ffff)) return undefined;
  const character = String.fromCodePoint(code);
  return character.search(ILLEGAL) === -1 ? character : undefined;
};
