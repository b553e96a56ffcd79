import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '../runtime/logger.ts';
import { startTaobaoSimulator, type TaobaoSimulator } from './channels/taobao/taobao-simulator.ts';
import { refill, type DemoCast } from './demo-cast.ts';
import { DEMO_PLATFORM_SHOP, DEMO_WMS_WAREHOUSE, demoSecret } from './demo-setup.ts';
import { startWmsSimulator, type WmsSimulator } from './wms/wms-simulator.ts';

/** The systems of others that the demo works with: a platform, and a warehouse's own. */
export interface DemoOutside {
  taobao: TaobaoSimulator;
  wms: WmsSimulator;
  stop(): Promise<void>;
}

export interface OutsideOptions {
  dataDir: string;
  /** Where the warehouse's system reaches OrderHub. */
  apiUrl: string;
  logger: Logger;
}

const HOST = '127.0.0.1';
const SELLER = 'demo-seller';
const GROUP = 'orderhub-demo';

/** Buyers who make up their minds, and packers who leave the time to change them. */
const BUYERS = { payAfterMs: 8000, finishAfterMs: 6000, closeUnpaidAfterMs: 40_000 };
const PACKERS = { pickAfterMs: 3000, packAfterMs: 2500, shipAfterMs: 4500, splitRate: 0.1 };

/** Both serve on loopback at the ports that they had before, and go on with their own books. */
export const startOutside = async ({ dataDir, apiUrl, logger }: OutsideOptions): Promise<DemoOutside> => {
  const folder = join(dataDir, 'simulators');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const portsFile = join(folder, 'ports.json');
  const ports = readPorts(portsFile);
  const journalOf = (name: string) => join(folder, `${name}.jsonl`);
  const taobao = await startTaobaoSimulator({
    host: HOST,
    port: await freePort(ports.taobao),
    journalFile: journalOf('taobao'),
    apps: [{ ...appOf(dataDir), sellers: [sellerOf(dataDir)] }],
    life: BUYERS,
    logger,
  });
  const wms = await startWmsSimulator({
    host: HOST,
    port: await freePort(ports.wms),
    journalFile: journalOf('wms'),
    accounts: [
      {
        ...wmsAccount(dataDir),
        warehouseId: DEMO_WMS_WAREHOUSE,
        callbackUrl: `${apiUrl}/v1/qimen/${DEMO_WMS_WAREHOUSE}`,
      },
    ],
    life: PACKERS,
    logger,
  }).catch(async (error: unknown) => {
    await taobao.stop();
    throw error;
  });
  writeFileSync(portsFile, `${JSON.stringify({ taobao: portOf(taobao.url), wms: portOf(wms.url) })}\n`);
  return {
    taobao,
    wms,
    async stop() {
      await Promise.all([taobao.stop(), wms.stop()]);
    },
  };
};

const appOf = (dataDir: string) => ({ appKey: 'demo-app', appSecret: demoSecret(dataDir, 'taobao app') });
const sellerOf = (dataDir: string) => ({
  nick: SELLER,
  sessionKey: demoSecret(dataDir, 'taobao session'),
  refreshToken: demoSecret(dataDir, 'taobao refresh'),
  groupName: GROUP,
});
const wmsAccount = (dataDir: string) => ({
  appKey: 'demo-wms-app',
  secret: demoSecret(dataDir, 'wms'),
  customerId: 'DEMO',
});

/** Makes the platform's shop and the warehouse known to OrderHub; again changes nothing but an address that is new. */
export const connectOutside = async (
  cast: DemoCast,
  { taobao, wms }: DemoOutside,
  { dataDir, goods, stock }: { dataDir: string; goods: readonly string[]; stock: number },
): Promise<void> => {
  await cast.admin.put(`/v1/warehouses/${DEMO_WMS_WAREHOUSE}`, {
    name: 'Demo Jiaxing, worked by a WMS',
    province: '浙江省',
    city: '嘉兴市',
    wms: { type: 'qimen', baseUrl: wms.url, ...wmsAccount(dataDir) },
  });
  await refill(cast, DEMO_WMS_WAREHOUSE, goods, stock);
  const { nick: _nick, ...access } = sellerOf(dataDir);
  await cast.admin.put(`/v1/shops/${DEMO_PLATFORM_SHOP}`, {
    channel: 'taobao',
    name: 'Demo shop on Taobao',
    currency: 'CNY',
    baseUrl: taobao.url,
    credentials: { ...appOf(dataDir), ...access },
    polling: { enabled: true, everySec: 60, overlapSec: 120 },
  });
};

const portOf = (url: string): number => Number(new URL(url).port);

const readPorts = (file: string): { taobao?: unknown; wms?: unknown } => {
  if (!existsSync(file)) return {};
  try {
    return { ...(JSON.parse(readFileSync(file, 'utf8')) as object) };
  } catch {
    return {};
  }
};

/** The port of the start before, unless somebody else has it now. */
const freePort = async (wanted: unknown): Promise<number> =>
  (typeof wanted === 'number' ? await listenOnce(wanted) : undefined) ?? 0;

const listenOnce = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(undefined));
    server.listen(port, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
