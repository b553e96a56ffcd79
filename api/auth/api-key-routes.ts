import { z } from 'zod';
import { apiKeyEntity } from '../../models/api-keys.ts';
import type { ApiKeyRecord } from '../../models/api-keys.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem, invalidField } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { decodeCursor, listQuery, pageSchema, textSchema, timeSchema, timestampSchema, toPage } from '../schemas.ts';
import { shopIdsSchema } from '../users/user-routes.ts';
import { newApiKey } from './api-key-format.ts';
import { API_KEY_ROLES, ROLES, coversShops } from './policy.ts';

const apiKeyViewSchema = z
  .object({
    keyId: z.string(),
    name: z.string(),
    roles: z.array(z.enum(ROLES)),
    shopIds: z.array(z.string()).optional().meta({ description: 'Absent: all shops' }),
    expiresAt: timestampSchema.nullable(),
    revokedAt: timestampSchema.nullable(),
    createdBy: z.string(),
    createdAt: timestampSchema,
    revision: z.number().int(),
  })
  .meta({ id: 'ApiKey' });

const newApiKeySchema = z.strictObject({
  name: textSchema(100),
  roles: z
    .array(z.enum(API_KEY_ROLES))
    .min(1)
    .max(API_KEY_ROLES.length)
    .default(['service'])
    .meta({ description: 'No role that signs for a person or grants roles' }),
  shopIds: shopIdsSchema.optional(),
  expiresAt: timeSchema.optional(),
});

const createdSchema = apiKeyViewSchema.extend({
  apiKey: z.string().meta({ description: 'The key itself, shown this once: Authorization: Bearer ohk_…' }),
});

export const createApiKeyRoutes = (deps: ApiDeps): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/api-keys',
    operationId: 'createApiKey',
    tag: 'api-keys',
    summary: 'Create a key for a service',
    access: { action: 'manage', subject: 'ApiKey' },
    body: newApiKeySchema,
    success: { status: 201, schema: createdSchema, description: 'Created; the key is not shown again' },
    idempotent: true,
    handler: async (ctx) => {
      const { name, roles, shopIds, expiresAt } = ctx.body;
      if (!coversShops(ctx.principal, shopIds))
        throw new Problem('forbidden', { detail: 'The scope goes beyond yours' });
      if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now())
        throw invalidField('expiresAt', 'must be in the future');
      const { keyId, apiKey, secretHash } = newApiKey();
      const now = new Date();
      const record: ApiKeyRecord = {
        _id: keyId,
        name,
        secretHash,
        roles: [...new Set(roles)],
        shopIds: shopIds ?? null,
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
        revokedAt: null,
        createdBy: ctx.principal.id,
        createdAt: now,
        revision: 1,
      };
      await deps.audit.record(apiKeyEntity(keyId), async (session) => {
        await deps.apiKeys.insert(record, session);
        const { actor, from } = ctx;
        return {
          draft: { at: now, actor, from, action: 'api_key.created', after: apiKeyView(record) },
          result: undefined,
        };
      });
      return { status: 201, body: { ...apiKeyView(record), apiKey }, revision: 1 };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/api-keys',
    operationId: 'listApiKeys',
    tag: 'api-keys',
    summary: 'List the keys of services, without their secrets',
    access: { action: 'manage', subject: 'ApiKey' },
    query: listQuery({}),
    success: { status: 200, schema: pageSchema(apiKeyViewSchema), description: 'A page of keys' },
    handler: async ({ query: { limit, cursor }, principal }) => {
      const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string()]));
      const keys = await deps.apiKeys.list({ after, limit: limit + 1, shopIds: principal.shopIds });
      return { status: 200, body: toPage(keys, limit, apiKeyView, ({ _id }) => [_id]) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/api-keys/{keyId}',
    operationId: 'revokeApiKey',
    tag: 'api-keys',
    summary: 'Revoke a key; counts within five seconds everywhere',
    access: { action: 'manage', subject: 'ApiKey' },
    params: z.strictObject({ keyId: z.string().regex(/^[a-z0-9]{1,64}$/) }),
    success: { status: 200, schema: apiKeyViewSchema, description: 'The key as revoked' },
    handler: async (ctx) => {
      const { keyId } = ctx.params;
      const key = await deps.audit.record(apiKeyEntity(keyId), async (session) => {
        const known = await deps.apiKeys.find(keyId, session);
        if (!known || !coversShops(ctx.principal, known.shopIds ?? undefined)) throw new Problem('not_found');
        if (known.revokedAt !== null) return { draft: null, result: known };
        const now = new Date();
        const revoked = await deps.apiKeys.revoke(known, now, session);
        const { actor, from } = ctx;
        const change = { before: { revokedAt: null }, after: { revokedAt: now.toISOString() } };
        return { draft: { at: now, actor, from, action: 'api_key.revoked', ...change }, result: revoked };
      });
      deps.directory.forgetApiKey(keyId);
      return { status: 200, body: apiKeyView(key), revision: key.revision };
    },
  }),
];

const apiKeyView = (key: ApiKeyRecord) => ({
  keyId: key._id,
  name: key.name,
  roles: key.roles,
  ...(key.shopIds ? { shopIds: key.shopIds } : {}),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  revokedAt: key.revokedAt?.toISOString() ?? null,
  createdBy: key.createdBy,
  createdAt: key.createdAt.toISOString(),
  revision: key.revision,
});
