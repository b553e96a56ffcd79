import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import type { RouteTable } from '../route-table.ts';
import { createDocsRoutes } from './docs-routes.ts';
import { createLogLevelRoutes } from './log-level-routes.ts';
import { openApiText } from './openapi.ts';

const readinessSchema = z.object({
  status: z.enum(['ready', 'unavailable']),
  dependencies: z.record(z.string(), z.enum(['up', 'down'])),
});

/** What every API has beside its resources. `table` is asked for only when the document is read. */
export function createSystemRoutes(deps: ApiDeps, table: () => RouteTable): Route[] {
  let document: string | undefined;
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      operationId: 'healthz',
      tag: 'system',
      summary: 'Alive',
      access: 'public',
      success: { status: 200, schema: z.object({ status: z.literal('ok') }), description: 'Alive' },
      handler: async () => ({ status: 200, body: { status: 'ok' } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      operationId: 'readyz',
      tag: 'system',
      summary: 'Ready, with the state of each dependency',
      access: 'public',
      success: {
        status: 200,
        schema: readinessSchema,
        description: 'Ready',
        also: { 503: 'A dependency is down, or the process is stopping' },
      },
      handler: async () => {
        const { ready, dependencies } = await deps.readiness.report();
        const body = { status: ready ? 'ready' : 'unavailable', dependencies };
        return { status: ready ? 200 : 503, body, ...(ready ? {} : { headers: { 'Retry-After': '2' } }) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/metrics',
      operationId: 'metrics',
      tag: 'system',
      summary: 'Measurements for Prometheus; with ORDERHUB_METRICS_TOKEN set, only for who sends it as bearer token',
      access: 'public',
      success: { status: 200, contentType: deps.metrics.contentType, description: 'Prometheus text' },
      handler: async ({ req }) => {
        assertMetricsToken(req.headers.authorization, deps.settings.metricsToken);
        return { status: 200, body: await deps.metrics.render() };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'openapi',
      tag: 'system',
      summary: 'This document',
      access: 'public',
      success: { status: 200, contentType: 'application/json; charset=utf-8', description: 'OpenAPI 3.1' },
      handler: async () => {
        document ??= openApiText(table().routes, deps.settings.publicUrl);
        return { status: 200, body: document, headers: { 'Cache-Control': 'public, max-age=300' } };
      },
    }),
    ...createDocsRoutes(),
    ...createLogLevelRoutes(deps),
  ];
}

function assertMetricsToken(authorization: string | undefined, token: string | undefined): void {
  if (token === undefined) return;
  const given = Buffer.from(authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new Problem('unauthenticated', { detail: 'Send the metrics token as bearer token' });
}
