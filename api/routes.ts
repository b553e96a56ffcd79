import { createApiKeyRoutes } from './auth/api-key-routes.ts';
import { SignIn, createAuthRoutes } from './auth/auth-routes.ts';
import { createAuditRoutes } from './audit/audit-routes.ts';
import { createCodecLoginRoutes } from './codec/codec-login-routes.ts';
import { createCodecRoutes } from './codec/codec-routes.ts';
import { createConfigRoutes } from './config/config-routes.ts';
import { createCaseRoutes } from './cases/case-routes.ts';
import type { ApiDeps } from './deps.ts';
import { createOrderReadRoutes } from './orders/read/order-read-routes.ts';
import { createOrderWriteRoutes } from './orders/order-write-routes.ts';
import { createPushRoutes } from './push/push-routes.ts';
import { createQimenRoutes } from './qimen/qimen-routes.ts';
import type { Route } from './route.ts';
import { createBackfillRoutes } from './shops/backfill-routes.ts';
import { createShopRoutes } from './shops/shop-routes.ts';
import { createSyncRoutes } from './shops/sync-routes.ts';
import { createSkuMappingRoutes } from './sku-mappings/sku-mapping-routes.ts';
import { createStockRoutes } from './stock/stock-routes.ts';
import { createMeRoutes } from './users/me-routes.ts';
import { createUserRoutes } from './users/user-routes.ts';
import { createWarehouseRoutes } from './warehouses/warehouse-routes.ts';

/** Every resource; what is not in here is not served. */
export function createRoutes(deps: ApiDeps): Route[] {
  const signIn = new SignIn();
  return [
    ...createAuthRoutes(deps, signIn),
    ...createMeRoutes(deps, signIn),
    ...createUserRoutes(deps),
    ...createApiKeyRoutes(deps),
    ...createAuditRoutes(deps),
    ...createConfigRoutes(deps),
    ...createCodecRoutes(deps),
    ...createCodecLoginRoutes(deps, signIn),
    ...createOrderWriteRoutes(deps),
    ...createOrderReadRoutes(deps),
    ...createCaseRoutes(deps),
    ...createSkuMappingRoutes(deps),
    ...createShopRoutes(deps),
    ...createSyncRoutes(deps),
    ...createBackfillRoutes(deps),
    ...createPushRoutes(deps),
    ...createWarehouseRoutes(deps),
    ...createQimenRoutes(deps),
    ...createStockRoutes(deps),
  ];
}
