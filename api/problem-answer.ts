import type { ErrorRequestHandler, Request, Response } from 'express';
import type { ApiDeps } from './deps.ts';
import type { Problem, ProblemCode } from './errors.ts';
import { auditActorOf, stateOf } from './request-state.ts';
import { toProblem } from './to-problem.ts';
import { toTextReply, type TextReply } from './text-reply.ts';

const AUDITED: readonly ProblemCode[] = [
  'forbidden',
  'not_an_approver',
  'self_approval',
  'action_not_allowed',
  'already_signed',
  'rule_violation',
];

type Parts = Pick<ApiDeps, 'logger' | 'refusals'>;

/** Turns an error into the answer, logs what is our fault and audits what was refused to somebody known. */
export async function problemReply(error: unknown, req: Request, res: Response, parts: Parts): Promise<TextReply> {
  const { requestId, identity, route, from } = stateOf(res);
  const problem = toProblem(error);
  if (problem.status >= 500) {
    const fields = { requestId, operation: route?.operationId, error: problem.cause ?? problem };
    if (problem.code === 'internal_error') parts.logger.error('A request failed', fields);
    else parts.logger.warn('A request could not be served', fields);
  }
  if (route?.answerProblem) return toTextReply(await route.answerProblem(problem, req, from), route);
  const { principal } = identity;
  if (route && route.method !== 'GET' && principal.kind !== 'anonymous' && AUDITED.includes(problem.code))
    await parts.refusals.record(auditActorOf(principal), from, 'request.refused', {
      operation: route.operationId,
      target: req.path.slice(0, 200),
      code: problem.code,
    });
  return {
    status: problem.status,
    headers: headersOf(problem),
    body: JSON.stringify(problem.toBody(requestId)),
  };
}

function headersOf(problem: Problem): Record<string, string> {
  const { retryAfterSec, headers } = problem.options;
  return {
    'Content-Type': 'application/problem+json; charset=utf-8',
    ...(problem.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(problem.status === 503 || retryAfterSec !== undefined ? { 'Retry-After': String(retryAfterSec ?? 2) } : {}),
    ...headers,
  };
}

/** Last of all: errors of the body parser and of express itself. */
export const problemHandler = (parts: Parts): ErrorRequestHandler =>
  async function problemHandler(error, req, res, next) {
    if (res.headersSent) return next(error);
    const reply = await problemReply(error, req, res, parts);
    // What is left of a body that was refused is not read, so the connection cannot be used again.
    if (!req.complete) res.setHeader('Connection', 'close');
    sendText(res, reply);
  };

export function sendText(res: Response, { status, headers, body }: TextReply): void {
  res.status(status);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store');
  res.end(body);
}
