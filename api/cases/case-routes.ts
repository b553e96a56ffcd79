import { z } from 'zod';
import type { CaseRecord } from '../../models/case-records.ts';
import type { Action } from '../auth/policy.ts';
import { assertInScope, scopeFilter } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { orderServicesOf } from '../orders/order-services.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { decodeCursor, idSchema, listQuery, noteSchema, orderIdSchema, pageSchema, toPage } from '../schemas.ts';
import { CASE_ACTIONS, CASE_CODES } from './case-next-steps.ts';
import { caseSchema, caseView } from './case-view.ts';
import { resolveCase } from './resolve-case.ts';

const caseParams = z.strictObject({ caseId: z.string().regex(/^[A-Za-z0-9_.-]{1,200}$/, 'must be the id of a case') });
const cursorKey = z.tuple([z.iso.datetime(), z.string()]);

export const createCaseRoutes = (deps: ApiDeps): Route[] => {
  const services = orderServicesOf(deps);
  const { cases, intake, timers } = services;
  const resolve = resolveCase(deps, services);

  /** A case of a late payment shows whether its order can come back. */
  const finalOf = async ({ code, state, orderId }: CaseRecord) =>
    code === 'late_payment' && state === 'open' && orderId !== null
      ? ((await intake.head(orderId))?.final ?? null)
      : null;

  const view = async (record: CaseRecord) => caseView(record, await finalOf(record), await timers());

  const inScope = async (caseId: string, action: Action, { ability }: Pick<RouteContext, 'ability'>) => {
    const record = await cases.byId(caseId);
    if (!record) throw new Problem('not_found');
    assertInScope(ability, action, 'Case', { ...record });
    return record;
  };

  return [
    defineRoute({
      method: 'GET',
      path: '/v1/cases',
      operationId: 'listCases',
      tag: 'cases',
      summary: 'List what needs a person, newest first',
      access: { action: 'read', subject: 'Case' },
      query: listQuery({
        state: z.enum(['open', 'resolved']).optional(),
        code: z.enum(CASE_CODES).optional(),
        orderId: orderIdSchema.optional(),
        shopId: idSchema.optional(),
      }),
      success: { status: 200, schema: pageSchema(caseSchema), description: 'A page of cases' },
      handler: async ({ query, ability }) => {
        const { limit, cursor, ...filters } = query;
        const key = cursor === undefined ? undefined : decodeCursor(cursor, cursorKey);
        const records = await cases.list({
          ...filters,
          scope: scopeFilter(ability, 'read', 'Case'),
          limit: limit + 1,
          ...(key ? { after: { openedAt: new Date(key[0]), caseId: key[1] } } : {}),
        });
        const page = toPage(
          records,
          limit,
          (record) => record,
          ({ openedAt, _id }) => [openedAt.toISOString(), _id],
        );
        return { status: 200, body: { ...page, items: await Promise.all(page.items.map(view)) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/cases/{caseId}',
      operationId: 'getCase',
      tag: 'cases',
      summary: 'Read a case',
      access: { action: 'read', subject: 'Case' },
      params: caseParams,
      success: { status: 200, schema: caseSchema, description: 'The case' },
      handler: async (ctx) => {
        const record = await inScope(ctx.params.caseId, 'read', ctx);
        return { status: 200, body: await view(record), revision: record.revision };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/cases/{caseId}/resolve',
      operationId: 'resolveCase',
      tag: 'cases',
      summary: 'Close a case, with what was done about it',
      description: 'Without `action` the case is only closed; `nextSteps` of the case says which actions there are.',
      access: { action: 'resolve', subject: 'Case' },
      params: caseParams,
      body: z.strictObject({ note: noteSchema(1000), action: z.enum(CASE_ACTIONS).optional() }),
      success: { status: 200, schema: caseSchema, description: 'The case as it is now' },
      idempotent: true,
      handler: async (ctx) => {
        const record = await inScope(ctx.params.caseId, 'resolve', ctx);
        const settled = await resolve(ctx, record, ctx.body);
        return { status: 200, body: await view(settled), revision: settled.revision };
      },
    }),
  ];
};
