import { z } from 'zod';
import { userEntity } from '../../models/users.ts';
import { MAX_PASSWORD_LENGTH, assertGoodPassword } from '../auth/passwords.ts';
import { ROLES } from '../auth/policy.ts';
import type { SignIn } from '../auth/auth-routes.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { timestampSchema } from '../schemas.ts';
import { passwordSchema } from './user-routes.ts';

const meSchema = z
  .object({
    kind: z.enum(['user', 'service']),
    username: z.string().meta({ description: 'The user name, or the key id of a service' }),
    displayName: z.string(),
    roles: z.array(z.enum(ROLES)),
    shopIds: z.array(z.string()).optional().meta({ description: 'Absent: all shops' }),
    notices: z.array(z.object({ at: timestampSchema, code: z.string(), detail: z.record(z.string(), z.string()) })),
  })
  .meta({ id: 'Me' });

export const createMeRoutes = (deps: ApiDeps, signIn: SignIn): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/me',
    operationId: 'getMe',
    tag: 'users',
    summary: 'Who I am, what I hold and what I should know of',
    access: { action: 'read', subject: 'Me' },
    success: { status: 200, schema: meSchema, description: 'The caller' },
    handler: async ({ principal: { kind, id, name, roles, shopIds } }) => {
      const notices = kind === 'user' ? await deps.notices.latestFor(id) : [];
      const body = {
        kind,
        username: id,
        displayName: name,
        roles,
        ...(shopIds ? { shopIds } : {}),
        notices: notices.map(({ at, code, detail }) => ({ at: at.toISOString(), code, detail })),
      };
      return { status: 200, body };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/me/password',
    operationId: 'changeOwnPassword',
    tag: 'users',
    summary: 'Change my password; signs me out everywhere else',
    access: { action: 'read', subject: 'Me' },
    body: z.strictObject({ currentPassword: z.string().min(1).max(MAX_PASSWORD_LENGTH), newPassword: passwordSchema }),
    success: { status: 200, schema: z.object({ changed: z.boolean() }), description: 'Changed' },
    handler: async (ctx) => {
      const { id, kind } = ctx.principal;
      const { currentPassword, newPassword } = ctx.body;
      const known = kind === 'user' ? await deps.users.find(id) : null;
      if (!known || known.source !== 'local')
        throw new Problem('rule_violation', { detail: 'Only a person with a password here can change it' });
      assertGoodPassword(newPassword, id);
      await signIn.check(ctx, id, currentPassword);
      const passwordHash = await deps.passwords.hash(newPassword);
      await deps.audit.record(userEntity(id), async (session) => {
        const user = await deps.users.find(id, session);
        const now = new Date();
        if (!user || !(await deps.users.update(user, { passwordHash }, now, session))) throw new Problem('conflict');
        const { actor, from } = ctx;
        return { draft: { at: now, actor, from, action: 'user.password_changed' }, result: undefined };
      });
      await deps.sessions.revokeAll(known.username, 'password changed', ctx.sid);
      return { status: 200, body: { changed: true } };
    },
  }),
];
