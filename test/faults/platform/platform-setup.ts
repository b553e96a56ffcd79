import type { Instance } from '../../../bench/instance.ts';
import { startOutside, type Outside } from '../../../bench/simulator-process.ts';
import type { Env } from '../../../runtime/embedded/tool-paths.ts';
import type { CallTally } from '../careful-caller.ts';
import { hireCrew, shortenCompletion, stockUp, type Crew } from '../fault-setup.ts';
import type { Units } from '../order-paths.ts';
import { REST_WAREHOUSE, WMS_WAREHOUSE } from './trade-paths.ts';
import { TAOBAO_SHOP } from './trade-story.ts';

const APP = { appKey: 'faults-app', appSecret: 'faults-app-secret' };
const SELLER = { nick: 'faults-seller', sessionKey: 'faults-session', refreshToken: 'faults-refresh' };
const WMS = { appKey: 'faults-wms-app', secret: 'faults-wms-secret', customerId: 'faults-owner' };
const EVERY_SEC = 10;
const STOCK: Record<string, string[]> = { [WMS_WAREHOUSE]: ['P-TEE', 'P-MUG'], [REST_WAREHOUSE]: ['P-REST'] };

/** The platform and the warehouse's system; nobody in them does anything that the run does not ask for. */
export const startOutsideOf = ({ url, folder }: Pick<Instance<'api'>, 'url' | 'folder'>, env: Env): Promise<Outside> =>
  startOutside({
    folder,
    env,
    taobao: { apps: [{ ...APP, sellers: [SELLER] }] },
    wms: {
      accounts: [{ ...WMS, warehouseId: WMS_WAREHOUSE, callbackUrl: `${url}/v1/qimen/${WMS_WAREHOUSE}` }],
      life: { pickAfterMs: null, packAfterMs: null, shipAfterMs: null, progress: ['PICK', 'PACKAGE'] },
      retry: { firstMs: 300, longestMs: 3000, timeoutMs: 10_000 },
    },
  });

/** A shop of the platform, a warehouse with a system and one without, goods, people, and a short time to completion. */
export const setUpPlatform = async (
  instance: Pick<Instance<'api'>, 'url' | 'adminPassword'>,
  outside: Outside,
  tally: CallTally,
  signal: AbortSignal,
): Promise<Crew & { received: Units }> => {
  const crew = await hireCrew(instance, tally, signal);
  const { admin } = crew;
  const { sessionKey, refreshToken } = SELLER;
  await admin.put(`/v1/warehouses/${WMS_WAREHOUSE}`, {
    name: 'East',
    province: '浙江省',
    city: '杭州市',
    wms: { type: 'qimen', baseUrl: `${outside.wms.origin}/qimen`, ...WMS },
  });
  await admin.put(`/v1/warehouses/${REST_WAREHOUSE}`, { name: 'South', province: '广东省', city: '深圳市' });
  await shortenCompletion(admin);
  const received = await stockUp(admin, STOCK);
  await admin.put(`/v1/shops/${TAOBAO_SHOP}`, {
    channel: 'taobao',
    name: 'Faults',
    currency: 'CNY',
    baseUrl: outside.taobao.origin,
    credentials: { ...APP, sessionKey, refreshToken, groupName: 'faults' },
    polling: { enabled: true, everySec: EVERY_SEC },
  });
  return { ...crew, received };
};
