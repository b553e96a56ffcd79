import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { defineRoute, type Route } from '../route.ts';
import { mergeOrders } from './merge-orders.ts';
import { mergeSchema } from './order-schemas.ts';
import { orderServicesOf } from './order-services.ts';
import { orderAnswer } from './read/order-answer.ts';
import { orderSchema } from './read/order-schema.ts';

export const createMergeRoutes = (deps: ApiDeps): Route[] => {
  const merge = mergeOrders(orderServicesOf(deps), deps.logger);
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/orders/merge',
      operationId: 'mergeOrders',
      tag: 'orders',
      summary: 'Join orders of one buyer and address into one parcel',
      description: 'All of them or none. Money, refunds and statuses stay with each order.',
      access: { action: 'route', subject: 'Order' },
      body: mergeSchema,
      success: { status: 200, schema: z.object({ items: z.array(orderSchema) }), description: 'The orders, as named' },
      problems: ['not_found'],
      idempotent: true,
      handler: async (ctx) => {
        const records = await merge(ctx, ctx.body.orderIds);
        return { status: 200, body: { items: records.map(orderAnswer) } };
      },
    }),
  ];
};
