import type { Connection } from 'mongoose';
import { compareStock, isImpossible, repairCounter } from '../models/stock-verification.ts';
import type { StockDifference, StockLevels } from '../models/stock-verification.ts';
import { createLogger } from '../runtime/logger.ts';
import { connectMongo } from '../runtime/mongo.ts';
import { databaseAddress } from './database-address.ts';

const USAGE = `Adds up the stock ledger and compares it with the counters, and the queue of orders with what the counters say of it.

  npm run stock:rebuild                 prints each difference
  npm run stock:rebuild -- --write      and writes what the ledger says, with an audit entry

Reads MONGODB_URI, or finds the database of the instance that runs on ORDERHUB_DATA. Orders may go on meanwhile.
Ends with 0 when counters and ledger are equal (now), with 1 when they differ, with 2 when it could not be done.
`;

const inWords = (levels: StockLevels | null): string =>
  levels === null
    ? 'none'
    : Object.entries(levels)
        .map(([name, units]) => `${name} ${units}`)
        .join(', ');

async function rebuild(connection: Connection, isWriting: boolean): Promise<number> {
  const totals = { counters: 0, wrong: 0, repaired: 0 };
  const mend = async (difference: StockDifference): Promise<void> => {
    const { warehouseId, skuCode, counter, ledger } = difference;
    console.log(`${warehouseId} ${skuCode}\n  counter: ${inWords(counter)}\n  ledger:  ${inWords(ledger)}`);
    totals.wrong += 1;
    if (!isWriting) return;
    if (isImpossible(difference)) {
      console.log('  not written: the ledger itself has less than nothing');
      return;
    }
    const isRepaired = await repairCounter(connection, difference);
    console.log(isRepaired ? '  written' : '  equal by now');
    totals.repaired += 1;
  };

  for await (const { counters, differences } of compareStock(connection)) {
    totals.counters += counters;
    for (const difference of differences) await mend(difference);
  }
  if (totals.wrong === 0) console.log(`${totals.counters} counters, all equal to the ledger.`);
  else if (totals.repaired === totals.wrong)
    console.log(
      `${totals.counters} counters, ${totals.wrong} differed and are equal now. Orders that wait are served within the hour.`,
    );
  else console.log(`${totals.counters} counters, ${totals.wrong - totals.repaired} DIFFER from the ledger.`);
  return totals.repaired === totals.wrong ? 0 : 1;
}

async function run(isWriting: boolean): Promise<number> {
  const uri = databaseAddress();
  const connection = await connectMongo(uri, createLogger(), { poolSize: 2, connectTimeoutMs: 10_000 });
  try {
    return await rebuild(connection, isWriting);
  } finally {
    await connection.close();
  }
}

const flags = process.argv.slice(2);
const isUnknown = flags.some((flag) => flag !== '--write');
if (isUnknown) {
  console.log(USAGE);
  process.exitCode = flags.some((flag) => flag === '--help' || flag === '-h') ? 0 : 2;
} else
  try {
    process.exitCode = await run(flags.includes('--write'));
  } catch (error) {
    console.error(`The stock could not be checked: ${(error as Error).message}`);
    process.exitCode = 2;
  }
