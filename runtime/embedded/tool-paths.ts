import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The environment as handed down by whoever may read it. */
export type Env = Readonly<Record<string, string | undefined>>;

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The full path of an installed program, or undefined. `extraFolders` are looked at after PATH. */
export const findProgram = (name: string, env: Env, extraFolders: string[] = []): string | undefined =>
  [...(env.PATH ?? '').split(delimiter), ...extraFolders]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);

export const cargoBin = (env: Env): string => join(env.CARGO_HOME ?? join(env.HOME ?? homedir(), '.cargo'), 'bin');

const isWritable = (folder: string): boolean => {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * Where downloaded tools are kept: the user's cache, so that a second clone does not download them again, or the
 * data folder where there is no such cache.
 */
export const toolsFolder = (env: Env, dataDir: string): string => {
  const home = env.HOME ?? homedir();
  const userCache =
    env.XDG_CACHE_HOME ?? (process.platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache'));
  const preferred = join(userCache, 'orderhub');
  if (isWritable(preferred)) return preferred;
  const fallback = join(dataDir, 'tools');
  mkdirSync(fallback, { recursive: true });
  return fallback;
};
