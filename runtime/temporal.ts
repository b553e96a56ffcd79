import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Config } from './config.ts';
import { isLoopback } from './config.ts';
import type { Logger } from './logger.ts';
import type { EncryptionCodec } from './payload-codec.ts';

export { ensureNamespace, ensureSearchAttributes } from './temporal-setup.ts';

export interface TemporalLink {
  /** Shared by the client and by every worker of this process. */
  readonly connection: NativeConnection;
  readonly client: Client;
  /** Workers need the same one; `failureConverterPath` must also be given to the bundler. */
  readonly dataConverter: DataConverter;
  /** Workers first. */
  close(): Promise<void>;
}

export const FAILURE_CONVERTER_PATH = fileURLToPath(new URL('./failure-converter.ts', import.meta.url));

/** What clients and workers convert with: payloads and failure messages encrypted. */
export const createDataConverter = (codec: EncryptionCodec): DataConverter => ({
  payloadCodecs: [codec],
  failureConverterPath: FAILURE_CONVERTER_PATH,
});

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/** Tries until `config.connectTimeoutMs` has passed, then throws what went wrong last. */
export async function connectTemporal(
  config: Pick<Config, 'temporal' | 'connectTimeoutMs'>,
  codec: EncryptionCodec,
  logger: Logger,
): Promise<TemporalLink> {
  installRuntime(logger);
  const { address, namespace } = config.temporal;
  const connection = await connectWithRetries(connectionOptions(config.temporal), config.connectTimeoutMs, logger);
  const dataConverter = createDataConverter(codec);
  const client = new Client({ connection, namespace, dataConverter });
  logger.info('Connected to Temporal', { server: address, namespace });
  return { connection, client, dataConverter, close: () => connection.close() };
}

function connectionOptions({ address, apiKey, tls }: Config['temporal']): NativeConnectionOptions {
  const host = address.slice(0, address.lastIndexOf(':'));
  return {
    address,
    ...(apiKey !== undefined && { apiKey }),
    ...(tls && {
      tls: {
        ...(tls.serverName !== undefined && { serverNameOverride: tls.serverName }),
        ...(tls.ca && { serverRootCACertificate: tls.ca }),
        ...(tls.crt && tls.key && { clientCertPair: { crt: tls.crt, key: tls.key } }),
      },
    }),
    // Ciphertext does not shrink, and on this machine there is no network to spare.
    ...(isLoopback(host) && { grpcCompression: { codec: 'none' } as const }),
  };
}

async function connectWithRetries(
  options: NativeConnectionOptions,
  timeoutMs: number,
  logger: Logger,
): Promise<NativeConnection> {
  const deadlineMs = Date.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS, attempt = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS), attempt += 1) {
    try {
      return await NativeConnection.connect(options);
    } catch (error) {
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0)
        throw new Error(
          `Temporal does not answer at ${options.address} after ${attempt} tries in ${Math.round(timeoutMs / 1000)} s`,
          {
            cause: error,
          },
        );
      logger.warn('Temporal does not answer yet', {
        server: options.address,
        attempt,
        giveUpInSec: Math.ceil(leftMs / 1000),
      });
      await sleep(Math.min(pauseMs, leftMs));
    }
  }
}

/** The SDK's own runtime: its log lines go through ours, and our shutdown alone decides when workers stop. */
function installRuntime(logger: Logger): void {
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: {
        log: (level, message, meta) => logger[toLevel(level)](message, meta ?? {}),
        trace: (message, meta) => logger.debug(message, meta ?? {}),
        debug: (message, meta) => logger.debug(message, meta ?? {}),
        info: (message, meta) => logger.info(message, meta ?? {}),
        warn: (message, meta) => logger.warn(message, meta ?? {}),
        error: (message, meta) => logger.error(message, meta ?? {}),
      },
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
    });
  } catch (error) {
    // One per process: a second connection, as in tests, shares the first one's.
    if ((error as Error).name !== 'IllegalStateError') throw error;
  }
}

const toLevel = (level: string): 'debug' | 'info' | 'warn' | 'error' =>
  level === 'ERROR' ? 'error' : level === 'WARN' ? 'warn' : level === 'INFO' ? 'info' : 'debug';
