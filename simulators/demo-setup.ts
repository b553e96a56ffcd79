import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const DEMO_SHOP = 'demo';
export const DEMO_PLATFORM_SHOP = 'demo-taobao';
/** Worked by its own system, and the only one with the goods of the platform's shop. */
export const DEMO_WMS_WAREHOUSE = 'demo-wms';

/** Roles of the demo's people; each signs in with the demo password. */
export const DEMO_PEOPLE = {
  'demo-agent': 'cs_agent',
  'demo-supervisor': 'cs_supervisor',
  'demo-finance': 'finance',
  'demo-operations': 'operations',
  'demo-warehouse': 'warehouse',
  'demo-auditor': 'auditor',
} as const;

/** Made at the first start and kept beside the data, so that a second start can sign in again. */
export const demoPassword = (dataDir: string): string => {
  const file = join(dataDir, 'demo-password');
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(12).toString('base64url')}\n`, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
};

/** What simulated systems and OrderHub know each other by: of this data folder alone, and the same at the next start. */
export const demoSecret = (dataDir: string, name: string): string =>
  createHmac('sha256', demoPassword(dataDir)).update(name).digest('hex').slice(0, 32);

export const DEMO_WAREHOUSES = {
  'demo-hz': { name: 'Demo Hangzhou', province: '浙江省', city: '杭州市' },
  'demo-sz': { name: 'Demo Shenzhen', province: '广东省', city: '深圳市' },
};

/** Short enough to see an order's whole life within a minute. */
export const DEMO_TIMERS = { paymentTimeout: 'PT90S', autoComplete: 'PT10S' };
