import { createHash } from 'node:crypto';
import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';

/** The warehouse's own idea of Qimen: nothing of it comes from those that it talks to, so that a mistake shows. */
export type Format = 'xml' | 'json';
// What came over the wire may have any form; whoever reads a field says what it must be.
export type Node = Record<string, unknown>;

const CHINA = 8 * 3600 * 1000;

export const chinaTime = (at: number): string =>
  new Date(at + CHINA).toISOString().replace('T', ' ').replace(/\..*$/, '');

export const chinaTimeToMs = (text: string): number =>
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) ? Date.parse(`${text.replace(' ', 'T')}Z`) - CHINA : Number.NaN;

export const signatureOf = (query: URLSearchParams, body: string, secret: string): string => {
  const named = [...query].filter(([name, value]) => name !== 'sign' && value !== '');
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  const text = secret + named.map(([name, value]) => name + value).join('') + body + secret;
  return createHash('md5').update(text, 'utf8').digest('hex').toUpperCase();
};

const reader = new XMLParser({
  parseTagValue: false,
  ignoreDeclaration: true,
  processEntities: true,
  htmlEntities: true,
});
const writer = new XMLBuilder({ format: true });

/** Null when the text is not of the format, or its root another. */
export const readBody = (root: string, text: string, format: Format): Node | null => {
  try {
    if (format === 'xml' && XMLValidator.validate(text) !== true) return null;
    const document = (format === 'xml' ? reader.parse(text) : JSON.parse(text)) as Node;
    const inner = document[root] ?? (format === 'json' ? document : null);
    return typeof inner === 'object' && inner !== null ? (inner as Node) : null;
  } catch {
    return null;
  }
};

export const writeBody = (root: string, node: Node, format: Format): string =>
  format === 'xml'
    ? `<?xml version="1.0" encoding="utf-8"?>\n${writer.build({ [root]: node })}`
    : JSON.stringify({ [root]: node });

export const nodeAt = (node: Node, name: string): Node => {
  const value = node[name];
  return typeof value === 'object' && value !== null ? (value as Node) : {};
};

export const textAt = (node: Node, name: string): string => {
  const value = node[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
};

export const nodesAt = (node: Node, outer: string, inner: string): Node[] => {
  const value = Array.isArray(node[outer]) ? node[outer] : (nodeAt(node, outer)[inner] ?? []);
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'object' && item !== null) as Node[];
};
