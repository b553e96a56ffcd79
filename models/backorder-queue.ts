import type { ClientSession, Connection, mongo } from 'mongoose';
import { backorderCollection, type BackorderRecord } from './stock-records.ts';
import type { UndoLog } from './undo-log.ts';

const PAGE = 100;

/** The queue as one transaction sees it: what the database has, with the transaction's own changes on top. */
export class BackorderQueue {
  readonly #connection: Connection;
  readonly #session: ClientSession;
  readonly #undo: UndoLog;
  /** Read or changed here; null = not in the queue. */
  readonly #known = new Map<string, BackorderRecord | null>();
  readonly #changed = new Set<string>();
  /** First of the queue for a SKU, as far as it has been looked up. */
  readonly #heads = new Map<string, BackorderRecord | null>();

  constructor(connection: Connection, session: ClientSession, undo: UndoLog) {
    this.#connection = connection;
    this.#session = session;
    this.#undo = undo;
  }

  async get(orderId: string): Promise<BackorderRecord | null> {
    const known = this.#known.get(orderId);
    if (known !== undefined) return known;
    const record = await backorderCollection(this.#connection).findOne({ _id: orderId }, { session: this.#session });
    this.#known.set(orderId, record);
    return record;
  }

  /** null takes the order out of the queue. */
  set(orderId: string, record: BackorderRecord | null): void {
    const before = this.#known.get(orderId);
    const forgetHeads = () => {
      for (const sku of [...(before?.skuCodes ?? []), ...(record?.skuCodes ?? [])]) this.#heads.delete(sku);
    };
    this.#known.set(orderId, record);
    forgetHeads();
    this.#undo.add(this.#changed, orderId);
    this.#undo.note(() => {
      if (before === undefined) this.#known.delete(orderId);
      else this.#known.set(orderId, before);
      forgetHeads();
    });
  }

  /** Who waits longest for a SKU. */
  async headOf(sku: string): Promise<BackorderRecord | null> {
    const known = this.#heads.get(sku);
    if (known !== undefined) return known;
    const changed = this.#knownWaitingFor([sku]);
    // What this transaction knows better may stand before all else.
    const stored = await this.#stored([sku])
      .limit(this.#known.size + 1)
      .toArray();
    const first = [...stored.filter(({ _id }) => !this.#known.has(_id)), ...changed].sort(byPaidAt)[0] ?? null;
    this.#heads.set(sku, first);
    return first;
  }

  /** Everybody who waits for one of the SKUs, in their order. */
  async *waitingFor(skuCodes: readonly string[]): AsyncGenerator<BackorderRecord> {
    const changed = this.#knownWaitingFor(skuCodes);
    const known = new Set(this.#known.keys());
    for await (const stored of this.#stored(skuCodes).batchSize(PAGE)) {
      while (changed[0] && byPaidAt(changed[0], stored) < 0) yield changed.shift() as BackorderRecord;
      if (!known.has(stored._id)) yield stored;
    }
    yield* changed;
  }

  async countFor(skuCode: string): Promise<number> {
    const filter = { skuCodes: skuCode, state: 'waiting' as const };
    return backorderCollection(this.#connection).countDocuments(filter, { session: this.#session });
  }

  async write(): Promise<void> {
    const writes = [...this.#changed].map((_id): mongo.AnyBulkWriteOperation<BackorderRecord> => {
      const record = this.#known.get(_id);
      return record
        ? { replaceOne: { filter: { _id }, replacement: record, upsert: true } }
        : { deleteOne: { filter: { _id } } };
    });
    if (writes.length > 0) await backorderCollection(this.#connection).bulkWrite(writes, { session: this.#session });
  }

  #stored(skuCodes: readonly string[]): mongo.FindCursor<BackorderRecord> {
    const [first] = skuCodes;
    const sku = skuCodes.length === 1 && first !== undefined ? first : { $in: [...skuCodes] };
    return backorderCollection(this.#connection)
      .find({ state: 'waiting', skuCodes: sku }, { session: this.#session })
      .sort({ paidAt: 1, _id: 1 });
  }

  #knownWaitingFor(skuCodes: readonly string[]): BackorderRecord[] {
    return [...this.#known.values()]
      .filter((record) => record !== null)
      .filter((record) => record.state === 'waiting' && record.skuCodes.some((sku) => skuCodes.includes(sku)))
      .sort(byPaidAt);
  }
}

type Place = Pick<BackorderRecord, '_id' | 'paidAt'>;

export const byPaidAt = (a: Place, b: Place): number =>
  a.paidAt < b.paidAt ? -1 : a.paidAt > b.paidAt ? 1 : a._id < b._id ? -1 : a._id > b._id ? 1 : 0;
