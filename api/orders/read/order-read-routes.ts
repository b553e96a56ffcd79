import { OrderStore } from '../../../models/order-store.ts';
import type { ApiDeps } from '../../deps.ts';
import type { Route } from '../../route.ts';
import { createExportRoutes } from './export-routes.ts';
import { createOrderListRoutes } from './order-list-routes.ts';
import { createRevealRoutes } from './reveal-routes.ts';
import { createTimelineRoutes } from './timeline-routes.ts';

export interface OrderReadOptions {
  /** Default 100. */
  revealsPerDay?: number;
  /** Default 200,000. */
  exportLimit?: number;
}

/** Everything that shows orders. */
export const createOrderReadRoutes = (deps: ApiDeps, options: OrderReadOptions = {}): Route[] => {
  const orders = new OrderStore(deps.connection);
  return [
    ...createOrderListRoutes(deps, orders),
    ...createTimelineRoutes(deps, orders),
    ...createRevealRoutes(deps, orders, options),
    ...createExportRoutes(deps, orders, options),
  ];
};
