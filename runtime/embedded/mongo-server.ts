import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startManagedProcess, type ManagedProcess } from './managed-process.ts';
import { downloadMongod, findDownloadedMongod } from './mongod-download.ts';
import { acceptsConnections, chooseFreePort, withFreePorts } from './ports.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { findPythonProgram, installPythonPackage } from './python-package.ts';
import { initiateReplicaSet, REPLICA_SET } from './replica-set.ts';
import type { ToolContext } from './temporal-tools.ts';
import { cargoBin, findProgram } from './tool-paths.ts';
import { useFirst, type ToolSource } from './tool-source.ts';
import { SECANTUS_PACKAGE, TOOL_VERSIONS } from './tool-versions.ts';

export interface MongoServerOptions extends ToolContext {
  /** Keeps one folder per kind of server, because they cannot read each other's files. */
  folder: string;
  logFile: string;
  onSpawn?: ((identity: ProcessIdentity) => void) | undefined;
  /** See `ManagedProcessOptions`. */
  discard?: string | undefined;
  port?: number | undefined;
  /** Whether acknowledged writes survive a kill; default true. */
  durable?: boolean;
}

export interface MongoServer {
  kind: string;
  uri: string;
  port: number;
  process: ManagedProcess;
}

const REMEDY = 'Put MongoDB 7 or newer (`mongod`) on PATH, or point MONGODB_URI at a replica set.';

const mongoSources = ({ env, tools, say, signal }: ToolContext): ToolSource[] => {
  const downloads = join(tools, `mongodb-${TOOL_VERSIONS.mongodb}`);
  return [
    { label: 'mongod on PATH', kind: 'mongod', find: () => findProgram('mongod', env) },
    {
      label: 'secantusd-rs on PATH',
      kind: 'secantusd-rs',
      find: () => findProgram('secantusd-rs', env, [cargoBin(env)]),
    },
    {
      label: `official download of MongoDB ${TOOL_VERSIONS.mongodb}`,
      kind: 'mongod',
      find: () => findDownloadedMongod(downloads),
      install: () => downloadMongod(TOOL_VERSIONS.mongodb, downloads, env),
    },
    {
      label: `PyPI package ${SECANTUS_PACKAGE.name} ${SECANTUS_PACKAGE.version}`,
      kind: 'secantusd-py',
      find: () => findPythonProgram(SECANTUS_PACKAGE, tools),
      install: () => installPythonPackage(SECANTUS_PACKAGE, { tools, env, say, signal }),
    },
  ];
};

/** What a killed process was about to write keeps others from the same goods for this long; a minute without. */
const TRANSACTION_LIFETIME_SEC = 10;

const mongodFlags = (port: number, store: string): string[] =>
  [
    ['--bind_ip', '127.0.0.1', '--port', String(port)],
    ['--replSet', REPLICA_SET, '--dbpath', store],
    ['--setParameter', `transactionLifetimeLimitSeconds=${TRANSACTION_LIFETIME_SEC}`],
  ].flat();

// Without the first flag a kill loses acknowledged writes; the other two keep the resume tokens of change streams valid.
const secantusFlags = (port: number, store: string, durable: boolean): string[] =>
  [
    durable ? ['--sync-on-commit'] : [],
    ['--oplog-max-entries', '2000000', '--oplog-retention-seconds', '86400'],
    ['--host', '127.0.0.1', '--port', String(port), '--storage-path', store],
    ['--log-level', 'WARNING', '--cache-size', '1G'],
  ].flat();

/** Data written by one kind of server must not be hidden by a start with another kind. */
const keptBy = (folder: string): string | undefined =>
  existsSync(folder) ? readdirSync(folder).find((name) => /^(mongod|secantusd-(rs|py))$/.test(name)) : undefined;

const prepare = async (kind: string, port: number, process: ManagedProcess): Promise<string> => {
  const uri = `mongodb://127.0.0.1:${port}/orderhub?directConnection=true`;
  if (kind !== 'mongod') return uri;
  try {
    await initiateReplicaSet(port);
    return `${uri}&replicaSet=${REPLICA_SET}`;
  } catch (error) {
    await process.stop();
    throw error;
  }
};

/** Starts a one-node replica set and waits until it takes writes. */
export const startMongoServer = async (options: MongoServerOptions): Promise<MongoServer> => {
  const { folder, logFile, say, durable = true } = options;
  const kept = keptBy(folder);
  const sources = mongoSources(options).filter(({ kind }) => kept === undefined || kind === kept);
  const remedy =
    kept === undefined ? REMEDY : `The data in ${folder} was written by ${kept}, which is needed to go on. ${REMEDY}`;
  return useFirst(
    'MongoDB',
    sources,
    say,
    remedy,
    ({ kind, program }) =>
      withFreePorts(async () => {
        const port = options.port ?? (await chooseFreePort());
        const store = join(folder, kind);
        const isNew = !existsSync(store);
        mkdirSync(store, { recursive: true });
        try {
          const process = await startManagedProcess({
            name: 'MongoDB',
            command: program,
            args: kind === 'mongod' ? mongodFlags(port, store) : secantusFlags(port, store, durable),
            logFile,
            onSpawn: options.onSpawn,
            discard: options.discard,
            isReady: () => acceptsConnections(port),
          });
          return { kind, port, process, uri: await prepare(kind, port, process) };
        } catch (error) {
          if (isNew) rmSync(store, { recursive: true, force: true });
          throw error;
        }
      }),
    options.signal,
  );
};
