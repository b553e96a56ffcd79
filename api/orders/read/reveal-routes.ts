import { z } from 'zod';
import { orderEntity } from '../../../domain/ids.ts';
import { accessOf } from '../../../models/audit-log.ts';
import type { OrderStore } from '../../../models/order-store.ts';
import { RevealCounts } from '../../../models/reveal-counts.ts';
import { assertInScope } from '../../auth/scope.ts';
import type { ApiDeps } from '../../deps.ts';
import { Problem } from '../../errors.ts';
import { defineRoute, type Route } from '../../route.ts';
import { noteSchema, orderIdSchema } from '../../schemas.ts';
import type { SealedReceiver } from '../../../domain/receiver-record.ts';
import { orderParams } from './order-list-routes.ts';

const FIELDS = ['name', 'phone', 'address'] as const;

export const REVEALS_PER_DAY = 100;

const bodySchema = z.strictObject({
  fields: z
    .array(z.enum(FIELDS))
    .min(1, 'must name at least one field')
    .max(FIELDS.length)
    .refine((fields) => new Set(fields).size === fields.length, 'must name each field once'),
  reason: noteSchema(500),
});

const revealedSchema = z
  .object({
    orderId: orderIdSchema,
    name: z.string().optional(),
    phone: z.string().optional(),
    address: z.string().optional(),
  })
  .meta({ id: 'RevealedReceiver' });

export const createRevealRoutes = (
  { connection, sealer, audit }: Pick<ApiDeps, 'connection' | 'sealer' | 'audit'>,
  orders: OrderStore,
  { revealsPerDay = REVEALS_PER_DAY }: { revealsPerDay?: number } = {},
): Route[] => {
  const counts = new RevealCounts(connection);
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/orders/{orderId}/reveal',
      operationId: 'revealReceiver',
      tag: 'orders',
      summary: "Show the receiver's name, phone or address in full",
      description: `Audited with the reason. A person may do so ${revealsPerDay} times a day (Asia/Shanghai).`,
      access: { action: 'reveal', subject: 'Order' },
      params: orderParams,
      body: bodySchema,
      success: { status: 200, schema: revealedSchema, description: 'The fields asked for' },
      handler: async ({ params: { orderId }, body: { fields, reason }, ability, principal, actor, from }) => {
        const order = await orders.byId(orderId);
        if (!order) throw new Problem('not_found');
        assertInScope(ability, 'reveal', 'Order', { ...order });
        if (principal.kind === 'user' && !(await counts.take(principal.id, shanghaiDay(), revealsPerDay)))
          throw new Problem('rate_limited', {
            detail: `At most ${revealsPerDay} times a day`,
            retryAfterSec: secondsOfShanghaiDayLeft(),
          });
        const clear = sealer.unseal<SealedReceiver>(order.receiver.sealed);
        // On record before anybody sees it.
        const entity = accessOf(orderEntity(orderId));
        await audit.append({
          entity,
          at: new Date(),
          actor,
          from,
          action: 'order.revealed',
          detail: { fields, reason },
        });
        const shown = Object.fromEntries(fields.map((field) => [field, clear[field]]));
        return { status: 200, body: { orderId, ...shown }, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
  ];
};

const SHANGHAI_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

const shanghaiDay = (): string => new Date(Date.now() + SHANGHAI_OFFSET_MS).toISOString().slice(0, 10);

const secondsOfShanghaiDayLeft = (): number =>
  Math.ceil((DAY_MS - ((Date.now() + SHANGHAI_OFFSET_MS) % DAY_MS)) / 1000);
