import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { Connection, ConnectOptions } from 'mongoose';
import type { Logger } from './logger.ts';
import { endWritesWithTheirConnection } from './mongo-writes.ts';

export interface MongoOptions {
  poolSize?: number;
  /** How long to wait for a primary at start. Default 60 s. */
  connectTimeoutMs?: number;
}

/** How soon an outage surfaces as an error, for any call. An election takes longer: whoever writes tries again. */
const SERVER_SELECTION_TIMEOUT_MS = 2500;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

const connectOptions = (poolSize: number): ConnectOptions => ({
  appName: 'orderhub',
  maxPoolSize: poolSize,
  minPoolSize: Math.min(4, poolSize),
  serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
  connectTimeoutMS: 5000,
  // A server that hangs must not hold a commit for longer than an activity may last.
  socketTimeoutMS: 20_000,
  waitQueueTimeoutMS: 5000,
  heartbeatFrequencyMS: 2000,
  retryWrites: true,
  retryReads: true,
  writeConcern: { w: 'majority', journal: true },
  readConcern: { level: 'majority' },
  // Callers hear of an outage at once instead of queueing behind it.
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
});

/** The driver would let our options win over what the address says; an operator expects the opposite. */
function withoutThoseOf(uri: string, options: ConnectOptions): ConnectOptions {
  const named = new Set([...new URLSearchParams(uri.split('?')[1] ?? '').keys()].map((key) => key.toLowerCase()));
  if (named.has('w') || named.has('journal')) named.add('writeconcern');
  if (named.has('readconcernlevel')) named.add('readconcern');
  return Object.fromEntries(Object.entries(options).filter(([key]) => !named.has(key.toLowerCase())));
}

/** Waits for a writable primary, saying so; throws what went wrong last. What the address says wins over our options. */
export async function connectMongo(uri: string, logger: Logger, options: MongoOptions = {}): Promise<Connection> {
  const timeoutMs = options.connectTimeoutMs ?? 60_000;
  const deadlineMs = Date.now() + timeoutMs;
  const server = describeUri(uri);
  if (!endWritesWithTheirConnection())
    logger.warn('The MongoDB driver is not the one that is known: a write may wait for ever when its server is killed');
  for (let pauseMs = FIRST_PAUSE_MS, attempt = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS), attempt += 1) {
    const connection = mongoose.createConnection(uri, withoutThoseOf(uri, connectOptions(options.poolSize ?? 32)));
    try {
      await connection.asPromise();
      await requirePrimary(connection);
      logger.info('Connected to MongoDB', { server });
      watchOutages(connection, logger, server);
      return connection;
    } catch (error) {
      await connection.close(true).catch(() => {});
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0 || isHopeless(error))
        throw new Error(`MongoDB at ${server} cannot be used: ${(error as Error).message}`, { cause: error });
      logger.warn('MongoDB has no primary yet', { server, attempt, giveUpInSec: Math.ceil(leftMs / 1000) });
      await sleep(Math.min(pauseMs, leftMs));
    }
  }
}

/** For readiness: throws when no primary answers within the time. */
export async function pingMongo(connection: Connection, timeoutMs = 2000): Promise<void> {
  const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`MongoDB did not answer within ${timeoutMs} ms`);
  });
  await Promise.race([requirePrimary(connection), late]);
}

/** Makes collections and indexes of every model registered on the connection; repeating it changes nothing. */
export async function ensureIndexes(connection: Connection, logger: Logger): Promise<void> {
  const wrong: string[] = [];
  for (const name of connection.modelNames().toSorted()) {
    const model = connection.model(name);
    try {
      // A collection cannot be made inside a transaction on every server.
      await model.createCollection();
      await model.createIndexes();
    } catch (error) {
      wrong.push(`${model.collection.collectionName}: ${(error as Error).message}`);
    }
  }
  if (wrong.length > 0) throw new Error(`Indexes could not be made:\n  ${wrong.join('\n  ')}`);
  logger.info('Indexes are in place', { models: connection.modelNames().length });
}

async function requirePrimary(connection: Connection): Promise<void> {
  if (!connection.db) throw new Error('not connected');
  const hello = await connection.db.admin().command({ hello: 1 });
  if (hello['isWritablePrimary'] !== true) throw new Error('no writable primary');
  if (!hello['setName'] && hello['msg'] !== 'isdbgrid')
    throw new Error('transactions need a replica set, this server is not part of one: start it with --replSet');
}

const isHopeless = (error: unknown): boolean => {
  const { name, code, message } = error as { name?: string; code?: unknown; message?: string };
  const isRefusedLogin = code === 18 || code === 8000;
  return (
    name === 'MongoParseError' ||
    name === 'MongoInvalidArgumentError' ||
    isRefusedLogin ||
    /--replSet/.test(message ?? '')
  );
};

function watchOutages(connection: Connection, logger: Logger, server: string): void {
  let closing = false;
  connection.on('disconnecting', () => (closing = true));
  connection.on('disconnected', () => closing || logger.warn('MongoDB is not reachable', { server }));
  connection.on('reconnected', () => logger.info('MongoDB is reachable again', { server }));
  connection.on('error', (error: Error) => logger.error('MongoDB connection failed', error));
}

/** Hosts and database without user and password. */
const describeUri = (uri: string): string => uri.replace(/^mongodb(\+srv)?:\/\/([^/]*@)?/, '').replace(/\?.*$/, '');
