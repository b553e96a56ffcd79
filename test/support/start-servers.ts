import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMongoServer } from '../../runtime/embedded/mongo-server.ts';
import type { Say } from '../../runtime/embedded/say.ts';
import { startTemporalServer } from '../../runtime/embedded/temporal-server.ts';
import { findTemporalTestServer } from '../../runtime/embedded/temporal-tools.ts';
import { toolsFolder, type Env } from '../../runtime/embedded/tool-paths.ts';

const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'orderhub-test-'));

const throwAway = (env: Env, say: Say, name: string) => {
  const folder = temporaryFolder();
  return { env, say, folder, tools: toolsFolder(env, tmpdir()), logFile: join(folder, `${name}.log`), discard: folder };
};

/** The address of a MongoDB that ends, with its data, when this process ends. */
export const startTestMongo = async (env: Env, say: Say): Promise<string> =>
  (await startMongoServer({ ...throwAway(env, say, 'mongo'), durable: false })).uri;

/** The address of a Temporal server that ends, with its data, when this process ends. */
export const startTestTemporal = async (env: Env, say: Say): Promise<string> =>
  (await startTemporalServer({ ...throwAway(env, say, 'temporal'), uiPort: false })).address;

export const installTestServer = (env: Env, say: Say): Promise<string> =>
  findTemporalTestServer({ env, tools: toolsFolder(env, tmpdir()), say });
