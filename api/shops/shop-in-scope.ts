import type { ShopRecord, ShopStore } from '../../models/shop-records.ts';
import type { Action } from '../auth/policy.ts';
import { assertInScope } from '../auth/scope.ts';
import { Problem } from '../errors.ts';
import type { RouteContext } from '../route.ts';
import { isCollected } from './wanted-schedules.ts';

/** 404 for a shop that is not there or not the caller's. */
export const shopInScope = async (
  shops: ShopStore,
  shopId: string,
  action: Action,
  { ability }: Pick<RouteContext, 'ability'>,
): Promise<ShopRecord> => {
  const shop = await shops.byId(shopId);
  if (!shop) throw new Problem('not_found');
  assertInScope(ability, action, 'Shop', { ...shop });
  return shop;
};

/** 422 for a shop whose orders come by another way: there is nothing that could be late, paused or made up for. */
export const collectedShopInScope: typeof shopInScope = async (...asked) => {
  const shop = await shopInScope(...asked);
  if (isCollected(shop)) return shop;
  throw new Problem('rule_violation', {
    detail:
      shop.channel === 'own'
        ? 'Orders of an own shop are posted to /v1/orders, not collected'
        : `Orders of shops on ${shop.channel} are not collected yet`,
  });
};
