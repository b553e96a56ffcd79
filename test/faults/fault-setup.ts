import { randomBytes } from 'node:crypto';
import type { Instance } from '../../bench/instance.ts';
import { signedIn } from '../../simulators/rest-client.ts';
import { CarefulCaller, type CallTally } from './careful-caller.ts';
import { AUTO_COMPLETE_SEC, EAST, SOUTH, type Units } from './order-paths.ts';
import { SHOP, type Cast } from './order-story.ts';

const PLENTY = 10_000;
/** F-RARE is received by who needs it, F-NEVER by nobody. */
const STOCK: Record<string, string[]> = {
  [EAST]: ['F-TEE', 'F-MUG', 'F-EAST'],
  [SOUTH]: ['F-TEE', 'F-MUG', 'F-SOUTH'],
};

export interface Crew {
  admin: CarefulCaller;
  cast: Cast;
  apiKey: string;
}

/** The administrator, and people with their rights. */
export const hireCrew = async (
  { url, adminPassword }: Pick<Instance<'api'>, 'url' | 'adminPassword'>,
  tally: CallTally,
  signal: AbortSignal,
): Promise<Crew> => {
  const caller = (authorize: () => Promise<string>) => new CarefulCaller({ url, authorize, tally, signal });
  const admin = caller(signedIn(url, 'admin', adminPassword));
  const password = randomBytes(12).toString('base64url');
  const person = async (role: string) => {
    const username = `faults-${role}`;
    await admin.post('/v1/users', { username, password, displayName: role, roles: [role] });
    const authorize = signedIn(url, username, password);
    await authorize();
    return caller(authorize);
  };
  const { apiKey } = await admin.post<{ apiKey: string }>('/v1/api-keys', { name: 'faults', roles: ['service'] });
  const [operations, finance] = [await person('operations'), await person('finance')];
  return { admin, cast: { service: caller(async () => apiKey), operations, finance }, apiKey };
};

/** Orders complete soon after their delivery. */
export const shortenCompletion = async (admin: CarefulCaller): Promise<void> => {
  const { revision: _, ...timers } = await admin.get<{ revision: number }>('/v1/config/timers');
  await admin.put('/v1/config/timers', { ...timers, autoComplete: `PT${AUTO_COMPLETE_SEC}S` });
};

/** Brings plenty of goods into warehouses; returns the units by SKU. */
export const stockUp = async (admin: CarefulCaller, stock: Readonly<Record<string, string[]>>): Promise<Units> => {
  const received: Units = {};
  for (const [warehouseId, skus] of Object.entries(stock)) {
    const lines = skus.map((skuCode) => ({ skuCode, quantity: PLENTY }));
    await admin.post('/v1/stock/receipts', { warehouseId, lines });
    for (const sku of skus) received[sku] = (received[sku] ?? 0) + PLENTY;
  }
  return received;
};

/** A shop, two warehouses with goods, people with their rights, and a short time to completion. */
export const setUp = async (
  instance: Pick<Instance<'api'>, 'url' | 'adminPassword'>,
  tally: CallTally,
  signal: AbortSignal,
): Promise<{ cast: Cast; apiKey: string; received: Units }> => {
  const { admin, cast, apiKey } = await hireCrew(instance, tally, signal);
  await admin.put(`/v1/shops/${SHOP}`, { channel: 'own', name: 'Faults', currency: 'CNY', credentials: {} });
  await admin.put(`/v1/warehouses/${EAST}`, { name: 'East', province: '浙江省', city: '杭州市' });
  await admin.put(`/v1/warehouses/${SOUTH}`, { name: 'South', province: '广东省', city: '深圳市' });
  await shortenCompletion(admin);
  return { cast, apiKey, received: await stockUp(admin, STOCK) };
};
