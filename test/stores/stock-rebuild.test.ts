import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { auditCollection, auditHash } from '../../models/audit-log.ts';
import { StepCommitter } from '../../models/step-committer.ts';
import { movementCollection, stockCollection } from '../../models/stock-records.ts';
import { compareStock, type StockDifference } from '../../models/stock-verification.ts';
import { mongoUri } from '../support/servers.ts';
import { PlayedOrder, addWarehouses, openDatabase, receive } from '../support/stored-orders.ts';

const connection = await openDatabase((opened) => void new StepCommitter(opened, { onFilled: () => {} }));
const committer = new StepCommitter(connection, { onFilled: () => {} });
const stock = stockCollection(connection);

before(async () => {
  await addWarehouses(connection, 'WH1', 'WH2');
  for (const [warehouseId, sku, units] of [
    ['WH1', 'TEE', 10],
    ['WH2', 'TEE', 5],
    ['WH1', 'CAP', 3],
  ] as const)
    await receive(committer, warehouseId, sku, units);
  for (const [name, units] of [
    ['a', { TEE: 4 }],
    ['b', { TEE: 8, CAP: 1 }],
    ['c', { CAP: 9 }],
  ] as const)
    await (
      await new PlayedOrder({ orderId: `own1.${name}`, units }).store(connection)
    ).apply(committer, { type: 'opened' });
});

const differences = async (): Promise<StockDifference[]> => {
  const found: StockDifference[] = [];
  for await (const some of compareStock(connection)) found.push(...some.differences);
  return found;
};

const command = async (...flags: string[]): Promise<{ code: number | null; output: string }> => {
  const url = new URL(await mongoUri());
  url.pathname = `/${connection.name}`;
  const root = join(import.meta.dirname, '../..');
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/stock-rebuild.ts', ...flags], {
    cwd: root,
    env: { ...process.env, MONGODB_URI: url.href },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
};

test('the command proves that counters and ledger are equal', async () => {
  assert.deepEqual(await differences(), []);
  const { code, output } = await command();
  assert.equal(code, 0, output);
  assert.match(output, /3 counters, all equal to the ledger/);
});

test('whatever differs is named, nothing is written unless asked for, then everything is equal again', async () => {
  await stock.updateOne({ _id: 'WH1/TEE' }, { $set: { reserved: 1, available: 9 } });
  await stock.updateOne({ _id: 'WH1/CAP' }, { $set: { waiting: 0 } });
  await stock.deleteOne({ _id: 'WH2/TEE' });
  const found = await differences();
  assert.deepEqual(
    found.map(({ warehouseId, skuCode, counter, ledger }) => [
      warehouseId,
      skuCode,
      counter?.reserved,
      ledger.reserved,
      ledger.waiting,
    ]),
    [
      ['WH1', 'CAP', 1, 1, 1],
      ['WH1', 'TEE', 1, 10, 0],
      ['WH2', 'TEE', undefined, 2, 0],
    ],
  );
  const looked = await command();
  assert.equal(looked.code, 1, looked.output);
  assert.match(looked.output, /WH1 TEE\n {2}counter: onHand 10, reserved 1,.*\n {2}ledger: {2}onHand 10, reserved 10,/);
  assert.match(looked.output, /WH2 TEE\n {2}counter: none/);
  assert.equal((await differences()).length, 3);

  const repaired = await command('--write');
  assert.equal(repaired.code, 0, repaired.output);
  assert.deepEqual(await differences(), []);
  assert.equal((await command()).code, 0);
  const entries = await auditCollection(connection).find({ action: 'stock.rebuilt' }).toArray();
  assert.equal(entries.length, 3);
  for (const { _id, ...entry } of entries) assert.equal(entry.hash, auditHash(entry));
});

test('a ledger that has less than nothing is not written over the counters', async () => {
  await movementCollection(connection).deleteOne({ kind: 'receipt', warehouseId: 'WH1', skuCode: 'CAP' });
  const { code, output } = await command('--write');
  assert.equal(code, 1, output);
  assert.match(output, /less than nothing/);
  assert.equal((await stock.findOne({ _id: 'WH1/CAP' }))?.onHand, 3);
});

test('it explains itself, and says when it cannot be done', async () => {
  assert.match((await command('--help')).output, /--write/);
  assert.equal((await command('--writ')).code, 2);
});
