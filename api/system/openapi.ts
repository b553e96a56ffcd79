import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { statusOf } from '../errors.ts';
import type { ProblemCode } from '../errors.ts';
import type { Route } from '../route.ts';
import { problemSchema } from '../schemas.ts';

const PROBLEMS_OF_ALL: readonly ProblemCode[] = ['invalid_request', 'rate_limited', 'unavailable'];

/** The document of all routes that are not hidden, as text; made from the schemas that requests are checked with. */
export function openApiText(routes: readonly Route[], publicUrl: string | undefined): string {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes.filter(({ hidden }) => !hidden))
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  const document = createDocument({
    openapi: '3.1.0',
    info: {
      title: 'OrderHub',
      version: '1.0.0',
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Orders and refunds of all shops, orchestrated durably. Errors are `application/problem+json`; money is an integer in minor units; times are RFC 3339 in UTC.',
    },
    servers: [{ url: publicUrl ?? '/' }],
    tags: [...new Set(routes.filter(({ hidden }) => !hidden).map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token from `/v1/auth/login`, or an API key (`ohk_…`)',
        },
      },
    },
  });
  return JSON.stringify(document);
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const headers = headersOf(route);
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.access === 'public'
      ? { security: [] }
      : { 'x-access': `${route.access.action} ${route.access.subject}` }),
    requestParams: {
      ...(route.params ? { path: route.params as z.ZodObject } : {}),
      ...(route.query ? { query: route.query as z.ZodObject } : {}),
      ...(headers ? { header: headers } : {}),
    },
    ...(route.raw ? { requestBody: { content: { '*/*': { schema: { type: 'string', format: 'binary' } } } } } : {}),
    ...(route.body
      ? {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: route.body } },
          },
        }
      : {}),
    responses: responsesOf(route),
  };
}

function headersOf({ idempotent, method, access }: Route): z.ZodObject | undefined {
  const isCommand = method !== 'GET' && access !== 'public';
  const shape = {
    ...(idempotent
      ? {
          'Idempotency-Key': z.string().max(255).optional().meta({
            description: 'For 24 hours, the same key and body give the same answer',
          }),
        }
      : {}),
    ...(isCommand ? { 'If-Match': z.string().optional().meta({ description: 'The revision, e.g. "3"' }) } : {}),
  };
  return Object.keys(shape).length > 0 ? z.object(shape) : undefined;
}

function responsesOf(route: Route): ZodOpenApiResponsesObject {
  const { success } = route;
  const content = success.schema
    ? { 'application/json': { schema: success.schema } }
    : { [success.contentType ?? 'application/json']: { schema: z.string() } };
  const responses: ZodOpenApiResponsesObject = { [`${success.status}`]: { description: success.description, content } };
  for (const [status, description] of Object.entries(success.also ?? {}))
    responses[status as '200'] = { description, content };
  for (const [status, codes] of problemsOf(route))
    responses[`${status}` as '400'] ??= {
      description: codes.join(', '),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  return responses;
}

function problemsOf({ access, method, params, idempotent, problems = [] }: Route): Map<number, ProblemCode[]> {
  const isCommand = method !== 'GET' && access !== 'public';
  const codes: ProblemCode[] = [
    ...PROBLEMS_OF_ALL,
    ...(access === 'public' ? [] : (['unauthenticated', 'forbidden'] as const)),
    ...(params ? (['not_found'] as const) : []),
    ...(method === 'GET' ? [] : (['payload_too_large', 'unsupported_media_type'] as const)),
    ...(isCommand ? (['action_not_allowed', 'conflict', 'stale_revision', 'rule_violation'] as const) : []),
    ...(idempotent ? (['idempotency_key_reused'] as const) : []),
    ...problems,
  ];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  return byStatus;
}
