import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EncryptionCodec } from '../runtime/payload-codec.ts';
import { commitHubOf } from '../models/commit-hub.ts';
import { logSteps } from '../models/step-log.ts';
import { ensureIndexes, pingMongo } from '../runtime/mongo.ts';
import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { isLoopback } from '../runtime/config.ts';
import type { Config } from '../runtime/config.ts';
import { createApp } from './app.ts';
import { bootstrapAdmin } from './bootstrap-admin.ts';
import { DEFAULT_SETTINGS, createApiDeps } from './deps.ts';
import type { ApiSettings } from './deps.ts';
import { orderServicesOf } from './orders/order-services.ts';
import { startUntakenOrders } from './orders/untaken-orders.ts';
import { createRoutes } from './routes.ts';
import { collectingOf } from './shops/collecting.ts';
import { startScheduleSweep } from './shops/schedule-sweep.ts';
import { startMissedMappings } from './sku-mappings/missed-mappings.ts';

export interface RunningApi extends RunningRole {
  readonly url: string;
  readonly port: number;
}

/** Serves until stopped. The first start of all prints the password that it made up for `admin`, once. */
export async function startApi({ config, logger, keyring, mongo, temporal, metrics }: AppContext): Promise<RunningApi> {
  const deps = createApiDeps({
    connection: mongo,
    temporal: temporal.client,
    keyring,
    codec: new EncryptionCodec(keyring),
    logger,
    metrics,
    checks: {
      mongodb: () => pingMongo(mongo),
      temporal: () =>
        temporal.connection.withDeadline(Date.now() + 2000, () =>
          temporal.connection.workflowService.getSystemInfo({}),
        ),
    },
    settings: settingsOf(config),
  });
  const app = createApp(deps, createRoutes(deps));
  await ensureIndexes(mongo, logger);
  const password = await bootstrapAdmin(deps, config.adminPassword);
  if (password !== undefined) process.stdout.write(`admin password (shown this once): ${password}\n`);

  const services = orderServicesOf(deps);
  const { desk, intake, starter } = services;
  // Where goods that came in over REST have served orders that waited for them.
  commitHubOf(mongo).onStep(logSteps(logger));
  commitHubOf(mongo).onFilled((filled) => {
    for (const { orderId, round } of filled)
      void desk
        .tellStockReserved(orderId, round)
        .catch((error: unknown) => logger.warn('An order could not be told of its goods', { orderId, error }));
  });
  const sweeps = [
    startUntakenOrders({ intake, starter, logger }),
    startMissedMappings(services, logger),
    startScheduleSweep(collectingOf(deps), logger),
  ];

  const server = createServer(app);
  server.requestTimeout = 60_000;
  server.headersTimeout = 15_000;
  // Longer than the idle time of usual load balancers, so that they close first.
  server.keepAliveTimeout = 75_000;
  const port = await listen(server, config.port, config.host);
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  logger.info('The API listens', { url });
  return {
    url,
    port,
    stop: async () => {
      deps.readiness.stop();
      await Promise.all(sweeps.map((sweep) => sweep.stop()));
      await close(server);
    },
  };
}

function settingsOf(config: Config): ApiSettings {
  return {
    ...DEFAULT_SETTINGS,
    publicUrl: config.publicUrl,
    uiOrigins: originsOf(config.uiUrl),
    trustProxy: config.trustProxy,
    allowPrivateUrls: config.allowPrivateUrls,
    metricsToken: config.metricsToken,
    accessTtlSec: config.tokens.accessTtlSec,
    refreshTtlSec: config.tokens.refreshTtlSec,
    oidc: config.oidc,
  };
}

/** On this machine a browser may know the UI by its address or as localhost. */
function originsOf(uiUrl: string | undefined): string[] {
  if (uiUrl === undefined || !URL.canParse(uiUrl)) return [];
  const { origin, protocol, hostname, port } = new URL(uiUrl);
  if (!isLoopback(hostname)) return [origin];
  const suffix = port === '' ? '' : `:${port}`;
  return [...new Set([origin, `${protocol}//localhost${suffix}`, `${protocol}//127.0.0.1${suffix}`])];
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`Port ${port} of ${host} is in use: set ORDERHUB_PORT`) : error),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Requests under way are answered, idle connections closed at once and again as they become idle. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 100);
    server.close(() => {
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}
