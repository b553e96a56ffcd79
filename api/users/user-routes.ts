import { z } from 'zod';
import { userEntity } from '../../models/users.ts';
import type { UserPatch, UserRecord } from '../../models/users.ts';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, assertGoodPassword } from '../auth/passwords.ts';
import { ROLES, coversShops } from '../auth/policy.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { assertRevision } from '../revisions.ts';
import { defineRoute } from '../route.ts';
import type { Route, RouteContext } from '../route.ts';
import { decodeCursor, idSchema, listQuery, pageSchema, textSchema, toPage, usernameSchema } from '../schemas.ts';
import { signingRoleNotices } from './signing-role-notices.ts';
import { userFacets, userView, userViewSchema } from './user-view.ts';

export const passwordSchema = z
  .string()
  .min(MIN_PASSWORD_LENGTH, `must have at least ${MIN_PASSWORD_LENGTH} characters`)
  .max(MAX_PASSWORD_LENGTH, `must have at most ${MAX_PASSWORD_LENGTH} characters`);

const unique = (items: readonly string[]): boolean => new Set(items).size === items.length;
export const rolesSchema = z.array(z.enum(ROLES)).max(ROLES.length).refine(unique, 'must name each role once');
export const shopIdsSchema = z
  .array(idSchema)
  .min(1, 'must name a shop; leave it out for all shops')
  .max(500)
  .refine(unique, 'must name each shop once');

const newUserSchema = z.strictObject({
  username: usernameSchema,
  password: passwordSchema,
  displayName: textSchema(100),
  roles: rolesSchema,
  shopIds: shopIdsSchema.optional(),
});

const userPatchSchema = z
  .strictObject({
    displayName: textSchema(100).optional(),
    roles: rolesSchema.optional(),
    shopIds: shopIdsSchema.nullable().optional().meta({ description: 'null: all shops' }),
    disabled: z.boolean().optional(),
    password: passwordSchema.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'must change something');

export const createUserRoutes = (deps: ApiDeps): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/users',
    operationId: 'createUser',
    tag: 'users',
    summary: 'Create a user',
    access: { action: 'manage', subject: 'User' },
    body: newUserSchema,
    success: { status: 201, schema: userViewSchema, description: 'Created' },
    idempotent: true,
    handler: async (ctx) => {
      const { username, password, displayName, roles, shopIds } = ctx.body;
      assertGoodPassword(password, username);
      if (!coversShops(ctx.principal, shopIds))
        throw new Problem('forbidden', { detail: 'The scope goes beyond yours' });
      const passwordHash = await deps.passwords.hash(password);
      const user = await deps.audit.record(userEntity(username), async (session) => {
        if (await deps.users.find(username, session))
          throw new Problem('conflict', { detail: 'There is a user of that name' });
        const now = new Date();
        const fields = { username, displayName, passwordHash, roles, shopIds: shopIds ?? null };
        const record = await deps.users.insert(
          { ...fields, disabled: false, source: 'local', revision: 1, createdAt: now, updatedAt: now },
          session,
        );
        await deps.notices.add(
          await signingRoleNotices(deps.users, [], record, ctx.principal.id, now, session),
          session,
        );
        const { actor, from } = ctx;
        return { draft: { at: now, actor, from, action: 'user.created', after: userFacets(record) }, result: record };
      });
      deps.directory.forgetUser(username);
      return { status: 201, body: userView(user), revision: user.revision };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/users',
    operationId: 'listUsers',
    tag: 'users',
    summary: 'List users by name',
    access: { action: 'manage', subject: 'User' },
    query: listQuery({}),
    success: { status: 200, schema: pageSchema(userViewSchema), description: 'A page of users' },
    handler: async ({ query: { limit, cursor }, principal }) => {
      const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string()]));
      const users = await deps.users.list({ after, limit: limit + 1, shopIds: principal.shopIds });
      return { status: 200, body: toPage(users, limit, userView, ({ _id }) => [_id]) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/users/{username}',
    operationId: 'getUser',
    tag: 'users',
    summary: 'Read a user',
    access: { action: 'manage', subject: 'User' },
    params: z.strictObject({ username: usernameSchema }),
    success: { status: 200, schema: userViewSchema, description: 'The user' },
    handler: async (ctx) => {
      const user = inScope(ctx, await deps.users.find(ctx.params.username));
      return { status: 200, body: userView(user), revision: user.revision };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/users/{username}',
    operationId: 'updateUser',
    tag: 'users',
    summary: 'Change roles, scope, password or name of a user, or disable them',
    description: 'Counts within five seconds everywhere. Nobody changes their own roles, scope or state.',
    access: { action: 'manage', subject: 'User' },
    params: z.strictObject({ username: usernameSchema }),
    body: userPatchSchema,
    success: { status: 200, schema: userViewSchema, description: 'The user as changed' },
    handler: async (ctx) => {
      const { password, ...fields } = ctx.body;
      const { username } = ctx.params;
      if (password !== undefined) assertGoodPassword(password, username);
      assertNotOwn(ctx, username, fields);
      const passwordHash = password === undefined ? {} : { passwordHash: await deps.passwords.hash(password) };
      const patch: UserPatch = { ...withoutUndefined(fields), ...passwordHash };
      const next = await deps.audit.record(userEntity(username), async (session) => {
        const user = inScope(ctx, await deps.users.find(username, session));
        if (ctx.body.shopIds !== undefined && !coversShops(ctx.principal, ctx.body.shopIds ?? undefined))
          throw new Problem('forbidden', { detail: 'The scope goes beyond yours' });
        if (user.source === 'oidc' && (password !== undefined || fields.roles))
          throw new Problem('rule_violation', {
            detail: 'Password and roles of this user belong to the external issuer',
          });
        assertRevision(ctx.ifMatch, user.revision);
        const now = new Date();
        const updated = await deps.users.update(user, patch, now, session);
        if (!updated) throw new Problem('conflict', { detail: 'The user was changed at the same time' });
        await deps.notices.add(
          await signingRoleNotices(deps.users, user.roles, updated, ctx.principal.id, now, session),
          session,
        );
        const { actor, from } = ctx;
        const detail = { passwordChanged: password !== undefined };
        const change = { before: userFacets(user), after: userFacets(updated) };
        return { draft: { at: now, actor, from, action: 'user.updated', detail, ...change }, result: updated };
      });
      if (next.disabled || password !== undefined)
        await deps.sessions.revokeAll(next.username, next.disabled ? 'user disabled' : 'password changed');
      deps.directory.forgetUser(username);
      return { status: 200, body: userView(next), revision: next.revision };
    },
  }),
];

function inScope({ principal }: RouteContext, user: UserRecord | null): UserRecord {
  if (!user || !coversShops(principal, user.shopIds ?? undefined)) throw new Problem('not_found');
  return user;
}

function assertNotOwn({ principal }: RouteContext, username: string, fields: Record<string, unknown>): void {
  const isOwn = principal.kind === 'user' && principal.id.toLowerCase() === username.toLowerCase();
  const touched = ['roles', 'shopIds', 'disabled'].filter((field) => fields[field] !== undefined);
  if (isOwn && touched.length > 0)
    throw new Problem('forbidden', { detail: `Nobody changes their own ${touched.join(', ')}` });
}

const withoutUndefined = (fields: Record<string, unknown>): UserPatch =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
