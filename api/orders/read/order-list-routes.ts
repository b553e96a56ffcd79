import { z } from 'zod';
import type { ListedOrder, OrderStore } from '../../../models/order-store.ts';
import { canonicalJson } from '../../../models/audit-log.ts';
import { assertInScope } from '../../auth/scope.ts';
import type { ApiDeps } from '../../deps.ts';
import { invalidField, Problem } from '../../errors.ts';
import { defineRoute, type Route } from '../../route.ts';
import { decodeCursor, listQuery, orderIdSchema, pageSchema, toPage } from '../../schemas.ts';
import { orderAnswer } from './order-answer.ts';
import { orderFilters, orderQueryOf, type OrderFilters } from './order-query.ts';
import { orderSchema } from './order-schema.ts';

export const orderParams = z.strictObject({ orderId: orderIdSchema });

/** Sort value, id, and what the list was asked for: a cursor goes on with its own list only. */
const cursorKey = z.tuple([z.iso.datetime(), orderIdSchema, z.string().max(64)]);

export const createOrderListRoutes = ({ sealer }: Pick<ApiDeps, 'sealer'>, orders: OrderStore): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/orders',
    operationId: 'listOrders',
    tag: 'orders',
    summary: 'List orders by any filters together',
    description:
      '`q` finds a whole order id, waybill or phone number. An agent finds an order of their shops that nobody has by its whole id.',
    access: { action: 'read', subject: 'Order' },
    query: listQuery(orderFilters),
    success: { status: 200, schema: pageSchema(orderSchema), description: 'A page of orders, masked' },
    handler: async ({ query, ability, principal }) => {
      const { limit, cursor, ...filters } = query;
      const bound = boundOf(filters, sealer);
      const asked = orderQueryOf(filters, { ability, principal }, { sealer, action: 'read' });
      const found = await orders.list(asked, { after: startOf(cursor, bound), limit: limit + 1 });
      const key = (order: ListedOrder) => [order[asked.sort.field], order.orderId, bound];
      return { status: 200, body: toPage(found, limit, orderAnswer, key) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/orders/{orderId}',
    operationId: 'getOrder',
    tag: 'orders',
    summary: 'Read an order',
    access: { action: 'read', subject: 'Order' },
    params: orderParams,
    success: { status: 200, schema: orderSchema, description: 'The order, masked' },
    handler: async ({ params, ability }) => {
      const order = await orders.listedById(params.orderId);
      if (!order) throw new Problem('not_found');
      assertInScope(ability, 'read', 'Order', { ...order });
      return { status: 200, body: orderAnswer(order), revision: order.revision };
    },
  }),
];

/** Keyed, because a plain hash of a query that is a phone number would give the number away. */
const boundOf = (filters: OrderFilters, sealer: Pick<ApiDeps['sealer'], 'blindIndex'>): string =>
  sealer.blindIndex('order-list', canonicalJson(filters));

const startOf = (cursor: string | undefined, bound: string) => {
  if (cursor === undefined) return undefined;
  const [value, id, boundThen] = decodeCursor(cursor, cursorKey);
  if (boundThen !== bound) throw invalidField('cursor', 'belongs to a list with other filters');
  return { value, id };
};
