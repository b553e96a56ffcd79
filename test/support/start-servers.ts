import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagedProcess } from '../../runtime/embedded/managed-process.ts';
import { startMongoServer } from '../../runtime/embedded/mongo-server.ts';
import type { Say } from '../../runtime/embedded/say.ts';
import { startTemporalServer } from '../../runtime/embedded/temporal-server.ts';
import { findTemporalTestServer } from '../../runtime/embedded/temporal-tools.ts';
import { toolsFolder, type Env } from '../../runtime/embedded/tool-paths.ts';

export interface TestServer {
  address: string;
  /** Ends the server and removes its data, without waiting: nothing of it is needed again. */
  discard(): void;
}

const throwAway = (process: ManagedProcess, folder: string) => (): void => {
  process.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
};

const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'orderhub-test-'));

export const startTestMongo = async (env: Env, say: Say): Promise<TestServer> => {
  const folder = temporaryFolder();
  const tools = toolsFolder(env, tmpdir());
  const logFile = join(folder, 'mongo.log');
  const server = await startMongoServer({ env, tools, say, folder, logFile, durable: false });
  return { address: server.uri, discard: throwAway(server.process, folder) };
};

export const startTestTemporal = async (env: Env, say: Say): Promise<TestServer> => {
  const folder = temporaryFolder();
  const tools = toolsFolder(env, tmpdir());
  const logFile = join(folder, 'temporal.log');
  const server = await startTemporalServer({ env, tools, say, folder, logFile, uiPort: false });
  return { address: server.address, discard: throwAway(server.process, folder) };
};

export const installTestServer = (env: Env, say: Say): Promise<string> =>
  findTemporalTestServer({ env, tools: toolsFolder(env, tmpdir()), say });
