import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_PEOPLE, DEMO_SHOP, DEMO_TIMERS, DEMO_WAREHOUSES } from './demo-setup.ts';
import { RestClient, signedIn } from './rest-client.ts';

/** Who acts in the demo, each with their own rights. */
export interface DemoCast {
  shopId: string;
  admin: RestClient;
  merchant: RestClient;
  warehouse: RestClient;
  operations: RestClient;
  finance: RestClient;
  /** Seconds of the demo's own pace. */
  pause(seconds: number): Promise<void>;
}

/** Makes the demo's people, its own shop and the warehouses that are worked through REST; again changes nothing. */
export const setUpDemo = async (baseUrl: string, password: string, signal: AbortSignal): Promise<DemoCast> => {
  const as = (username: string) => new RestClient(baseUrl, signal, signedIn(baseUrl, username, password));
  const admin = as('demo-admin');
  const known = (await admin.get<{ items: { username: string }[] }>('/v1/users?limit=200')).items.map(
    ({ username }) => username,
  );
  for (const [username, role] of Object.entries(DEMO_PEOPLE))
    if (!known.includes(username))
      await admin.post('/v1/users', {
        username,
        password,
        displayName: username.replace('demo-', 'Demo '),
        roles: [role],
      });
  for (const [id, warehouse] of Object.entries(DEMO_WAREHOUSES)) await admin.put(`/v1/warehouses/${id}`, warehouse);
  await admin.put(`/v1/shops/${DEMO_SHOP}`, { channel: 'own', name: 'Demo shop', currency: 'CNY', credentials: {} });
  await shortenTimers(admin);
  const { apiKey } = await admin.post<{ apiKey: string }>('/v1/api-keys', {
    name: 'demo shop',
    roles: ['service'],
    expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  });
  return {
    shopId: DEMO_SHOP,
    admin,
    merchant: new RestClient(baseUrl, signal, async () => apiKey),
    warehouse: as('demo-warehouse'),
    operations: as('demo-operations'),
    finance: as('demo-finance'),
    pause: (seconds) => sleep(seconds * 1000, undefined, { signal }),
  };
};

/** Once: what an operator has set since stays. */
const shortenTimers = async (admin: RestClient): Promise<void> => {
  const { revision, ...content } = await admin.get<{ revision: number }>('/v1/config/timers');
  if (revision <= 1) await admin.put('/v1/config/timers', { ...content, ...DEMO_TIMERS });
};

/** Fills a warehouse up wherever it has fewer than so many of an article. */
export const refill = async (
  { warehouse }: Pick<DemoCast, 'warehouse'>,
  warehouseId: string,
  skuCodes: readonly string[],
  least: number,
): Promise<void> => {
  const { items } = await warehouse.get<{ items: { skuCode: string; available: number }[] }>(
    `/v1/stock?warehouseId=${warehouseId}&limit=200`,
  );
  const lines = skuCodes
    .filter((sku) => (items.find(({ skuCode }) => skuCode === sku)?.available ?? 0) < least)
    .map((skuCode) => ({ skuCode, quantity: least }));
  if (lines.length > 0) await warehouse.post('/v1/stock/receipts', { warehouseId, lines });
};
