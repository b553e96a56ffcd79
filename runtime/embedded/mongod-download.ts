import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertReachable, DOWNLOAD_LIMITS, type DownloadLimits } from './official-download.ts';
import type { Env } from './tool-paths.ts';

const ORIGIN = 'https://fastdl.mongodb.org';

const bytesIn = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    try {
      return sum + (entry.isDirectory() ? bytesIn(join(folder, entry.name)) : statSync(join(folder, entry.name)).size);
    } catch {
      return sum;
    }
  }, 0);

const noteOf = (folder: string): string => join(folder, 'program.txt');

/** The mongod that an earlier `downloadMongod` left in the folder. */
export const findDownloadedMongod = (folder: string): string | undefined => {
  if (!existsSync(noteOf(folder))) return undefined;
  const program = readFileSync(noteOf(folder), 'utf8').trim();
  return existsSync(program) ? program : undefined;
};

/** A child process does the work, because the downloader itself never gives up on a connection that went silent. */
export const downloadMongod = async (
  version: string,
  folder: string,
  env: Env,
  limits: DownloadLimits = DOWNLOAD_LIMITS,
): Promise<string> => {
  await assertReachable(env.MONGOMS_DOWNLOAD_MIRROR ?? ORIGIN, limits);
  mkdirSync(folder, { recursive: true });
  const script = fileURLToPath(new URL('mongod-download-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, version, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, MONGOMS_MAX_RETRIES: '1' },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));

  let seen = bytesIn(folder);
  let lastProgress = Date.now();
  const watch = setInterval(() => {
    const now = bytesIn(folder);
    if (now !== seen) lastProgress = Date.now();
    seen = now;
    if (Date.now() - lastProgress > limits.idleMs) child.kill('SIGKILL');
  }, 500);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(watch);
  if (code === null) throw new Error(`no bytes for ${limits.idleMs / 1000} s`);
  if (code !== 0) throw new Error(errors.trim() || 'the download failed');
  const program = output.trim();
  writeFileSync(noteOf(folder), program);
  return program;
};
