import type { ClientSession, Connection } from 'mongoose';
import type { Actor } from '../domain/order-messages.ts';
import type { StockLine } from '../domain/order-quantities.ts';
import { movementId } from '../domain/ids.ts';
import { auditCollection, chainEntry, type AuditFrom } from './audit-log.ts';
import { LedgerMismatch, LostRace, type StockBook } from './stock-book.ts';
import { movementCollection, type StockRecord } from './stock-records.ts';

/** Goods that come or go without an order; `id` is the caller's business key. */
export interface StockChangeRequest {
  kind: 'stockChange';
  id: string;
  movement: 'receipt' | 'adjustment';
  /** Of one warehouse, each SKU once. */
  lines: StockLine[];
  actor: Actor;
  from?: AuditFrom;
  at: Date;
  reason: string | null;
}

export const stockEntity = (warehouseId: string): string => `stock/${warehouseId}`;

const DUPLICATE_KEY = 11000;
const ACTIONS = { receipt: 'stock.received', adjustment: 'stock.adjusted' } as const;

/**
 * Moves the goods in the book, all lines or none, and writes the audit entry; `repeat` when that was done before. A
 * `LedgerMismatch`, returned and not thrown: the counters do not have what is to be taken away.
 */
export const changeStock = async (
  request: StockChangeRequest,
  book: StockBook,
  { connection, session }: { connection: Connection; session: ClientSession },
): Promise<'done' | 'repeat' | LedgerMismatch> => {
  const [first] = request.lines;
  if (!first) return 'repeat';
  const known = await movementCollection(connection).findOne(
    { _id: movementOf(request, first) },
    { session, projection: { _id: 1 } },
  );
  if (known) return 'repeat';
  await book.prepare(request.lines);
  const before = countersOf(request.lines, book);
  try {
    await book.atomically(
      async () => {
        for (const line of request.lines) book.adjust(movementOf(request, line), request.movement, line, request);
      },
      () => false,
    );
  } catch (error) {
    if (error instanceof LedgerMismatch) return error;
    throw error;
  }
  await audit(request, first.warehouseId, { before, after: countersOf(request.lines, book) }, { connection, session });
  return 'done';
};

const movementOf = ({ movement, id }: StockChangeRequest, { warehouseId, skuCode }: StockLine): string =>
  movementId[movement](id, warehouseId, skuCode);

const countersOf = (
  lines: readonly StockLine[],
  book: StockBook,
): Pick<StockRecord, 'skuCode' | 'onHand' | 'reserved'>[] =>
  lines.map((line) => ({ skuCode: line.skuCode, ...book.levelOf(line) }));

const audit = async (
  { movement, id, lines, actor, from, at, reason }: StockChangeRequest,
  warehouseId: string,
  { before, after }: { before: unknown; after: unknown },
  { connection, session }: { connection: Connection; session: ClientSession },
): Promise<void> => {
  const entity = stockEntity(warehouseId);
  const entries = auditCollection(connection);
  const last = await entries.findOne(
    { entity },
    { session, sort: { seq: -1 }, projection: { _id: 0, seq: 1, hash: 1 } },
  );
  const detail = {
    id,
    lines: lines.map(({ skuCode, quantity }) => ({ skuCode, quantity })),
    ...(reason === null ? {} : { reason }),
  };
  const draft = { entity, at, actor, from: from ?? {}, action: ACTIONS[movement], detail, before, after };
  try {
    await entries.insertOne(chainEntry(draft, last), { session });
  } catch (error) {
    // Another process has just added an entry for this warehouse.
    if ((error as { code?: number }).code === DUPLICATE_KEY) throw new LostRace(`the audit of ${entity} moved`);
    throw error;
  }
};
