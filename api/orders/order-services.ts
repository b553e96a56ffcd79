import type { Connection } from 'mongoose';
import { CaseDesk } from '../../models/case-desk.ts';
import { commitHubOf } from '../../models/commit-hub.ts';
import { currentTimers } from '../../config/current-timers.ts';
import { IntakeStore } from '../../models/intake-store.ts';
import { OrderStore } from '../../models/order-store.ts';
import { OrderWatch } from '../../models/order-watch.ts';
import { ShopStore } from '../../models/shop-records.ts';
import { SkuMappingStore } from '../../models/sku-mapping-records.ts';
import type { ApiDeps } from '../deps.ts';
import { EndedOrders } from './ended-orders.ts';
import { OrderCommands } from './order-commands.ts';
import { OrderDeskClient } from './order-desk-client.ts';
import { OrderStarter } from './order-starter.ts';

/** What the routes that change orders share. */
export type OrderServices = ReturnType<typeof createOrderServices>;

const services = new WeakMap<Connection, OrderServices>();

/**
 * The one set of a process: limits and locks count only if everybody shares them. The first call registers its models on
 * the connection, so it comes before the indexes are made.
 */
export const orderServicesOf = (deps: Pick<ApiDeps, 'connection' | 'temporal' | 'configVersions'>): OrderServices => {
  let known = services.get(deps.connection);
  if (!known) services.set(deps.connection, (known = createOrderServices(deps)));
  return known;
};

const createOrderServices = (deps: Pick<ApiDeps, 'connection' | 'temporal' | 'configVersions'>) => {
  const { connection, temporal } = deps;
  const hub = commitHubOf(connection);
  const intake = new IntakeStore(connection);
  const orders = new OrderStore(connection);
  const desk = new OrderDeskClient(temporal);
  const timers = () => currentTimers(deps.configVersions);
  const starter = new OrderStarter(intake, desk, timers);
  const ended = new EndedOrders({ intake, committer: hub.committer, timers });
  const watch = new OrderWatch((orderId) => intake.revision(orderId));
  hub.onCommitted((orderId, revision, fields) => watch.notify(orderId, revision, fields));
  return {
    intake,
    orders,
    desk,
    timers,
    starter,
    ended,
    watch,
    commands: new OrderCommands({ intake, orders, watch, desk, ended, starter }),
    cases: new CaseDesk(connection),
    mappings: new SkuMappingStore(connection),
    shops: new ShopStore(connection),
  };
};
