import type { AppContext, StartRole } from './runtime/app-context.ts';
import { ConfigError, loadConfig, type Config, type Role } from './runtime/config.ts';
import { startHealthServer } from './runtime/health-server.ts';
import { loadKeyring } from './runtime/keyring.ts';
import { createLogger, type Logger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import { connectMongo } from './runtime/mongo.ts';
import { EncryptionCodec } from './runtime/payload-codec.ts';
import { Shutdown } from './runtime/shutdown.ts';
import { connectTemporal, ensureNamespace, ensureSearchAttributes } from './runtime/temporal.ts';

/** Whoever supervises us must not start us again with the same configuration. */
const EXIT_CONFIG = 78;

// Loaded only when played, so that an API process does not carry the workers' code.
const ROLES: Readonly<Record<Role, () => Promise<StartRole>>> = {
  api: async () => (await import('./api/main.ts')).startApi,
  worker: async () => (await import('./workers/main.ts')).startWorkers,
  relay: async () => (await import('./relay/main.ts')).startRelay,
  simulators: async () => (await import('./simulators/main.ts')).startSimulators,
};

/** Started in this order, so that who asks the API finds somebody at work; stopped in the opposite one. */
const PHASES: readonly (readonly Role[])[] = [['worker', 'relay'], ['api'], ['simulators']];

const readConfig = (): Config => {
  try {
    return loadConfig(undefined, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
};

const connect = async (config: Config, logger: Logger, shutdown: Shutdown): Promise<AppContext> => {
  const keyring = await loadKeyring(config.dataDir, { ...(config.keys && { keys: config.keys }) });
  const [mongo, temporal] = await Promise.all([
    connectMongo(config.mongo.uri, logger, {
      poolSize: config.mongo.poolSize,
      connectTimeoutMs: config.connectTimeoutMs,
    }),
    connectTemporal(config, new EncryptionCodec(keyring), logger),
  ]);
  shutdown.onStop('mongo', () => mongo.close());
  shutdown.onStop('temporal', () => temporal.close());
  await ensureNamespace(temporal.connection, config.temporal.namespace, logger);
  await ensureSearchAttributes(temporal.connection, config.temporal.namespace, logger);
  return { config, logger, keyring, mongo, temporal, metrics: createMetrics() };
};

type Starters = Partial<Record<Role, StartRole>>;

const load = async (roles: readonly Role[]): Promise<Starters> =>
  Object.fromEntries(await Promise.all(roles.map(async (role) => [role, await ROLES[role]()] as const)));

const startRoles = async (starters: Starters, context: AppContext, shutdown: Shutdown): Promise<void> => {
  for (const phase of PHASES) {
    const starting = phase.map(async (role) => {
      const running = await starters[role]?.(context);
      if (running) shutdown.onStop(role, () => running.stop());
    });
    const failed = (await Promise.allSettled(starting)).find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }
};

const config = readConfig();
const logger = createLogger({ level: config.logLevel, format: config.logFormat });
if (config.unknownVariables.length > 0)
  logger.warn('Nobody reads these variables; are they misspelt?', { variables: config.unknownVariables });

const shutdown = new Shutdown({ logger, timeoutMs: config.shutdownTimeoutMs });
shutdown.listen();
// Whoever started us over a channel and is gone will not tell us to stop.
process.once('disconnect', () => void shutdown.begin('the supervisor is gone'));

try {
  const [starters, context] = await Promise.all([load(config.roles), connect(config, logger, shutdown)]);
  if (!config.roles.includes('api')) {
    const health = await startHealthServer(context);
    shutdown.onStop('health', () => health.stop());
  }
  await startRoles(starters, context, shutdown);
  logger.info('Serving', { roles: config.roles });
} catch (error) {
  logger.error('Could not start', { error });
  await shutdown.begin('start failed', 1);
}
