import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataFolder, PortName } from './data-folder.ts';
import type { ManagedProcess } from './managed-process.ts';
import { startMongoServer, type MongoServer } from './mongo-server.ts';
import { chooseFreePort, isPortFree, withFreePorts } from './ports.ts';
import type { Say } from './say.ts';
import { endProcess, type ProcessIdentity } from './process-identity.ts';
import { startTemporalServer, type TemporalServer } from './temporal-server.ts';
import type { ToolContext } from './temporal-tools.ts';
import { toolsFolder, type Env } from './tool-paths.ts';

export interface EmbeddedServersOptions {
  env: Env;
  data: DataFolder;
  /** Where the browser that shows the Temporal UI reaches the codec endpoint. */
  codecEndpoint: string;
  say: Say;
}

/** Undefined for a server that is not ours. */
export interface ServerAddresses {
  temporalAddress?: string | undefined;
  mongoUri?: string | undefined;
  uiUrl?: string | undefined;
}

type ServerName = 'temporal' | 'mongo';

const LONGEST_PAUSE_MS = 10_000;
const UNFINISHED_START_MS = 2_000;

const readPort = (variable: string, value: string): number => {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`${variable} must be a port, a whole number up to 65535`);
  return port;
};

/** Whether the variable, or the one that names a file with its value, is set. */
const isSet = (env: Env, variable: string): boolean =>
  Boolean(env[variable]?.trim() || env[`${variable}_FILE`]?.trim());

/** The configured port, which must be free, or the one of the last start, or any. */
export const settlePort = async (
  data: DataFolder,
  name: PortName,
  variable: string,
  wanted: string | undefined,
): Promise<number> => {
  const configured = wanted?.trim() ? readPort(variable, wanted) : undefined;
  if (configured !== undefined && !(await isPortFree(configured)))
    throw new Error(`port ${configured} is in use by another program; set ${variable} to a free one`);
  const port = configured ?? (await chooseFreePort(data.portOf(name)));
  data.rememberPort(name, port);
  return port;
};

/** Those of Temporal and MongoDB for which no address of an existing server is given. */
export class EmbeddedServers {
  readonly #options: EmbeddedServersOptions;
  readonly #context: ToolContext;
  readonly #abort = new AbortController();
  readonly #processes = new Map<ServerName, ProcessIdentity>();
  readonly #starts = new Set<Promise<unknown>>();

  constructor(options: EmbeddedServersOptions) {
    const { env, say, data } = options;
    this.#options = options;
    this.#context = { env, say, tools: toolsFolder(env, data.path), signal: this.#abort.signal };
  }

  /** Both at once. From then on, a server that ends by itself is started again on the same port and data. */
  async start(): Promise<ServerAddresses> {
    const outcomes = await Promise.allSettled([
      withFreePorts(() => this.#startTemporal()),
      withFreePorts(() => this.#startMongo()),
    ] as const);
    const [temporal, mongo] = outcomes;
    if (temporal.status === 'fulfilled' && mongo.status === 'fulfilled')
      return { temporalAddress: temporal.value?.address, uiUrl: temporal.value?.uiUrl, mongoUri: mongo.value?.uri };
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    throw new Error(reasons.map(({ message }) => message).join('\n'));
  }

  /** At any time, also while they are being installed or started. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('stopping'));
    const stopOne = async ([name, identity]: [ServerName, ProcessIdentity]): Promise<void> => {
      await endProcess(identity, 10_000);
      this.#options.data.forgetProcess(name);
    };
    await Promise.all([...this.#processes].map(stopOne));
    await Promise.race([Promise.allSettled(this.#starts), sleep(UNFINISHED_START_MS)]);
  }

  async #startTemporal(): Promise<TemporalServer | undefined> {
    const { env, data, codecEndpoint } = this.#options;
    if (isSet(env, 'TEMPORAL_ADDRESS')) return undefined;
    const port = await settlePort(data, 'temporal', 'ORDERHUB_TEMPORAL_PORT', env.ORDERHUB_TEMPORAL_PORT);
    const uiPort = await settlePort(data, 'ui', 'ORDERHUB_UI_PORT', env.ORDERHUB_UI_PORT);
    const place = this.#placeOf('temporal');
    return this.#keep('temporal', () =>
      startTemporalServer({ ...place, port, uiPort, codecEndpoint, namespace: env.TEMPORAL_NAMESPACE }),
    );
  }

  async #startMongo(): Promise<MongoServer | undefined> {
    const { env, data } = this.#options;
    if (isSet(env, 'MONGODB_URI')) return undefined;
    const port = await settlePort(data, 'mongo', 'ORDERHUB_MONGO_PORT', env.ORDERHUB_MONGO_PORT);
    const place = this.#placeOf('mongo');
    return this.#keep('mongo', () => startMongoServer({ ...place, port }));
  }

  #placeOf(name: ServerName) {
    const { data } = this.#options;
    const onSpawn = (identity: ProcessIdentity): void => {
      this.#processes.set(name, identity);
      data.rememberProcess(name, identity);
    };
    return {
      ...this.#context,
      folder: join(data.path, name),
      logFile: join(data.path, 'logs', `${name}.log`),
      onSpawn,
    };
  }

  async #keep<T extends { process: ManagedProcess }>(name: ServerName, start: () => Promise<T>): Promise<T> {
    const starting = start();
    this.#starts.add(starting);
    const server = await starting.finally(() => this.#starts.delete(starting));
    void server.process.exited.then(() => this.#startAgain(name, start));
    return server;
  }

  async #startAgain(name: ServerName, start: () => Promise<{ process: ManagedProcess }>): Promise<void> {
    const { say } = this.#options;
    for (let pauseMs = 250; !this.#abort.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      say(`${name}: ended unexpectedly, starting it again`);
      try {
        await this.#keep(name, start);
        return;
      } catch (error) {
        say(`${name}: ${(error as Error).message}`);
        await sleep(pauseMs);
      }
    }
  }
}
