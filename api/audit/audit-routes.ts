import { z } from 'zod';
import { isOrderId, orderEntity } from '../../domain/ids.ts';
import type { AuditEntry } from '../../models/audit-log.ts';
import { scopeFilter } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { decodeCursor, listQuery, pageSchema, timeSchema, timestampSchema, toPage } from '../schemas.ts';

const auditEntrySchema = z
  .object({
    entity: z.string(),
    seq: z.number().int(),
    at: timestampSchema,
    actor: z.object({ kind: z.string(), id: z.string(), name: z.string().optional() }),
    from: z.object({ ip: z.string().optional(), requestId: z.string().optional() }),
    action: z.string(),
    detail: z.record(z.string(), z.unknown()),
    before: z.unknown(),
    after: z.unknown(),
    prevHash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });

const plainText = (max: number) => z.string().min(1).max(max);
const cursorKey = z.tuple([z.number().int(), z.string().regex(/^[0-9a-f]{24}$/)]);

export const createAuditRoutes = (deps: ApiDeps): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/audit',
    operationId: 'listAudit',
    tag: 'audit',
    summary: 'Who did what, when, from where; newest first',
    access: { action: 'read', subject: 'Audit' },
    query: listQuery({
      entity: plainText(200)
        .optional()
        .meta({ example: 'order/own1.W1001', description: 'An order may be named by its id alone' }),
      actor: plainText(64).optional().meta({ description: 'A user name or the key id of a service' }),
      from: timeSchema.optional(),
      to: timeSchema.optional().meta({ description: 'Exclusive' }),
    }),
    success: { status: 200, schema: pageSchema(auditEntrySchema), description: 'A page of entries' },
    handler: async ({ query, ability }) => {
      const { limit, cursor, entity, ...filter } = query;
      const key = cursor === undefined ? undefined : decodeCursor(cursor, cursorKey);
      const entries = await deps.audit.list({
        ...filter,
        entity: entity !== undefined && isOrderId(entity) ? orderEntity(entity) : entity,
        scope: scopeFilter(ability, 'read', 'Audit'),
        after: key && { at: new Date(key[0]), id: key[1] },
        limit: limit + 1,
      });
      return {
        status: 200,
        body: toPage(entries, limit, auditView, ({ at, _id }) => [at.getTime(), _id.toHexString()]),
      };
    },
  }),
];

const auditView = ({ entity, seq, at, actor, from, action, detail, before, after, prevHash, hash }: AuditEntry) => ({
  entity,
  seq,
  at: at.toISOString(),
  actor,
  from,
  action,
  detail,
  before,
  after,
  prevHash,
  hash,
});
