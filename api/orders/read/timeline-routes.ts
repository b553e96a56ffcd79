import { z } from 'zod';
import { orderEntity } from '../../../domain/ids.ts';
import type { Happening } from '../../../domain/order-step.ts';
import type { AuditEntry } from '../../../models/audit-log.ts';
import type { OrderStore } from '../../../models/order-store.ts';
import { OrderTrail } from '../../../models/order-trail.ts';
import { DeliveryProgress, type DeliveryProgressRecord } from '../../../models/delivery-progress.ts';
import { assertInScope } from '../../auth/scope.ts';
import type { ApiDeps } from '../../deps.ts';
import { Problem } from '../../errors.ts';
import { defineRoute, type Route } from '../../route.ts';
import { decodeCursor, listQuery, pageSchema, timestampSchema, toPage } from '../../schemas.ts';
import { orderParams } from './order-list-routes.ts';
import { sentenceOf } from './timeline-words.ts';

const timelineItemSchema = z
  .object({
    revision: z.int().min(1),
    at: timestampSchema,
    by: z.object({ kind: z.string(), id: z.string(), name: z.string().optional() }),
    action: z.string().meta({ example: 'order.ship' }),
    text: z.string().meta({ example: '3 pieces left with sf, waybill SF100 (S1). Everything was delivered' }),
    events: z.array(
      z.object({
        code: z.string(),
        params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
        text: z.string(),
      }),
    ),
  })
  .meta({ id: 'TimelineItem' });

const cursorKey = z.tuple([z.int().min(1)]);

export const createTimelineRoutes = ({ connection }: Pick<ApiDeps, 'connection'>, orders: OrderStore): Route[] => {
  const trail = new OrderTrail(connection);
  const progress = new DeliveryProgress(connection);
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/orders/{orderId}/timeline',
      operationId: 'getOrderTimeline',
      tag: 'orders',
      summary: 'What happened to an order, when, by whom, in words; oldest first',
      access: { action: 'read', subject: 'Order' },
      params: orderParams,
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(timelineItemSchema), description: 'A page of steps' },
      handler: async ({ params: { orderId }, query: { limit, cursor }, ability }) => {
        const order = await orders.listedById(orderId);
        if (!order) throw new Problem('not_found');
        assertInScope(ability, 'read', 'Order', { ...order });
        const [after] = cursor === undefined ? [0] : decodeCursor(cursor, cursorKey);
        const entries = await trail.page(orderEntity(orderId), { after, limit: limit + 1 });
        const view = (entry: AuditEntry) => timelineItem(entry, order.currency);
        const page = toPage(entries, limit, view, ({ seq }) => [seq]);
        const said = await progress.ofOrder(orderId);
        const items = withProgress(page.items, said, { isFirst: after === 0, until: entries[limit]?.at });
        return { status: 200, body: { ...page, items } };
      },
    }),
  ];
};

/** What warehouses said while a page of steps happened, each behind the step that it followed. */
const withProgress = (
  items: TimelineItem[],
  said: readonly DeliveryProgressRecord[],
  { isFirst, until }: { isFirst: boolean; until: Date | undefined },
): TimelineItem[] => {
  const [first] = items;
  if (!first) return items;
  const ofPage = said.filter(
    ({ at }) => (isFirst || at.toISOString() >= first.at) && (until === undefined || at < until),
  );
  const spoken = ofPage.map(({ code, status, warehouseId, at }): TimelineItem => {
    const params = { code, status };
    const text = sentenceOf({ code: 'warehouse_progressed', params }, '');
    return {
      revision: items.findLast((item) => item.at <= at.toISOString())?.revision ?? first.revision,
      at: at.toISOString(),
      by: { kind: 'system', id: `wms/${warehouseId}` },
      action: 'warehouse.progress',
      text,
      events: [{ code: 'warehouse_progressed', params, text }],
    };
  });
  return [...items, ...spoken].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
};

type TimelineItem = z.output<typeof timelineItemSchema>;

const timelineItem = ({ seq, at, actor, action, detail }: AuditEntry, currency: string): TimelineItem => {
  const happened = (detail['happened'] ?? []) as Happening[];
  const events = happened.map((one) => ({ code: one.code, params: one.params, text: sentenceOf(one, currency) }));
  const text = events.map((event) => event.text).join('. ');
  const { kind, id, name } = actor;
  return {
    revision: seq,
    at: at.toISOString(),
    by: { kind, id, ...(name === undefined ? {} : { name }) },
    action,
    text: text === '' ? `The order was changed (${action.replace(/^order\./, '')})` : text,
    events,
  };
};
