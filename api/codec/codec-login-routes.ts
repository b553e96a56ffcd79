import { z } from 'zod';
import { CODEC_COOKIE } from '../authenticate.ts';
import type { SignIn } from '../auth/auth-routes.ts';
import { principalOf } from '../auth/user-directory.ts';
import { abilityOf } from '../auth/policy.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Reply, Route } from '../route.ts';
import { userEntity } from '../../models/users.ts';

/** As long as one looks into an incident. */
const CODEC_SESSION_SEC = 3600;

const HTML = 'text/html; charset=utf-8';
const PAGE_HEADERS = {
  // Under `no-referrer` browsers send the form with `Origin: null`, as another site's would be.
  'Referrer-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
};

const page = (content: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>OrderHub: decode payloads</title></head>
<body>${content}</body></html>`;

const FORM = `<h1>Decode payloads in the Temporal UI</h1>
<p>Sign in with an account that may decode payloads. For an hour, this browser's Temporal UI shows payloads in clear.</p>
<form method="post" action="/v1/codec/login">
<p><label>User name <input name="username" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Sign in</button></p>
</form>`;

/**
 * A page by which a browser gets a cookie that counts at the codec endpoint and nowhere else, for an hour. It travels only
 * between pages of one site, so the UI and the API must share theirs (say `127.0.0.1`, whatever the ports).
 */
export const createCodecLoginRoutes = (deps: ApiDeps, signIn: SignIn): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/codec/login',
    operationId: 'codecLoginPage',
    tag: 'codec',
    summary: 'The page on which an engineer signs in for decoding in the Temporal UI',
    access: 'public',
    hidden: true,
    success: { status: 200, contentType: HTML, description: 'The page' },
    handler: async () => ({ status: 200, body: page(FORM), headers: PAGE_HEADERS }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/codec/login',
    operationId: 'codecLogin',
    tag: 'codec',
    summary: 'Sign in for decoding',
    access: 'public',
    hidden: true,
    form: true,
    bodyLimitBytes: 4096,
    body: z.strictObject({ username: z.string().min(1).max(64), password: z.string().min(1).max(256) }),
    success: { status: 200, contentType: HTML, description: 'Signed in' },
    handler: async (ctx): Promise<Reply> => {
      assertOwnPage(ctx.req.headers.origin, ctx.req.headers.host);
      const user = await signIn.check(ctx, ctx.body.username, ctx.body.password);
      if (!abilityOf(principalOf(user)).can('decode', 'Payload')) throw new Problem('forbidden');
      const { session } = await deps.sessions.open(user.username);
      const token = await deps.tokens.issue(user.username, session._id, 'orderhub-codec', CODEC_SESSION_SEC);
      const actor = { kind: 'user', id: user.username } as const;
      const entity = userEntity(user.username);
      await deps.audit.append({ entity, at: new Date(), actor, from: ctx.from, action: 'codec.login' });
      const secure = ctx.req.secure ? '; Secure' : '';
      const cookie = `${CODEC_COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/v1/codec/; Max-Age=${CODEC_SESSION_SEC}${secure}`;
      const body = page('<h1>Signed in</h1><p>Reload the Temporal UI. This ends by itself after an hour.</p>');
      return { status: 200, body, headers: { ...PAGE_HEADERS, 'Set-Cookie': cookie } };
    },
  }),
];

/** Another site must not sign a browser in here. */
function assertOwnPage(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined || !URL.canParse(origin) || new URL(origin).host !== host)
    throw new Problem('forbidden', { detail: 'Sign in on the page of this server' });
}
