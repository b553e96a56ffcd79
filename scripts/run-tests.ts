import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { Say } from '../runtime/embedded/say.ts';
import type { Env } from '../runtime/embedded/tool-paths.ts';
import { installTestServer, startTestMongo, startTestTemporal } from '../test/support/start-servers.ts';

export interface RunTestsOptions {
  env: Env;
  args: string[];
  say: Say;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = resolve(import.meta.dirname, '..');
/** Of a single test; a hanging one must not use up the time of all. */
const TEST_LIMIT_MS = 5 * 60_000;

// Node 20 takes no pattern after --test, so that the files are found here.
const testFilesIn = (path: string): string[] => {
  const full = resolve(path);
  if (!statSync(full).isDirectory()) return [full];
  const entries = readdirSync(full, { recursive: true }).map((entry) => join(full, String(entry)));
  return entries.filter((file) => file.endsWith('.test.ts')).toSorted();
};

const readArgs = (args: string[]): { files: string[]; patterns: string[] } => {
  const grep = args.indexOf('--grep');
  const patterns = grep < 0 ? [] : args.slice(grep + 1, grep + 2);
  const paths = grep < 0 ? args : args.toSpliced(grep, 2);
  return { files: (paths.length > 0 ? paths : [join(root, 'test')]).flatMap(testFilesIn), patterns };
};

const startShared = async (env: Env, say: Say) => {
  const starting = [startTestMongo(env, say), startTestTemporal(env, say), installTestServer(env, say)] as const;
  const [mongo, temporal, testServer] = await Promise.all(starting);
  return { TEST_MONGODB_URI: mongo, TEST_TEMPORAL_ADDRESS: temporal, TEST_TEMPORAL_TEST_SERVER: testServer };
};

const countsIn = (file: string): Counts => {
  const lines = readFileSync(file, 'utf8').split('\n');
  const of = (word: string): number => lines.filter((line) => line === word).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
};

/** Runs the tests against shared servers and ends the process; the last line printed is the closing line. */
export const runTests = async ({ env, args, say }: RunTestsOptions): Promise<void> => {
  const { files, patterns } = readArgs(args);
  const work = mkdtempSync(join(tmpdir(), 'orderhub-run-'));
  say('servers: starting the MongoDB and the Temporal that all tests share');
  const shared = await startShared(env, say);
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));

  const outcomes = join(work, 'outcomes');
  const concurrency = Math.max(2, availableParallelism());
  say(`tests: running ${files.length} files, ${concurrency} at a time`);
  const child = spawn(
    process.execPath,
    [
      ['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`, `--test-timeout=${TEST_LIMIT_MS}`],
      ['--test-reporter=spec', '--test-reporter-destination=stdout'],
      [`--test-reporter=${join(root, 'scripts', 'outcome-reporter.mjs')}`, `--test-reporter-destination=${outcomes}`],
      patterns.map((pattern) => `--test-name-pattern=${pattern}`),
      files.map((file) => relative(root, file)),
    ].flat(),
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...env,
        NODE_ENV: 'test',
        ...shared,
      },
    },
  );
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => child.kill(name));
  const code = await new Promise<number | null>((done) => child.once('close', done));

  const { passed, skipped, ...counted } = countsIn(outcomes);
  const isCutShort = code !== 0 && counted.failed === 0;
  const isEmpty = passed + counted.failed === 0;
  if (isEmpty) console.log('no test was run');
  else if (isCutShort) console.log('ended before all tests were done');
  const failed = counted.failed + (isCutShort || isEmpty ? 1 : 0);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed === 0 ? 0 : 1);
};
