import type { Request, Response } from 'express';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Origin } from '../domain/order-messages.ts';
import type { AuditActor, AuditFrom } from '../models/audit-log.ts';
import type { Action, AppAbility, Principal, SubjectName } from './auth/policy.ts';
import type { ApiDeps } from './deps.ts';
import type { Problem, ProblemCode } from './errors.ts';

/** `public` routes have no principal; every other needs a role that the policy grants the pair to. */
export type Access = { readonly action: Action; readonly subject: SubjectName } | 'public';

export interface RouteContext<P = unknown, Q = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal;
  readonly ability: AppAbility;
  /** The session of a person's token. */
  readonly sid?: string;
  readonly requestId: string;
  readonly ip: string;
  /** Who and from where, for messages to workflows (`origin`) and for audit entries (`actor`, `from`). */
  readonly origin: Origin;
  readonly actor: AuditActor;
  readonly from: AuditFrom;
  /** The revision of `If-Match`. */
  readonly ifMatch?: number;
  /** One per caller, path, `Idempotency-Key` and body; fit for the id of a workflow update. */
  readonly idempotencyKey?: string;
  readonly deps: ApiDeps;
  readonly req: Request;
  readonly res: Response;
}

export interface Reply {
  readonly status: number;
  /** JSON, unless the route's `success` says another content type: then text or bytes. */
  readonly body?: unknown;
  /** Sent in place of `body`. */
  readonly stream?: Readable;
  /** Becomes the `ETag`. */
  readonly revision?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteSuccess {
  readonly status: number;
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Other than `application/json`. */
  readonly contentType?: string;
  /** Further statuses with the same body, e.g. 200 where a repeat is answered. */
  readonly also?: Readonly<Record<number, string>>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With parameters in braces: `/v1/orders/{orderId}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Default 256 KiB. */
  readonly bodyLimitBytes?: number;
  /** A form posted by a page of ours, in place of JSON. */
  readonly form?: boolean;
  /** The body of any type as the bytes that came, in place of JSON: what others sign is their bytes. */
  readonly raw?: boolean;
  readonly success: RouteSuccess;
  /** What it answers besides the problems that follow from the declaration; for the OpenAPI document. */
  readonly problems?: readonly ProblemCode[];
  /** Honours `Idempotency-Key`. */
  readonly idempotent?: boolean;
  /** Absent from the OpenAPI document: pages and their files. */
  readonly hidden?: boolean;
  /** In place of a problem document, for callers that know another form of refusal. */
  readonly answerProblem?: (problem: Problem, req: Request, from: AuditFrom) => Promise<Reply>;
  readonly handler: (ctx: RouteContext) => Promise<Reply>;
}

type Output<T> = T extends z.ZodType ? z.output<T> : Record<string, never>;

interface TypedRoute<P, Q, B> extends Omit<Route, 'params' | 'query' | 'body' | 'handler'> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly handler: (ctx: RouteContext<Output<P>, Output<Q>, Output<B>>) => Promise<Reply>;
}

/**
 * Declares a route. The app checks role, parameters, query and body (strictly, by these schemas) before the handler
 * runs, and the OpenAPI document is made from the same. Handlers answer with a reply or throw a `Problem`.
 */
export function defineRoute<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(route: TypedRoute<P, Q, B>): Route {
  return route as unknown as Route;
}
