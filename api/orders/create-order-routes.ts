import type { ApiDeps } from '../deps.ts';
import { defineRoute, type Route } from '../route.ts';
import { createOrder } from './create-order.ts';
import { newOrderSchema } from './order-schemas.ts';
import { orderServicesOf } from './order-services.ts';
import { orderAnswer } from './read/order-answer.ts';
import { orderSchema } from './read/order-schema.ts';

export const createIntakeRoutes = (deps: ApiDeps): Route[] => {
  const create = createOrder({ ...deps, ...orderServicesOf(deps) });
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/orders',
      operationId: 'createOrder',
      tag: 'orders',
      summary: 'Take in an order of an own shop',
      description:
        'The order id is `<shopId>.<platformOrderId>`. The same content again is answered with the same order, other content under the same id is refused.',
      access: { action: 'create', subject: 'Order' },
      body: newOrderSchema,
      success: {
        status: 201,
        schema: orderSchema,
        description: 'Taken in',
        also: { 200: 'The same order had been taken in before' },
      },
      problems: ['not_found'],
      idempotent: true,
      handler: async (ctx) => {
        const { record, isNew } = await create(ctx, ctx.body);
        return { status: isNew ? 201 : 200, body: orderAnswer(record), revision: record.revision };
      },
    }),
  ];
};
