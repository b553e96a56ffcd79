import type { ApiDeps } from '../deps.ts';
import type { Route } from '../route.ts';
import { createCommandRoutes } from './command-routes.ts';
import { createIntakeRoutes } from './create-order-routes.ts';
import { createMergeRoutes } from './merge-routes.ts';

/** Everything that takes orders in and changes them. */
export const createOrderWriteRoutes = (deps: ApiDeps): Route[] => [
  ...createIntakeRoutes(deps),
  ...createMergeRoutes(deps),
  ...createCommandRoutes(deps),
];
