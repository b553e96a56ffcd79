import { z } from 'zod';
import { userEntity } from '../../models/users.ts';
import type { UserRecord } from '../../models/users.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Route, RouteContext } from '../route.ts';
import { userView, userViewSchema } from '../users/user-view.ts';
import { LoginThrottle } from './login-throttle.ts';
import { MAX_PASSWORD_LENGTH } from './passwords.ts';

const sessionSchema = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresInSec: z.number().int(),
    user: userViewSchema,
  })
  .meta({ id: 'Session' });

const credentialsSchema = z.strictObject({
  username: z.string().min(1).max(64),
  password: z.string().min(1).max(MAX_PASSWORD_LENGTH),
});

/** Signing in with a password. Also used by the page of the codec endpoint, so that one throttle counts for both. */
export class SignIn {
  readonly #throttle = new LoginThrottle();

  /** Throws 401 `invalid_credentials`, the same and as late for every reason; 429 after many of them. */
  async check(ctx: RouteContext, username: string, password: string): Promise<UserRecord> {
    const { users, passwords, refusals } = ctx.deps;
    this.#throttle.assertOpen(username, ctx.ip);
    const user = await users.find(username);
    const isRight = await passwords.verify(user?.passwordHash ?? null, password);
    if (isRight && user && !user.disabled) {
      this.#throttle.right(username, ctx.ip);
      return user;
    }
    this.#throttle.wrong(username, ctx.ip);
    // A name that is unknown is not written down: people type passwords into the wrong field.
    const actor = user ? ({ kind: 'user', id: user.username } as const) : ({ kind: 'anonymous', id: 'login' } as const);
    const reason = isRight ? 'disabled' : user ? 'wrong password' : 'unknown user';
    await refusals.record(actor, ctx.from, 'login.refused', { reason });
    throw new Problem('invalid_credentials');
  }
}

export function createAuthRoutes(deps: ApiDeps, signIn: SignIn): Route[] {
  const answer = async (user: UserRecord, sid: string, refreshToken: string) => ({
    accessToken: await deps.tokens.issue(user.username, sid),
    refreshToken,
    tokenType: 'Bearer',
    expiresInSec: deps.tokens.ttlSec,
    user: userView(user),
  });

  return [
    defineRoute({
      method: 'POST',
      path: '/v1/auth/login',
      operationId: 'login',
      tag: 'auth',
      summary: 'Sign in with user name and password',
      access: 'public',
      body: credentialsSchema,
      success: { status: 200, schema: sessionSchema, description: 'Signed in' },
      problems: ['invalid_credentials'],
      handler: async (ctx) => {
        const user = await signIn.check(ctx, ctx.body.username, ctx.body.password);
        const { session, refreshToken } = await deps.sessions.open(user.username);
        const actor = { kind: 'user', id: user.username } as const;
        await deps.audit.append({
          entity: userEntity(user.username),
          at: new Date(),
          actor,
          from: ctx.from,
          action: 'login.succeeded',
        });
        return { status: 200, body: await answer(user, session._id, refreshToken) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/auth/refresh',
      operationId: 'refreshSession',
      tag: 'auth',
      summary: 'Exchange a refresh token, which works once, for new tokens',
      access: 'public',
      body: z.strictObject({ refreshToken: z.string().min(1).max(200) }),
      success: { status: 200, schema: sessionSchema, description: 'New tokens' },
      problems: ['unauthenticated'],
      handler: async (ctx) => {
        const rotation = await deps.sessions.rotate(ctx.body.refreshToken);
        if (rotation.outcome !== 'rotated') {
          if (rotation.session) {
            deps.directory.forgetSession(rotation.session._id);
            const reason = rotation.outcome === 'reused' ? 'refresh token used twice' : 'session ended';
            const actor = { kind: 'user', id: rotation.session.username } as const;
            await deps.refusals.record(actor, ctx.from, 'auth.refused', { reason });
          }
          throw new Problem('unauthenticated', { detail: 'The refresh token is not valid' });
        }
        const { session, refreshToken } = rotation;
        const user = await deps.users.find(session.username);
        if (!user || user.disabled) throw new Problem('unauthenticated', { detail: 'The user is disabled or gone' });
        return { status: 200, body: await answer(user, session._id, refreshToken) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/auth/logout',
      operationId: 'logout',
      tag: 'auth',
      summary: 'End the session of this access token',
      access: { action: 'read', subject: 'Me' },
      body: z.strictObject({ refreshToken: z.string().min(1).max(200).optional() }).optional(),
      success: { status: 200, schema: z.object({ loggedOut: z.boolean() }), description: 'Signed out' },
      handler: async (ctx) => {
        const ofToken = ctx.body?.refreshToken ? await deps.sessions.sessionOf(ctx.body.refreshToken) : null;
        const own = ofToken?.username === ctx.principal.id ? ofToken._id : undefined;
        const sids = [ctx.sid, own].filter((sid) => sid !== undefined);
        for (const sid of new Set(sids)) {
          await deps.sessions.revoke(sid, 'signed out');
          deps.directory.forgetSession(sid);
        }
        return { status: 200, body: { loggedOut: sids.length > 0 } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/.well-known/jwks.json',
      operationId: 'jwks',
      tag: 'auth',
      summary: 'The public keys of access tokens',
      access: 'public',
      success: {
        status: 200,
        schema: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
        description: 'A JWK set',
      },
      handler: async () => ({
        status: 200,
        body: await deps.tokens.jwks(),
        headers: { 'Cache-Control': 'public, max-age=300' },
      }),
    }),
  ];
}
