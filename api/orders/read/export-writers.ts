import { once } from 'node:events';
import { PassThrough, Readable, type Writable } from 'node:stream';
import exceljs from 'exceljs';
import { EXPORT_HEADER, type Cell } from './export-columns.ts';

/** Rows of one order at a time. */
type Rows = AsyncIterable<Cell[][]>;

const BOM = '\uFEFF';
const CHUNK_CHARS = 64 * 1024;

/** RFC 4180 in UTF-8 with a byte order mark, without which spreadsheets take Chinese text for something else. */
export const csvStream = (rows: Rows): Readable => Readable.from(csvChunks(rows), { objectMode: false });

async function* csvChunks(rows: Rows): AsyncGenerator<string> {
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

const ROWS_BETWEEN_LOOKS = 200;

/** Cells are typed as text or number, so nothing in them is ever taken for a formula. */
export const xlsxStream = (rows: Rows): Readable => {
  const out = new PassThrough({ highWaterMark: 256 * 1024 });
  writeXlsx(rows, out).catch((error: unknown) => out.destroy(error as Error));
  return out;
};

const writeXlsx = async (rows: Rows, out: PassThrough): Promise<void> => {
  const workbook = new exceljs.stream.xlsx.WorkbookWriter({ stream: out, useSharedStrings: false, useStyles: false });
  const sheet = workbook.addWorksheet('orders', { views: [{ state: 'frozen', ySplit: 1 }] });
  sheet.addRow([...EXPORT_HEADER]).commit();
  let count = 0;
  for await (const group of rows) {
    if (out.destroyed) return;
    for (const row of group) {
      sheet.addRow(row).commit();
      count += 1;
      if (count % ROWS_BETWEEN_LOOKS === 0) await roomIn(out, sheet);
    }
  }
  if (out.destroyed) return;
  sheet.commit();
  await workbook.commit();
};

/** The writer waits neither for its compression nor for its reader, so we do; at once when the reader has gone. */
const roomIn = async (out: PassThrough, sheet: exceljs.Worksheet): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  const compression = (sheet as unknown as { stream?: { pipes?: Writable[] } }).stream?.pipes?.[0];
  for (const stream of [compression, out]) if (stream?.writableNeedDrain && !out.destroyed) await drained(stream, out);
};

const drained = async (stream: Writable, out: PassThrough): Promise<void> => {
  const stop = new AbortController();
  const either = [once(stream, 'drain', { signal: stop.signal }), once(out, 'close', { signal: stop.signal })];
  await Promise.race(either).finally(() => stop.abort());
  await Promise.allSettled(either);
};
