import express from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ApiDeps } from './deps.ts';
import { Problem, invalidField } from './errors.ts';
import { idempotentRequest, runIdempotent, updateIdOf } from './idempotency.ts';
import { problemReply, sendText } from './problem-answer.ts';
import { auditActorOf, stateOf } from './request-state.ts';
import type { Reply, Route, RouteContext } from './route.ts';
import { problemOf } from './schemas.ts';
import { toTextReply } from './text-reply.ts';
import type { TextReply } from './text-reply.ts';

const BODY_LIMIT_BYTES = 256 * 1024;
const NOTHING = z.strictObject({});
const HAS_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** The handlers of one route, in order: role, body, then everything else. */
export function routeHandlers(route: Route, deps: ApiDeps): RequestHandler[] {
  const handlers: RequestHandler[] = [guard(route)];
  if (HAS_BODY.has(route.method)) handlers.push(...bodyReaders(route));
  return [...handlers, runRoute(route, deps)];
}

const guard = (route: Route): RequestHandler =>
  function guard(_req, res, next) {
    const state = stateOf(res);
    state.route = route;
    if (route.access === 'public') return next();
    if (state.identity.principal.kind === 'anonymous')
      throw state.authError ?? new Problem('unauthenticated', { detail: 'Send Authorization: Bearer <token>' });
    if (!state.identity.ability.can(route.access.action, route.access.subject))
      throw new Problem('forbidden', { detail: 'No role of yours may do this' });
    next();
  };

function bodyReaders(route: Route): RequestHandler[] {
  const limit = route.bodyLimitBytes ?? BODY_LIMIT_BYTES;
  if (route.raw) return [express.raw({ limit, type: () => true })];
  const type = route.form ? 'application/x-www-form-urlencoded' : ['application/json', 'application/*+json'];
  const parser = route.form
    ? express.urlencoded({ extended: false, limit, type })
    : express.json({ limit, strict: false, type });
  return [
    function checkType(req, _res, next) {
      // `false`: a body of another type; `null`: none.
      if (req.headers['content-length'] !== '0' && req.is(type) === false) throw new Problem('unsupported_media_type');
      next();
    },
    parser,
  ];
}

const runRoute = (route: Route, deps: ApiDeps): RequestHandler =>
  async function runRoute(req, res) {
    try {
      const context = contextOf(route, deps, req, res);
      const key = route.idempotent
        ? idempotentRequest(header(req, 'idempotency-key'), context.principal, req.path, req.body, deps)
        : undefined;
      if (!key) return await send(res, await route.handler(context), route);
      const keyed = { ...context, idempotencyKey: updateIdOf(key) };
      sendText(res, await runIdempotent(key, deps, () => settled(keyed, route)));
    } catch (error) {
      if (res.headersSent) res.destroy(error as Error);
      else sendText(res, await problemReply(error, req, res, deps));
    }
  };

/** Answers that are remembered include refusals, so those are made into answers here. */
async function settled(context: RouteContext, route: Route): Promise<TextReply> {
  try {
    return toTextReply(await route.handler(context), route);
  } catch (error) {
    return problemReply(error, context.req, context.res, context.deps);
  }
}

async function send(res: Response, reply: Reply, route: Route): Promise<void> {
  if (!reply.stream) return sendText(res, toTextReply(reply, route));
  const { status, headers } = toTextReply({ ...reply, body: undefined }, route);
  res.status(status);
  res.setHeader('Content-Type', route.success.contentType ?? 'application/octet-stream');
  res.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  await pipeline(reply.stream, res);
}

function contextOf(route: Route, deps: ApiDeps, req: Request, res: Response): RouteContext {
  const { identity, requestId, from } = stateOf(res);
  const { principal, ability, sid } = identity;
  const params = parse(route.params, req.params, 'params');
  const query = parse(route.query, readQuery(req.url), 'query');
  const body = bodyOf(route, req);
  const ifMatch = readIfMatch(header(req, 'if-match'));
  const actor = { kind: principal.kind === 'anonymous' ? 'system' : principal.kind, id: principal.id } as const;
  return {
    params,
    query,
    body,
    principal,
    ability,
    ...(sid === undefined ? {} : { sid }),
    requestId,
    ip: from.ip ?? '',
    actor: auditActorOf(principal),
    from,
    origin: { actor, ...from },
    ...(ifMatch === undefined ? {} : { ifMatch }),
    deps,
    req,
    res,
  };
}

function bodyOf(route: Route, req: Request): unknown {
  if (!HAS_BODY.has(route.method)) return {};
  if (route.raw) return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  return parse(route.body, req.body, 'body');
}

function parse(schema: z.ZodType | undefined, value: unknown, where: 'body' | 'query' | 'params'): unknown {
  // A route that says nothing takes nothing, and an empty body is as good as none.
  const parsed = schema ? schema.safeParse(value) : NOTHING.safeParse(value ?? {});
  if (!parsed.success) throw problemOf(parsed.error, where);
  return parsed.data;
}

/** Each parameter once: which of two would count is nobody's guess. */
function readQuery(url: string): Record<string, string> {
  const start = url.indexOf('?');
  const query: Record<string, string> = {};
  if (start === -1) return query;
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (Object.hasOwn(query, name)) throw invalidField(name.slice(0, 100), 'is given more than once');
    Object.defineProperty(query, name, { value, enumerable: true, configurable: true });
  }
  return query;
}

/** `"3"`, `3` and `W/"3"`, which a compressing proxy makes of it, are revision 3; `*` is any. */
function readIfMatch(value: string | undefined): number | undefined {
  if (value === undefined || value.trim() === '*') return undefined;
  const [, quoted, bare] = /^(?:(?:W\/)?"(\d{1,15})"|(\d{1,15}))$/.exec(value.trim()) ?? [];
  const revision = quoted ?? bare;
  if (revision === undefined) throw invalidField('If-Match', 'must be one revision, e.g. "3"');
  return Number(revision);
}

const header = (req: Request, name: string): string | undefined => {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};
