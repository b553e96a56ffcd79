import type { Request, RequestHandler } from 'express';
import type { ApiDeps } from './deps.ts';
import { Problem } from './errors.ts';
import { stateOf } from './request-state.ts';

export const CODEC_COOKIE = 'orderhub_codec';

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i;

/** Finds out who asks. Whether that is enough is for the route to say, so nothing is refused here. */
export const authenticate = (deps: ApiDeps): RequestHandler =>
  async function authenticate(req, res, next) {
    const state = stateOf(res);
    try {
      const { authorization } = req.headers;
      const codecToken = authorization === undefined ? codecTokenOf(req, deps.settings.uiOrigins) : undefined;
      if (codecToken !== undefined)
        state.identity = await deps.authenticator.byToken(codecToken, state.from, 'orderhub-codec');
      else if (authorization !== undefined) {
        const [, credential] = BEARER.exec(authorization) ?? [];
        if (credential === undefined)
          throw new Problem('unauthenticated', { detail: 'Send Authorization: Bearer <token>' });
        state.identity = await deps.authenticator.identify(credential, state.from);
      }
    } catch (error) {
      state.authError = error;
    }
    next();
  };

/** The cookie counts at the codec endpoint only, and only for the UI's own pages. */
function codecTokenOf(req: Request, uiOrigins: readonly string[]): string | undefined {
  if (!req.path.startsWith('/v1/codec/') || !uiOrigins.includes(req.headers.origin ?? '')) return undefined;
  for (const part of (req.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === CODEC_COOKIE) return value;
  }
  return undefined;
}
