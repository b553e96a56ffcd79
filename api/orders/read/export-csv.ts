import { Readable } from 'node:stream';
import { EXPORT_HEADER, type Cell } from './export-columns.ts';

const BOM = '\uFEFF';
const CHUNK_CHARS = 64 * 1024;

/** RFC 4180 in UTF-8 with a byte order mark, without which spreadsheets take Chinese text for something else. */
export const csvStream = (rows: AsyncIterable<Cell[][]>): Readable =>
  Readable.from(csvChunks(rows), { objectMode: false });

async function* csvChunks(rows: AsyncIterable<Cell[][]>): AsyncGenerator<string> {
  let chunk = BOM + csvLine([...EXPORT_HEADER]);
  for await (const group of rows) {
    for (const row of group) chunk += csvLine(row);
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

const csvCell = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = harmless(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A spreadsheet takes a text that begins like this for a formula and carries it out. */
const harmless = (text: string): string => (/^[\s\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(text) ? `'${text}` : text);
