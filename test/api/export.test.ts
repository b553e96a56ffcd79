import assert from 'node:assert/strict';
import { get as httpGet } from 'node:http';
import { before, test } from 'node:test';
import exceljs from 'exceljs';
import { xlsxStream } from '../../api/orders/read/export-xlsx.ts';
import { createOrderReadRoutes } from '../../api/orders/read/order-read-routes.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { orderCollection } from '../../models/order-records.ts';
import { recordOf, snapshotOf } from '../support/stored-orders.ts';
import { eventually, startTestApi } from './api-harness.ts';

const api = await startTestApi({ routes: (deps) => createOrderReadRoutes(deps, { exportLimit: 2500 }) });
const orders = orderCollection(api.deps.connection);
const token = await api.as('fin', ['finance']);

const at = (i: number) => new Date(Date.UTC(2026, 10, 1) + i * 1000).toISOString();
const add = async (count: number, shopId: string) => {
  const records = Array.from({ length: count }, (_, i) =>
    recordOf(
      snapshotOf({ orderId: `${shopId}.${i}`, units: i % 2 === 0 ? { TEE: 2, CAP: 1 } : { TEE: 1 }, placedAt: at(i) }),
    ),
  );
  for (let i = 0; i < records.length; i += 1000) await orders.insertMany(records.slice(i, i + 1000));
};

before(async () => {
  await add(2000, 'big');
  await add(3, 'small');
  const odd = recordOf(snapshotOf({ orderId: 'odd.1', units: { TEE: 1 } }));
  const line = odd.lines[0];
  if (line)
    odd.lines = ['=HYPERLINK("http://x")', '+1', '-1', '@a', '\t=1', 'a "b", c', '＝1', '帽子\n大'].map((title, i) => ({
      ...line,
      title,
      lineId: String(i),
    }));
  await orders.insertOne(odd);
});

const download = async (query: string, as = token) => {
  const response = await fetch(`${api.url}/v1/orders/export${query}`, { headers: { Authorization: `Bearer ${as}` } });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
};
const rowsOf = (text: string): string[][] => {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push((quoted ?? plain ?? '').replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
    if (end === '') break;
  }
  return rows.filter((row) => row.length > 1);
};

test('CSV has a row for each line of each order, in UTF-8 that spreadsheets recognise', async () => {
  const { status, headers, bytes } = await download('?format=csv&shopId=small&sort=placedAt');
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /^text\/csv/);
  assert.match(headers.get('content-disposition') ?? '', /^attachment; filename="orders-.+\.csv"$/);
  assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const [header = [], ...rows] = rowsOf(bytes.toString('utf8').slice(1));
  const column = (name: string) => rows.map((row) => row[header.indexOf(name)]);
  assert.deepEqual(column('orderId'), ['small.0', 'small.0', 'small.1', 'small.2', 'small.2']);
  assert.deepEqual(column('skuCode'), ['TEE', 'CAP', 'TEE', 'TEE', 'CAP']);
  assert.deepEqual(column('quantity'), ['2', '1', '1', '2', '1']);
  assert.deepEqual(column('payableMinor'), ['3000', '3000', '1000', '3000', '3000']);
  assert.deepEqual([...new Set(column('receiverPhone'))], ['138****8000']);
  assert.deepEqual([...new Set(column('receiverName'))], ['张*']);
});

test('a text that a spreadsheet would carry out as a formula is made harmless', async () => {
  const { bytes } = await download('?shopId=odd');
  const [header = [], ...rows] = rowsOf(bytes.toString('utf8').slice(1));
  assert.deepEqual(
    rows.map((row) => row[header.indexOf('title')]),
    [`'=HYPERLINK("http://x")`, `'+1`, `'-1`, `'@a`, `'\t=1`, 'a "b", c', `'＝1`, '帽子\n大'],
  );
});

test('XLSX has the same rows, numbers as numbers and texts as texts', async () => {
  const { status, headers, bytes } = await download('?format=xlsx&shopId=odd');
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /spreadsheetml/);
  const workbook = new exceljs.Workbook();
  await workbook.xlsx.load(bytes as never);
  const sheet = workbook.getWorksheet('orders');
  const header = ((sheet?.getRow(1).values ?? []) as string[]).slice(1);
  const cell = (row: number, name: string) => sheet?.getRow(row).getCell(header.indexOf(name) + 1);
  assert.equal(sheet?.rowCount, 9);
  assert.equal(cell(2, 'title')?.value, '=HYPERLINK("http://x")');
  assert.equal(cell(2, 'title')?.type, exceljs.ValueType.String);
  assert.equal(cell(2, 'payableMinor')?.value, 1000);
  assert.equal(cell(2, 'receiverPhone')?.value, '138****8000');
});

test('more rows than a sheet takes go on in the next one, and odd texts come back as they were', async () => {
  const odd = ['<b>&"\'', ' space ', '_x000A_ and _x41_', 'two\nlines', '表 𠮷', '\u0001bell'];
  async function* rows() {
    yield* odd.map((text) => [[text, 7, null, '']]);
  }
  const chunks = await xlsxStream(rows(), { rowsPerSheet: 4 }).toArray();
  const workbook = new exceljs.Workbook();
  await workbook.xlsx.load(Buffer.concat(chunks as Buffer[]) as never);
  assert.deepEqual(
    workbook.worksheets.map(({ name, rowCount }) => [name, rowCount]),
    [
      ['orders', 5],
      ['orders 2', 3],
    ],
  );
  const texts = workbook.worksheets.flatMap((sheet) => sheet.getColumn(1).values.slice(2));
  // The reader used here does not know Excel's own escape.
  assert.deepEqual(
    texts.map((text) => (text as string).replace('_x005F_', '_')),
    [...odd.slice(0, -1), 'bell'],
  );
  assert.equal(workbook.worksheets[0]?.getCell('B2').value, 7);
  assert.equal(workbook.worksheets[0]?.getCell('C2').value, null);
});

test('it has the filters and the scope of the list, and is audited before anything goes out', async () => {
  const scoped = await api.as('ops', ['operations'], ['small']);
  const { bytes } = await download(`?placedTo=${at(2)}&q=small.1`, scoped);
  assert.deepEqual(
    rowsOf(bytes.toString('utf8').slice(1))
      .slice(1)
      .map(([orderId]) => orderId),
    ['small.1'],
  );
  assert.equal(rowsOf((await download('?shopId=big', scoped)).bytes.toString('utf8')).length, 1);
  const entries = await eventually(async () => {
    const found = await auditCollection(api.deps.connection)
      .find({ entity: 'order-export/ops' })
      .sort({ seq: 1 })
      .toArray();
    assert.equal(found.length, 4);
    return found;
  });
  assert.equal(entries[0]?.action, 'orders.export_began');
  assert.deepEqual(entries[0]?.detail, {
    format: 'csv',
    filters: { placedTo: at(2), sort: '-placedAt', q: '(given)' },
  });
  assert.deepEqual([entries[1]?.action, entries[1]?.detail], ['orders.export_ended', { orders: 1, complete: true }]);
});

test('who may not, what is no filter, and what is too much is refused before anything goes out', async () => {
  for (const role of ['cs_agent', 'cs_supervisor', 'warehouse', 'service'] as const)
    assert.equal((await download('', await api.as(`r-${role}`, [role]))).status, 403, role);
  assert.equal((await download('?format=pdf')).status, 400);
  assert.equal((await download('?limit=5')).status, 400);
  await add(600, 'more');
  const tooMuch = await download('');
  assert.equal(tooMuch.status, 422);
  assert.equal(JSON.parse(tooMuch.bytes.toString()).code, 'rule_violation');
  assert.match(JSON.parse(tooMuch.bytes.toString()).detail, /2500/);
});

test('when the reader goes away, reading stops, and the audit says how much went out', async () => {
  for (const format of ['csv', 'xlsx']) {
    const before = await auditCollection(api.deps.connection).countDocuments({
      entity: 'order-export/fin',
      action: 'orders.export_ended',
    });
    await new Promise<void>((resolve, reject) => {
      const request = httpGet(
        `${api.url}/v1/orders/export?format=${format}&shopId=big`,
        { headers: { Authorization: `Bearer ${token}` } },
        (response) => {
          response.once('data', () => {
            response.destroy();
            resolve();
          });
          response.once('error', () => undefined);
        },
      );
      request.once('error', reject);
    });
    await eventually(async () => {
      const entries = await auditCollection(api.deps.connection)
        .find({ entity: 'order-export/fin', action: 'orders.export_ended' })
        .sort({ seq: -1 })
        .toArray();
      assert.equal(entries.length, before + 1);
    });
  }
});
