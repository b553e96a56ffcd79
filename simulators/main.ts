import { setTimeout as sleep } from 'node:timers/promises';
import { Passwords } from '../api/auth/passwords.ts';
import { AuditLog } from '../models/audit-log.ts';
import { UserStore, userEntity } from '../models/users.ts';
import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { setUpDemo } from './demo-cast.ts';
import { startOutside, type DemoOutside } from './demo-outside.ts';
import { runOwnShop } from './demo-own-shop.ts';
import { runPlatformShop } from './demo-platform-shop.ts';
import { demoPassword } from './demo-setup.ts';
import { RestRefused } from './rest-client.ts';

/**
 * Development only: shops, warehouses and people whose orders go through every path of their life, over REST, with a
 * platform and a warehouse's system that are simulated in this process.
 */
export async function startSimulators(context: AppContext): Promise<RunningRole> {
  const { config, logger } = context;
  const stop = new AbortController();
  const apiUrl = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`;
  const outside = await startOutside({ dataDir: config.dataDir, apiUrl, logger }).catch((error: unknown) => {
    logger.error('The demo goes without a platform and a warehouse system', { error });
    return undefined;
  });
  const running = runDemo(context, { apiUrl, outside, signal: stop.signal }).catch((error: unknown) => {
    if (!stop.signal.aborted) logger.error('The demo ended', { error });
  });
  return {
    async stop() {
      stop.abort();
      await running;
      await outside?.stop();
    },
  };
}

interface DemoParts {
  apiUrl: string;
  outside: DemoOutside | undefined;
  signal: AbortSignal;
}

const runDemo = async (context: AppContext, { apiUrl, outside, signal }: DemoParts): Promise<void> => {
  const { config, logger } = context;
  const { dataDir } = config;
  const password = demoPassword(dataDir);
  await ensureDemoAdmin(context, password);
  await untilReady(apiUrl, signal);
  const cast = await setUpDemo(apiUrl, password, signal);
  const onPlatform = async (): Promise<void> => {
    if (outside) await runPlatformShop(cast, outside, { dataDir, logger, signal });
  };
  await Promise.all([
    runOwnShop(cast, logger, signal),
    onPlatform().catch((error: unknown) => {
      if (!signal.aborted) logger.error('The demo on the platform ended', { error });
    }),
  ]);
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
