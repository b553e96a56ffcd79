import express from 'express';
import type { Express, RequestHandler } from 'express';
import helmet from 'helmet';
import { authenticate } from './authenticate.ts';
import { codecCors } from './codec-cors.ts';
import type { ApiDeps } from './deps.ts';
import { Problem } from './errors.ts';
import { problemHandler } from './problem-answer.ts';
import { rateLimits } from './rate-limits.ts';
import { beginRequest } from './request-state.ts';
import type { Route } from './route.ts';
import { RouteTable } from './route-table.ts';
import { routeHandlers } from './run-route.ts';
import { createSystemRoutes } from './system/system-routes.ts';

/** The whole API. Only what is declared as a route is mounted; a route that the policy does not know is refused here. */
export function createApp(deps: ApiDeps, routes: readonly Route[]): Express {
  const table = new RouteTable([...routes, ...createSystemRoutes(deps, () => table)]);
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  app.set('trust proxy', trustProxy(deps.settings.trustProxy));
  // One resource, one path: idempotency keys and limits are kept per path.
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(beginRequest(deps));
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    }),
  );
  app.use(codecCors(deps));
  app.use(authenticate(deps));
  app.use(rateLimits(deps));
  for (const route of table.routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
    app[method](route.path.replace(/\{(\w+)\}/g, ':$1'), ...routeHandlers(route, deps));
  }
  app.use(unknownRoute(table));
  app.use(problemHandler(deps));
  return app;
}

const unknownRoute = (table: RouteTable): RequestHandler =>
  function unknownRoute(req) {
    const methods = table.methodsAt(req.path);
    if (methods.length === 0) throw new Problem('not_found', { detail: 'There is nothing at this path' });
    throw new Problem('method_not_allowed', { headers: { Allow: methods.join(', ') } });
  };

/** A number of proxies, or their addresses; none unless told, because anybody can send `X-Forwarded-For`. */
const trustProxy = (setting: string | undefined): number | string | false => {
  if (setting === undefined || setting === '') return false;
  return /^\d+$/.test(setting) ? Number(setting) : setting;
};
