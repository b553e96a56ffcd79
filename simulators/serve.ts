import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger } from '../runtime/logger.ts';
import { startTaobaoSimulator, type TaobaoSimulatorOptions } from './channels/taobao/taobao-simulator.ts';
import { startWmsSimulator, type WmsSimulatorOptions } from './wms/wms-simulator.ts';

const HELP = `Outside systems as a process of their own, for development and tests.

  node --import tsx simulators/serve.ts [options]

  --taobao-port N   serve the Taobao platform at this port (0: any that is free)
  --wms-port N      serve a Qimen warehouse at this port (0: any that is free)
                    without either, both are served at free ports
  --host ADDRESS    default 127.0.0.1
  --data DIR        keep the books here, so that a restart goes on; default: nothing is kept
  --taobao-app A    appKey:appSecret:nick:sessionKey:refreshToken, once for each seller;
                    default demo-app:demo-secret:demo-seller:demo-session:demo-refresh
  --wms-account A   appKey,secret,customerId,warehouseId,callbackUrl, once for each warehouse
  --config FILE     JSON {"taobao": {…}, "wms": {…}}: options of the simulators as they take them in process
  --verbose         log what happens
  --help            this text

Prints one line that begins with "ready" once all is served. Both are steered over /_control on their own ports.
`;

const DEMO_APP = 'demo-app:demo-secret:demo-seller:demo-session:demo-refresh';

interface ConfigFile {
  taobao?: Partial<TaobaoSimulatorOptions>;
  wms?: Partial<WmsSimulatorOptions>;
}

const main = async (): Promise<void> => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      'taobao-port': text,
      'wms-port': text,
      host: { ...text, default: '127.0.0.1' },
      data: text,
      'taobao-app': { ...text, multiple: true, default: [DEMO_APP] },
      'wms-account': { ...text, multiple: true, default: [] },
      config: text,
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const config = values.config === undefined ? {} : (JSON.parse(readFileSync(values.config, 'utf8')) as ConfigFile);
  const logger = createLogger({ level: values.verbose ? 'info' : 'error' });
  const isAll = values['taobao-port'] === undefined && values['wms-port'] === undefined;
  const common = (name: string, port: string | undefined) => ({
    host: values.host,
    port: toPort(port ?? '0'),
    logger,
    ...(values.data === undefined ? {} : { journalFile: join(values.data, `${name}.jsonl`) }),
  });
  const servers: [string, { url: string; stop(): Promise<void> }][] = [];
  if (isAll || values['taobao-port'] !== undefined)
    servers.push([
      'taobao',
      await startTaobaoSimulator({
        apps: toApps(values['taobao-app']),
        ...config.taobao,
        ...common('taobao', values['taobao-port']),
      }),
    ]);
  if (isAll || values['wms-port'] !== undefined)
    servers.push([
      'wms',
      await startWmsSimulator({
        accounts: values['wms-account'].map(toAccount),
        ...config.wms,
        ...common('wms', values['wms-port']),
      }),
    ]);
  const stop = (): void => void Promise.all(servers.map(([, server]) => server.stop())).then(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  process.stdout.write(`ready ${servers.map(([name, { url }]) => `${name}=${url}`).join(' ')}\n`);
};

const toPort = (text: string): number => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new Error(`${text} is no port`);
  return port;
};

/** Sellers that name the same app are the same app's. */
const toApps = (texts: readonly string[]): TaobaoSimulatorOptions['apps'] => {
  const apps = new Map<string, TaobaoSimulatorOptions['apps'][number]>();
  for (const text of texts) {
    const [appKey, appSecret, nick, sessionKey, refreshToken, ...rest] = text.split(':');
    if (!appKey || !appSecret || !nick || !sessionKey || rest.length > 0)
      throw new Error(`--taobao-app ${text}: expected appKey:appSecret:nick:sessionKey:refreshToken`);
    const app = apps.get(appKey) ?? { appKey, appSecret, sellers: [] };
    apps.set(appKey, app);
    app.sellers.push({ nick, sessionKey, refreshToken });
  }
  return [...apps.values()];
};

const toAccount = (text: string): WmsSimulatorOptions['accounts'][number] => {
  const [appKey, secret, customerId, warehouseId, callbackUrl, ...rest] = text.split(',');
  if (!appKey || !secret || !customerId || !warehouseId || !callbackUrl || rest.length > 0)
    throw new Error(`--wms-account ${text}: expected appKey,secret,customerId,warehouseId,callbackUrl`);
  return { appKey, secret, customerId, warehouseId, callbackUrl };
};

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
});
