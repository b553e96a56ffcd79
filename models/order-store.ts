import type { ClientSession, Connection, mongo } from 'mongoose';
import type { OrderView } from '../domain/order-view.ts';
import { bothOf, type Filter } from './filters.ts';
import { readPage, type PageStart } from './keyset.ts';
import { orderCollection, type OrderRecord } from './order-records.ts';

/** What lists and exports need of a record. */
export type ListedOrder = Omit<OrderView, 'buyerId'>;

export type OrderSortField = 'placedAt' | 'updatedAt';

export interface Alternative {
  filter: Filter;
  /** It names one order by its id. */
  isById?: boolean;
}

export interface OrderQuery {
  /** What the caller may see and has asked for. */
  filter: Filter;
  /** Alternatives, each with an index of its own: read one by one and merged. None: the filter alone. */
  anyOf?: readonly Alternative[];
  sort: { field: OrderSortField; direction: 1 | -1 };
}

const LISTED = { snapshot: 0, contentHash: 0, origin: 0, lastStep: 0, final: 0, 'receiver.sealed': 0 } as const;
const BATCH = 200;

/** Reads of the orders' read model. */
export class OrderStore {
  readonly #orders: mongo.Collection<OrderRecord>;

  constructor(connection: Connection) {
    this.#orders = orderCollection(connection);
  }

  async byId(orderId: string, session?: ClientSession): Promise<OrderRecord | null> {
    return this.#orders.findOne({ _id: orderId }, session ? { session } : {});
  }

  /** Without what callers never see. */
  async listedById(orderId: string): Promise<ListedOrder | null> {
    return this.#orders.findOne({ _id: orderId }, { projection: LISTED });
  }

  async hasOrderOf(shopId: string, session?: ClientSession): Promise<boolean> {
    const options = { projection: { _id: 1 }, ...(session ? { session } : {}) };
    return (await this.#orders.findOne({ shopId }, options)) !== null;
  }

  async list(
    { filter, anyOf, sort }: OrderQuery,
    page: { after?: PageStart | undefined; limit: number },
  ): Promise<ListedOrder[]> {
    const branches = branchesOf({ filter, anyOf });
    const found = await Promise.all(
      branches.map((branch) =>
        readPage(this.#orders, branch.filter, { ...page, sort, projection: LISTED, hint: branch.hint }),
      ),
    );
    const unique = new Map(found.flat().map((order) => [order._id, order]));
    return branches.length === 1
      ? [...unique.values()]
      : [...unique.values()].sort(inOrderOf(sort)).slice(0, page.limit);
  }

  /** Every order in turn, one batch in memory at a time; leaving the loop early closes the cursor. */
  async *each({ filter, anyOf, sort }: OrderQuery): AsyncGenerator<ListedOrder> {
    const seen = new Set<string>();
    for (const branch of branchesOf({ filter, anyOf })) {
      const cursor = this.#orders
        .find(branch.filter as mongo.Filter<OrderRecord>, { projection: LISTED, batchSize: BATCH })
        .sort({ [sort.field]: sort.direction, _id: sort.direction });
      for await (const order of cursor) {
        if (anyOf && seen.has(order._id)) continue;
        if (anyOf) seen.add(order._id);
        yield order;
      }
    }
  }

  /** How many there are, counted no further than `most`. */
  async countUpTo(most: number, { filter, anyOf }: Pick<OrderQuery, 'filter' | 'anyOf'>): Promise<number> {
    let count = 0;
    for (const branch of branchesOf({ filter, anyOf }))
      count += await this.#orders.countDocuments(branch.filter as mongo.Filter<OrderRecord>, { limit: most });
    return count;
  }
}

/** What a query is read by. */
export const branchesOf = ({ filter, anyOf }: { filter: Filter; anyOf?: OrderQuery['anyOf'] }) =>
  (anyOf ?? [{ filter: {}, isById: false }]).map((one) => ({
    filter: bothOf(one.filter, filter),
    hint: one.isById ? '_id_' : undefined,
  }));

const inOrderOf =
  ({ field, direction }: OrderQuery['sort']) =>
  (a: ListedOrder, b: ListedOrder): number => {
    const [x, y] = a[field] === b[field] ? [a.orderId, b.orderId] : [a[field], b[field]];
    return x === y ? 0 : (x < y ? -1 : 1) * direction;
  };
