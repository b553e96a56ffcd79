import { setTimeout as sleep } from 'node:timers/promises';
import { Passwords } from '../api/auth/passwords.ts';
import { AuditLog } from '../models/audit-log.ts';
import { UserStore, userEntity } from '../models/users.ts';
import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { RestClient, RestRefused, signedIn } from './rest-client.ts';
import { DEMO_PEOPLE, DEMO_SHOP, DEMO_TIMERS, DEMO_WAREHOUSES, demoPassword } from './demo-setup.ts';
import { finishLeftovers, STORIES, type DemoCast } from './demo-stories.ts';

/** A new order this often; with stories of about half a minute some eight orders are under way at once. */
const SECONDS_BETWEEN_ORDERS = 4;
const LEAST_STOCK = 200;

/** Development only: a shop, two warehouses and people whose orders go through every path of their life, over REST. */
export async function startSimulators(context: AppContext): Promise<RunningRole> {
  const stop = new AbortController();
  const running = runDemo(context, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) context.logger.error('The demo ended', { error });
  });
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}

const runDemo = async (context: AppContext, signal: AbortSignal): Promise<void> => {
  const { config, logger } = context;
  const baseUrl = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`;
  const password = demoPassword(config.dataDir);
  await ensureDemoAdmin(context, password);
  await untilReady(baseUrl, signal);
  const cast = await setUp(baseUrl, password, signal);
  finishLeftovers(cast).catch((error: unknown) => {
    if (!signal.aborted) logger.warn('Orders of the last demo stay open', { error });
  });
  const stories = Object.entries(STORIES);
  for (let turn = 0; !signal.aborted; turn += 1) {
    const [name, story] = stories[turn % stories.length] ?? [];
    if (name && story)
      story(cast).catch((error: unknown) => {
        if (!signal.aborted) logger.warn('A demo story ended early', { story: name, error });
      });
    if (turn % stories.length === 0)
      await refill(cast).catch((error: unknown) => logger.warn('No goods for the demo', { error }));
    await sleep(SECONDS_BETWEEN_ORDERS * 1000, undefined, { signal }).catch(() => undefined);
  }
};

/** The one thing that cannot be asked for over REST: whoever asks must be somebody. */
const ensureDemoAdmin = async ({ mongo }: AppContext, password: string): Promise<void> => {
  const users = new UserStore(mongo);
  if (await users.find('demo-admin')) return;
  const passwordHash = await new Passwords().hash(password);
  await new AuditLog(mongo).record(userEntity('demo-admin'), async (session) => {
    const at = new Date();
    const fields = {
      username: 'demo-admin',
      displayName: 'Demo administrator',
      passwordHash,
      roles: ['admin'],
      shopIds: null,
    };
    await users.insert(
      { ...fields, disabled: false, source: 'local', revision: 1, createdAt: at, updatedAt: at },
      session,
    );
    return {
      draft: {
        at,
        actor: { kind: 'system', id: 'demo' },
        from: {},
        action: 'user.created',
        after: { roles: ['admin'] },
      },
      result: true,
    };
  });
};

const untilReady = async (baseUrl: string, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const answer = await fetch(`${baseUrl}/readyz`, { signal }).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(300, undefined, { signal }).catch(() => undefined);
  }
  throw new RestRefused('stopped');
};

const setUp = async (baseUrl: string, password: string, signal: AbortSignal): Promise<DemoCast> => {
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

const refill = async ({ warehouse }: DemoCast): Promise<void> => {
  for (const warehouseId of Object.keys(DEMO_WAREHOUSES)) {
    const { items } = await warehouse.get<{ items: { skuCode: string; available: number }[] }>(
      `/v1/stock?warehouseId=${warehouseId}`,
    );
    const lines = ['DEMO-TEE', 'DEMO-MUG']
      .filter((sku) => (items.find(({ skuCode }) => skuCode === sku)?.available ?? 0) < LEAST_STOCK)
      .map((skuCode) => ({ skuCode, quantity: LEAST_STOCK }));
    if (lines.length > 0) await warehouse.post('/v1/stock/receipts', { warehouseId, lines });
  }
};
