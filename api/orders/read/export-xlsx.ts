import { Readable } from 'node:stream';
import { EXPORT_HEADER, type Cell } from './export-columns.ts';
import { zipChunks, type ZipEntry } from './zip-chunks.ts';

/** A sheet takes 1,048,576 rows; what is more goes on in the next one. */
const ROWS_PER_SHEET = 1_000_000;
const CHUNK_CHARS = 64 * 1024;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/**
 * An Excel workbook that is written while the rows are read. Cells are typed as text or number, so that nothing in them
 * is ever taken for a formula. Ours, because the libraries for it keep what their reader has not taken.
 */
export const xlsxStream = (
  rows: AsyncIterable<Cell[][]>,
  { rowsPerSheet = ROWS_PER_SHEET }: { rowsPerSheet?: number } = {},
): Readable => Readable.from(zipChunks(entriesOf(rows, rowsPerSheet)), { objectMode: false });

async function* entriesOf(rows: AsyncIterable<Cell[][]>, rowsPerSheet: number): AsyncGenerator<ZipEntry> {
  const source = oneByOne(rows);
  try {
    let sheets = 0;
    for (let next = await source.next(); sheets === 0 || !next.done;) {
      sheets += 1;
      const sheet = { next };
      yield { name: `xl/worksheets/sheet${sheets}.xml`, content: sheetXml(sheet, source, rowsPerSheet) };
      next = sheet.next;
    }
    const ids = Array.from({ length: sheets }, (_, i) => i + 1);
    yield { name: 'xl/workbook.xml', content: [workbookXml(ids)] };
    yield { name: 'xl/_rels/workbook.xml.rels', content: [relationshipsXml(ids.map(sheetRelationship))] };
    yield { name: '_rels/.rels', content: [relationshipsXml([workbookRelationship])] };
    yield { name: '[Content_Types].xml', content: [contentTypesXml(ids)] };
  } finally {
    await source.return(undefined);
  }
}

async function* oneByOne(groups: AsyncIterable<Cell[][]>): AsyncGenerator<Cell[]> {
  for await (const rows of groups) yield* rows;
}

/** `sheet.next` is the first row, and afterwards the one with which the next sheet begins. */
async function* sheetXml(
  sheet: { next: IteratorResult<Cell[]> },
  source: AsyncGenerator<Cell[]>,
  most: number,
): AsyncGenerator<string> {
  const frozen =
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>';
  let chunk = `${XML}<worksheet xmlns="${MAIN}">${frozen}<sheetData>${rowXml([...EXPORT_HEADER], 1)}`;
  for (let count = 0; count < most && !sheet.next.done; count += 1) {
    chunk += rowXml(sheet.next.value, count + 2);
    sheet.next = await source.next();
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
  }
  yield `${chunk}</sheetData></worksheet>`;
}

const rowXml = (cells: readonly Cell[], row: number): string => {
  let xml = `<row r="${row}">`;
  cells.forEach((cell, column) => {
    if (cell === null || cell === '') return;
    const place = `${LETTERS[column] ?? columnLetters(column)}${row}`;
    xml +=
      typeof cell === 'number'
        ? `<c r="${place}"><v>${cell}</v></c>`
        : `<c r="${place}" t="inlineStr"><is><t xml:space="preserve">${escaped(cell)}</t></is></c>`;
  });
  return `${xml}</row>`;
};

const columnLetters = (column: number): string =>
  (column >= 26 ? columnLetters(Math.floor(column / 26) - 1) : '') + String.fromCharCode(65 + (column % 26));

const LETTERS = EXPORT_HEADER.map((_, column) => columnLetters(column));

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** XML knows no control characters, and Excel takes `_x000A_` within a text for one. */
const escaped = (text: string): string =>
  text
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replace(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign);

const workbookXml = (ids: readonly number[]): string => {
  const sheets = ids.map((id) => `<sheet name="orders${id === 1 ? '' : ` ${id}`}" sheetId="${id}" r:id="rId${id}"/>`);
  return `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${sheets.join('')}</sheets></workbook>`;
};

const relationshipsXml = (relationships: readonly string[]): string =>
  `${XML}<Relationships xmlns="${PACKAGE}/relationships">${relationships.join('')}</Relationships>`;

const sheetRelationship = (id: number): string =>
  `<Relationship Id="rId${id}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${id}.xml"/>`;

const workbookRelationship = `<Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/>`;

const contentTypesXml = (ids: readonly number[]): string => {
  const part = (name: string, type: string) => `<Override PartName="/xl/${name}" ContentType="${TYPES}.${type}+xml"/>`;
  const parts = [
    part('workbook.xml', 'sheet.main'),
    ...ids.map((id) => part(`worksheets/sheet${id}.xml`, 'worksheet')),
  ];
  const rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>';
  return `${XML}<Types xmlns="${PACKAGE}/content-types">${rels}<Default Extension="xml" ContentType="application/xml"/>${parts.join('')}</Types>`;
};
