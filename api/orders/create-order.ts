import { orderIdOf } from '../../domain/ids.ts';
import type { IntakeStore } from '../../models/intake-store.ts';
import type { OrderRecord } from '../../models/order-records.ts';
import type { OrderFields } from '../../models/step-committer.ts';
import type { OrderStore } from '../../models/order-store.ts';
import type { OrderWatch } from '../../models/order-watch.ts';
import type { ShopRecord, ShopStore } from '../../models/shop-records.ts';
import type { SkuMappingStore } from '../../models/sku-mapping-records.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Sealer } from '../../runtime/sealing.ts';
import { TtlCache } from '../auth/ttl-cache.ts';
import { assertInScope } from '../auth/scope.ts';
import { Problem } from '../errors.ts';
import type { RouteContext } from '../route.ts';
import { intakeRecord, isSameContent } from './intake.ts';
import type { OrderDeskClient } from './order-desk-client.ts';
import { assertCurrency, ruleViolation } from './order-prices.ts';
import type { NewOrder } from './order-schemas.ts';
import type { OrderStarter } from './order-starter.ts';

export interface CreateOrderDeps {
  shops: Pick<ShopStore, 'byId'>;
  mappings: SkuMappingStore;
  intake: IntakeStore;
  orders: OrderStore;
  watch: OrderWatch;
  starter: OrderStarter;
  desk: OrderDeskClient;
  sealer: Sealer;
  metrics: Metrics;
  logger: Logger;
}

export interface CreatedOrder {
  record: OrderFields;
  /** False when the same order had been taken in before. */
  isNew: boolean;
}

/** A shop's channel and currency hardly ever change. */
const SHOP_CACHE_MS = 2000;
/** How long the answer waits for the order's first step, so that it shows what was reserved, also of hundreds at once. */
const FIRST_STEP_WITHIN_MS = 5000;

/** Takes an order in: stores it first, then starts its workflow. Once it is stored, it is taken in, whatever else is down. */
export const createOrder = (deps: CreateOrderDeps) => {
  const shops = new TtlCache((shopId) => deps.shops.byId(shopId), SHOP_CACHE_MS, 1000);
  return async (ctx: Pick<RouteContext, 'ability' | 'origin'>, body: NewOrder): Promise<CreatedOrder> => {
    const shop = await shopInScope(shops, ctx, body);
    const orderId = orderIdOf(shop.shopId, body.platformOrderId);
    const skuCodes = await deps.mappings.skuCodesOf(shop.shopId, platformSkusOf(body));
    const { origin } = ctx;
    const now = new Date().toISOString();
    const record = intakeRecord({ body, shop, skuCodes, origin, sealer: deps.sealer, now });
    const isNew = await deps.intake.insert(record);
    if (!isNew) return { record: await knownOrder(deps, orderId, body), isNew };
    deps.metrics.orderReceived(shop.channel);
    // Waited for from before the start: the first step may be written before the start has been answered.
    const firstStep = deps.watch.waitFor(orderId, 1, FIRST_STEP_WITHIN_MS);
    if (!(await isStarted(deps, record))) return { record, isNew };
    await tellMissedMappings(deps, record);
    if (!(await firstStep)) return { record, isNew };
    return { record: deps.watch.shown(orderId, 1) ?? (await deps.orders.byId(orderId)) ?? record, isNew };
  };
};

const shopInScope = async (
  shops: TtlCache<ShopRecord | null>,
  { ability }: Pick<RouteContext, 'ability'>,
  { shopId, currency, payments }: NewOrder,
): Promise<ShopRecord> => {
  assertInScope(ability, 'create', 'Order', { shopId });
  const shop = await shops.get(shopId);
  if (!shop) {
    // It may be made in the next moment.
    shops.delete(shopId);
    throw new Problem('not_found', { detail: `There is no shop ${shopId}` });
  }
  if (shop.channel !== 'own')
    throw ruleViolation({ path: 'shopId', message: `is a shop on ${shop.channel}; its orders come from there` });
  if (currency !== shop.currency)
    throw ruleViolation({ path: 'currency', message: `is ${currency}, the shop sells in ${shop.currency}` });
  payments.forEach((payment, index) => assertCurrency(payment.currency, currency, `payments.${index}.currency`));
  return shop;
};

const platformSkusOf = ({ lines }: NewOrder): string[] =>
  lines.flatMap(({ platformSku }) => (platformSku === undefined ? [] : [platformSku]));

/** The same content again changes nothing, but an order that no workflow has taken up is started. */
const knownOrder = async (deps: CreateOrderDeps, orderId: string, body: NewOrder): Promise<OrderRecord> => {
  const known = await deps.orders.byId(orderId);
  if (!known) throw new Problem('unavailable');
  if (!isSameContent(body, known.contentHash, deps.sealer))
    throw new Problem('conflict', { detail: `Order ${orderId} is known with other content` });
  if (known.revision > 0) return known;
  const firstStep = deps.watch.waitFor(orderId, 1, FIRST_STEP_WITHIN_MS);
  if (!(await isStarted(deps, known)) || !(await firstStep)) return known;
  return (await deps.orders.byId(orderId)) ?? known;
};

const isStarted = async ({ starter, logger }: CreateOrderDeps, record: OrderRecord): Promise<boolean> => {
  try {
    await starter.start(record);
    return true;
  } catch (error) {
    logger.warn('An order is stored and will be started later', { orderId: record._id, error });
    return false;
  }
};

/** A SKU that was mapped between our look and our insert would else be waited for without end. */
const tellMissedMappings = async ({ mappings, desk, logger }: CreateOrderDeps, record: OrderRecord): Promise<void> => {
  const { shopId, lines } = record.snapshot;
  const unknown = lines.flatMap(({ skuCode, platformSku }) => (skuCode === null && platformSku ? [platformSku] : []));
  try {
    for (const [platformSku, skuCode] of await mappings.skuCodesOf(shopId, unknown))
      await desk.tellSkuMapped(record._id, { platformSku, skuCode });
  } catch (error) {
    logger.warn('An order could not be told of a mapping', { orderId: record._id, error });
  }
};
