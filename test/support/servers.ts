import type { Say } from '../../runtime/embedded/say.ts';
import { installTestServer, startTestMongo, startTestTemporal } from './start-servers.ts';

const say: Say = (sentence) => void process.stderr.write(`# ${sentence}\n`);

const sharedOrOwn = (variable: string, start: () => Promise<string>): (() => Promise<string>) => {
  let own: Promise<string> | undefined;
  return async () => process.env[variable] || (own ??= start());
};

/**
 * The address of a MongoDB replica set that tests may use: the one that `npm test` shares, or one that is started now
 * and stopped when this file's tests are done. Every test takes a database name of its own.
 */
export const mongoUri = sharedOrOwn('TEST_MONGODB_URI', () => startTestMongo(process.env, say));

/** The same for a Temporal server, as host:port. Every test takes a task queue of its own. */
export const temporalAddress = sharedOrOwn('TEST_TEMPORAL_ADDRESS', () => startTestTemporal(process.env, say));

/** The program of the time-skipping test server, to be given as `existing-path`. */
export const temporalTestServer = async (): Promise<string> =>
  process.env['TEST_TEMPORAL_TEST_SERVER'] ?? installTestServer(process.env, say);
