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
  /** The index that it is to use: planners like ranges on the sort key better than a rare value. */
  hint: keyof typeof HINTS;
}

export interface OrderQuery {
  /** What the caller may see and has asked for. */
  filter: Filter;
  /** Alternatives, each with an index of its own: read one by one and merged. None: the filter alone. */
  anyOf?: readonly Alternative[];
  sort: { field: OrderSortField; direction: 1 | -1 };
}

const HINTS = { orderId: '_id_', waybill: 'waybills_1', phone: 'phoneIndex_1_placedAt_-1__id_-1' } as const;
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

  async list(query: OrderQuery, page: { after?: PageStart | undefined; limit: number }): Promise<ListedOrder[]> {
    const { sort } = query;
    const found = await Promise.all(
      branchesOf(query).map(({ filter, hint }) =>
        readPage(this.#orders, filter, { ...page, sort, projection: LISTED, hint }),
      ),
    );
    if (found.length === 1) return found[0] ?? [];
    const unique = new Map(found.flat().map((order) => [order._id, order]));
    return [...unique.values()].sort(inOrderOf(sort)).slice(0, page.limit);
  }

  /** Every order in turn, one batch in memory at a time; leaving the loop early closes the cursor. */
  async *each(query: OrderQuery): AsyncGenerator<ListedOrder> {
    const { field, direction } = query.sort;
    const branches = branchesOf(query);
    const seen = new Set<string>();
    for (const { filter, hint } of branches) {
      const cursor = this.#orders
        .find(filter as mongo.Filter<OrderRecord>, { projection: LISTED, batchSize: BATCH, ...hinted(hint) })
        .sort({ [field]: direction, _id: direction });
      for await (const order of cursor) {
        if (seen.has(order._id)) continue;
        if (branches.length > 1) seen.add(order._id);
        yield order;
      }
    }
  }

  /** How many there are, counted no further than `most`; one that is found in two ways counts twice. */
  async countUpTo(most: number, query: Pick<OrderQuery, 'filter' | 'anyOf'>): Promise<number> {
    let count = 0;
    for (const { filter, hint } of branchesOf(query))
      count += await this.#orders.countDocuments(filter, { limit: most, ...hinted(hint) });
    return count;
  }
}

const hinted = (hint: string | undefined) => (hint === undefined ? {} : { hint });

/** What a query is read by. */
export const branchesOf = ({
  filter,
  anyOf,
}: Pick<OrderQuery, 'filter' | 'anyOf'>): { filter: Filter; hint?: string }[] =>
  anyOf?.map((one) => ({ filter: bothOf(one.filter, filter), hint: HINTS[one.hint] })) ?? [{ filter }];

const inOrderOf =
  ({ field, direction }: OrderQuery['sort']) =>
  (a: ListedOrder, b: ListedOrder): number => {
    const [x, y] = a[field] === b[field] ? [a.orderId, b.orderId] : [a[field], b[field]];
    return x === y ? 0 : (x < y ? -1 : 1) * direction;
  };
