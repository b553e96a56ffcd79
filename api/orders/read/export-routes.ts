import { z } from 'zod';
import type { OrderQuery, OrderStore } from '../../../models/order-store.ts';
import type { ApiDeps } from '../../deps.ts';
import { Problem } from '../../errors.ts';
import { defineRoute, type Route, type RouteContext } from '../../route.ts';
import { exportRows, type Cell } from './export-columns.ts';
import { csvStream } from './export-csv.ts';
import { xlsxStream } from './export-xlsx.ts';
import { orderAnswer } from './order-answer.ts';
import { orderFilters, orderQueryOf } from './order-query.ts';

/** Of one export; a sheet takes a little over a million rows. */
export const EXPORT_LIMIT = 200_000;

const FORMATS = {
  csv: { contentType: 'text/csv; charset=utf-8', stream: csvStream },
  xlsx: {
    contentType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    stream: xlsxStream,
  },
} as const;

const querySchema = z.strictObject({ format: z.enum(['csv', 'xlsx']).default('csv'), ...orderFilters });

export const createExportRoutes = (
  { sealer, audit, logger }: Pick<ApiDeps, 'sealer' | 'audit' | 'logger'>,
  orders: OrderStore,
  { exportLimit = EXPORT_LIMIT }: { exportLimit?: number } = {},
): Route[] => {
  /** Two entries: that it began, and how much went out, also when the caller went away in between. */
  const note = async (ctx: Pick<RouteContext, 'actor' | 'from'>, action: string, detail: Record<string, unknown>) => {
    const entity = `order-export/${ctx.actor.id}`;
    await audit.append({ entity, at: new Date(), actor: ctx.actor, from: ctx.from, action, detail });
  };

  async function* rowsOf(
    asked: OrderQuery,
    whenDone: (sent: number, isWhole: boolean) => void,
  ): AsyncGenerator<Cell[][]> {
    let sent = 0;
    let isWhole = false;
    try {
      for await (const order of orders.each(asked)) {
        yield exportRows(orderAnswer(order));
        sent += 1;
      }
      isWhole = true;
    } finally {
      whenDone(sent, isWhole);
    }
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/v1/orders/export',
      operationId: 'exportOrders',
      tag: 'orders',
      summary: 'Export orders, masked, one row per line, as CSV or as an Excel sheet',
      description: `The filters are those of the list. At most ${exportLimit} orders; more are refused before anything is sent.`,
      access: { action: 'export', subject: 'Order' },
      query: querySchema,
      success: { status: 200, contentType: 'text/csv', description: 'The file; of another type with `format=xlsx`' },
      handler: async (ctx) => {
        const { format, ...filters } = ctx.query;
        const asked = orderQueryOf(filters, ctx, { sealer, action: 'export' });
        const count = await orders.countUpTo(exportLimit + 1, asked);
        if (count > exportLimit)
          throw new Problem('rule_violation', {
            detail: `More than ${exportLimit} orders match; narrow the filters, e.g. by placedFrom and placedTo`,
          });
        // A phone number that was searched for is not written down.
        const { q, ...plain } = filters;
        const detail = { format, filters: { ...plain, ...(q === undefined ? {} : { q: '(given)' }) } };
        const { contentType, stream } = FORMATS[format];
        const headers = {
          'Content-Type': contentType,
          'Content-Disposition': `attachment; filename="${fileName(format)}"`,
        };
        if (ctx.req.method === 'HEAD') return { status: 200, headers };
        await note(ctx, 'orders.export_began', detail);
        const rows = rowsOf(asked, (sent, isWhole) => {
          note(ctx, 'orders.export_ended', { orders: sent, complete: isWhole }).catch((error: unknown) =>
            logger.error('The end of an export could not be audited', { error }),
          );
        });
        return { status: 200, headers, stream: stream(rows) };
      },
    }),
  ];
};

const fileName = (format: string): string =>
  `orders-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z.${format}`;
