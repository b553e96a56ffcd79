import type { ApiDeps } from '../deps.ts';
import type { Route } from '../route.ts';
import { createCommandRoutes } from './command-routes.ts';
import { createIntakeRoutes } from './create-order-routes.ts';
import { createMergeRoutes } from './merge-routes.ts';
import type { OrderServices } from './order-services.ts';

/** Everything that takes orders in and changes them. */
export const createOrderWriteRoutes = (deps: ApiDeps, services: OrderServices): Route[] => [
  ...createIntakeRoutes(deps, services),
  ...createMergeRoutes(deps, services),
  ...createCommandRoutes(deps, services),
];
