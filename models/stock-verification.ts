import type { ClientSession, Connection } from 'mongoose';
import { stockId } from '../domain/ids.ts';
import { AuditLog } from './audit-log.ts';
import { stockEntity } from './stock-change.ts';
import { backorderCollection, movementCollection, stockCollection, type StockRecord } from './stock-records.ts';
import { runTransaction } from './transaction.ts';

export type StockLevels = Pick<StockRecord, 'onHand' | 'reserved' | 'available' | 'awaitingQc' | 'damaged' | 'waiting'>;

export interface StockDifference {
  warehouseId: string;
  skuCode: string;
  /** null: there are movements and no counter. */
  counter: StockLevels | null;
  /** Added up from the movements, and the orders that wait counted in the queue. */
  ledger: StockLevels;
}

interface Compared {
  counters: number;
  differences: StockDifference[];
}

const SKUS_AT_ONCE = 200;

/** Compares counters with ledger and queue, some SKUs at a time, each time as of one moment; orders may go on meanwhile. */
export async function* compareStock(connection: Connection): AsyncGenerator<Compared> {
  const skuCodes = await knownSkus(connection);
  for (let i = 0; i < skuCodes.length; i += SKUS_AT_ONCE) {
    const some = skuCodes.slice(i, i + SKUS_AT_ONCE);
    yield await runTransaction(connection, (session) => compare(connection, some, session));
  }
}

/** True when the ledger itself has less than nothing: no counter can be made of it. */
export const isImpossible = ({ ledger }: StockDifference): boolean => Math.min(...Object.values(ledger)) < 0;

/** Writes what the ledger says now, with an audit entry; false when nothing was wrong any more. */
export const repairCounter = async (
  connection: Connection,
  found: StockDifference,
  at = new Date(),
): Promise<boolean> => {
  const { warehouseId, skuCode } = found;
  return new AuditLog(connection).record(stockEntity(warehouseId), async (session) => {
    const { differences } = await compare(connection, [skuCode], session);
    const difference = differences.find((one) => one.warehouseId === warehouseId);
    if (!difference || isImpossible(difference)) return { draft: null, result: false };
    const { counter, ledger } = difference;
    const _id = stockId(warehouseId, skuCode);
    const stock = stockCollection(connection);
    if (counter) await stock.updateOne({ _id }, { $set: ledger, $inc: { version: 1 } }, { session });
    else await stock.insertOne({ _id, warehouseId, skuCode, ...ledger, version: 1 }, { session });
    const actor = { kind: 'system' as const, id: 'stock-rebuild' };
    const draft = { at, actor, from: {}, action: 'stock.rebuilt', detail: { skuCode }, before: counter, after: ledger };
    return { draft, result: true };
  });
};

const knownSkus = async (connection: Connection): Promise<string[]> => {
  const skuCodes = new Set<string>();
  for (const collection of [stockCollection, movementCollection])
    for await (const { _id } of collection(connection).aggregate<{ _id: string }>([{ $group: { _id: '$skuCode' } }]))
      skuCodes.add(_id);
  return [...skuCodes].sort();
};

const compare = async (
  connection: Connection,
  skuCodes: readonly string[],
  session: ClientSession,
): Promise<Compared> => {
  const $in = [...skuCodes];
  const counters = await stockCollection(connection).find({ skuCode: { $in } }, { session }).toArray();
  const sums = await movementCollection(connection)
    .aggregate<{ _id: Pick<StockRecord, 'warehouseId' | 'skuCode'> } & Omit<StockLevels, 'available' | 'waiting'>>(
      [
        { $match: { skuCode: { $in } } },
        {
          $group: {
            _id: { warehouseId: '$warehouseId', skuCode: '$skuCode' },
            onHand: { $sum: '$onHand' },
            reserved: { $sum: '$reserved' },
            awaitingQc: { $sum: '$awaitingQc' },
            damaged: { $sum: '$damaged' },
          },
        },
      ],
      { session },
    )
    .toArray();
  const queue = await backorderCollection(connection)
    .aggregate<{ _id: string; count: number }>(
      [
        { $match: { state: 'waiting', skuCodes: { $in } } },
        { $unwind: '$skuCodes' },
        { $group: { _id: '$skuCodes', count: { $sum: 1 } } },
      ],
      { session },
    )
    .toArray();

  const waiting = new Map(queue.map(({ _id, count }) => [_id, count]));
  const counterOf = new Map(counters.map((counter) => [counter._id, counter]));
  const sumOf = new Map(sums.map((sum) => [stockId(sum._id.warehouseId, sum._id.skuCode), sum]));
  const differences: StockDifference[] = [];
  for (const id of [...new Set([...counterOf.keys(), ...sumOf.keys()])].sort()) {
    const counter = counterOf.get(id);
    const sum = sumOf.get(id);
    const { warehouseId, skuCode } = counter ?? sum?._id ?? { warehouseId: '', skuCode: '' };
    const { onHand = 0, reserved = 0, awaitingQc = 0, damaged = 0 } = sum ?? {};
    const available = onHand - reserved;
    const ledger = { onHand, reserved, available, awaitingQc, damaged, waiting: waiting.get(skuCode) ?? 0 };
    const levels = counter ? levelsOf(counter) : null;
    if (!levels || !isSame(levels, ledger)) differences.push({ warehouseId, skuCode, counter: levels, ledger });
  }
  return { counters: counters.length, differences };
};

const levelsOf = ({ onHand, reserved, available, awaitingQc, damaged, waiting }: StockRecord): StockLevels => ({
  onHand,
  reserved,
  available,
  awaitingQc,
  damaged,
  waiting,
});

const isSame = (a: StockLevels, b: StockLevels): boolean =>
  Object.entries(a).every(([name, units]) => b[name as keyof StockLevels] === units);
