import { randomUUID } from 'node:crypto';
import type { StockChangeRequest, StepCommitter } from '../../models/step-committer.ts';
import type { StockRecord } from '../../models/stock-records.ts';
import type { StockStore } from '../../models/stock-store.ts';
import type { WarehouseStore } from '../../models/warehouse-records.ts';
import { Problem } from '../errors.ts';
import type { RouteContext } from '../route.ts';

/** For so long an idempotency key stands for one change; after that the same key is another one. */
const KEY_LIFE_MS = 24 * 3_600_000;

interface Parts {
  committer: Pick<StepCommitter, 'commit'>;
  stock: StockStore;
  warehouses: WarehouseStore;
}

export interface StockChange {
  movement: StockChangeRequest['movement'];
  warehouseId: string;
  lines: { skuCode: string; quantity: number }[];
  reason: string | null;
}

/** Books goods that come or go and answers the counters after it. Throws 422 for what the ledger does not allow. */
export const changeStock =
  ({ committer, stock, warehouses }: Parts) =>
  async (
    { movement, warehouseId, lines, reason }: StockChange,
    { principal, from, idempotencyKey }: Pick<RouteContext, 'principal' | 'from' | 'idempotencyKey'>,
  ): Promise<StockRecord[]> => {
    if (!(await warehouses.byId(warehouseId))) throw broken('warehouseId', `there is no warehouse ${warehouseId}`);
    const at = new Date();
    const commit = (id: string) =>
      committer.commit({
        kind: 'stockChange',
        id,
        movement,
        lines: lines.map((line) => ({ warehouseId, ...line })),
        actor: { kind: principal.kind === 'service' ? 'service' : 'user', id: principal.id },
        from,
        at,
        reason,
      });
    try {
      const id = idempotencyKey ?? randomUUID();
      const { isRepeat } = await commit(id);
      const bookedAt = isRepeat ? await stock.bookedAt(movement, id, lines[0], warehouseId) : null;
      // The ledger remembers for ever, the key only for a day.
      if (bookedAt && at.getTime() - bookedAt.getTime() > KEY_LIFE_MS)
        await commit(`${id}-${Math.floor(at.getTime() / KEY_LIFE_MS)}`);
    } catch (error) {
      if ((error as Error).name === 'LedgerMismatch')
        throw broken('quantity', 'takes away more than is there and not reserved');
      throw error;
    }
    return stock.countersOf(
      warehouseId,
      lines.map(({ skuCode }) => skuCode),
    );
  };

const broken = (path: string, message: string): Problem =>
  new Problem('rule_violation', { detail: `${path}: ${message}`, errors: [{ path, message }] });
