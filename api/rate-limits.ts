import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { RequestHandler } from 'express';
import type { ApiDeps } from './deps.ts';
import { Problem } from './errors.ts';
import { stateOf } from './request-state.ts';

const WINDOW_MS = 60_000;
const UNLIMITED = new Set(['/healthz', '/readyz', '/metrics']);
const LOGIN_PATHS = new Set(['/v1/auth/login', '/v1/auth/refresh', '/v1/codec/login']);

/** Per caller who is signed in, else per address; sign-ins apart and tighter. Counted per process. */
export function rateLimits({ settings }: Pick<ApiDeps, 'settings'>): RequestHandler[] {
  const { perPrincipal, perAddress, logins } = settings.limits;
  return [
    rateLimit({
      ...COMMON,
      limit: ({ path }, res) =>
        stateOf(res).identity.principal.kind === 'anonymous' && !isSystemPath(path) ? perAddress : perPrincipal,
      skip: ({ path }) => UNLIMITED.has(path),
      keyGenerator: ({ ip, path }, res) => {
        const { kind, id } = stateOf(res).identity.principal;
        if (kind !== 'anonymous') return `${kind}/${id}`;
        return isSystemPath(path) ? `${ipKeyGenerator(ip ?? '')} ${path}` : ipKeyGenerator(ip ?? '');
      },
    }),
    rateLimit({
      ...COMMON,
      limit: logins,
      skip: ({ path, method }) => method !== 'POST' || !LOGIN_PATHS.has(path),
      keyGenerator: ({ ip }) => ipKeyGenerator(ip ?? ''),
    }),
  ];
}

/** Outside systems sign what they send there, and send as much as a caller who is signed in. */
const isSystemPath = (path: string): boolean => /^\/v1\/(qimen|push|notify)\//.test(path);

const COMMON: Parameters<typeof rateLimit>[0] = {
  windowMs: WINDOW_MS,
  legacyHeaders: false,
  standardHeaders: false,
  // Behind a proxy that is not configured, callers share its address; that is for the operator to set, not to throw about.
  validate: false,
  handler: (req, _res, next) => {
    const resetTime =
      (req as { rateLimit?: { resetTime?: Date } }).rateLimit?.resetTime?.getTime() ?? Date.now() + WINDOW_MS;
    next(new Problem('rate_limited', { retryAfterSec: Math.max(1, Math.ceil((resetTime - Date.now()) / 1000)) }));
  },
};
