import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { AuditActor, AuditFrom } from '../models/audit-log.ts';
import { ANONYMOUS, abilityOf } from './auth/policy.ts';
import type { Principal } from './auth/policy.ts';
import type { Identity } from './auth/user-directory.ts';
import type { ApiDeps } from './deps.ts';
import type { Route } from './route.ts';

/** What is known of a request while it is handled. */
export interface RequestState {
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly from: AuditFrom;
  identity: Identity & { sid?: string };
  /** Why nobody is signed in; thrown by routes that need somebody. */
  authError?: unknown;
  route?: Route;
}

export const NOBODY: Identity = { principal: ANONYMOUS, ability: abilityOf(ANONYMOUS) };

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;

export const stateOf = (res: Response): RequestState => res.locals['request'] as RequestState;

/** First of all: gives the request its id, and measures and logs it when it is answered. */
export const beginRequest = ({ logger, metrics }: Pick<ApiDeps, 'logger' | 'metrics'>): RequestHandler =>
  function beginRequest(req, res, next) {
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    const ip = plainAddress(req.ip);
    const state: RequestState = {
      requestId,
      startedAtMs: performance.now(),
      from: { ...(ip === undefined ? {} : { ip }), requestId },
      identity: NOBODY,
    };
    res.locals['request'] = state;
    res.setHeader('X-Request-Id', requestId);
    res.once('close', () => {
      const seconds = (performance.now() - state.startedAtMs) / 1000;
      // 499: the caller went away before the answer was complete.
      const status = res.writableFinished ? res.statusCode : 499;
      metrics.httpRequest({ method: req.method, route: state.route?.path, status, seconds });
      if (logger.isEnabled('http')) logger.http('Request', describe(req, state, status, seconds));
    });
    next();
  };

/** Ids are plain; what is escaped may be a name that was put in the place of one. */
const PLAIN_PATH = /^[A-Za-z0-9/._:-]*$/;

const loggedPath = (path: string, route: Route | undefined): string => {
  if (!route) return '(no route)';
  return PLAIN_PATH.test(path) ? path : route.path;
};

/** Without the query: it may hold a phone number. */
const describe = (req: Request, { requestId, route, identity }: RequestState, status: number, seconds: number) => ({
  requestId,
  method: req.method,
  path: loggedPath(req.path, route),
  status,
  durationMs: Math.round(seconds * 1000),
  caller: identity.principal.id,
});

const plainAddress = (ip: string | undefined): string | undefined => ip?.replace(/^::ffff:(?=\d+\.)/, '');

export const auditActorOf = ({ kind, id, name }: Principal): AuditActor => ({
  kind,
  id,
  ...(name === id ? {} : { name }),
});
