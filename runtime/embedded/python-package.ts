import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock-file.ts';
import type { Say } from './say.ts';
import { findProgram, type Env } from './tool-paths.ts';

export interface PythonPackage {
  name: string;
  version: string;
  /** The program that the package brings. */
  program: string;
  constraints?: readonly string[];
}

interface InstallContext {
  tools: string;
  env: Env;
  say: Say;
  signal?: AbortSignal | undefined;
}

const HOW_TO_GET_PYTHON =
  'install Python 3.10 or newer with its venv module (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python3)';

const folderOf = (pkg: PythonPackage, tools: string): string => join(tools, 'python', `${pkg.name}-${pkg.version}`);
const completeMark = (folder: string): string => join(folder, 'orderhub-complete');

/** The program of a package that was installed before, completely. */
export const findPythonProgram = (pkg: PythonPackage, tools: string): string | undefined => {
  const folder = folderOf(pkg, tools);
  const program = join(folder, 'bin', pkg.program);
  return existsSync(completeMark(folder)) && existsSync(program) ? program : undefined;
};

const run = (command: string, args: string[], env: Env, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env },
      ...(signal && { signal }),
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-2000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(output.trim().split('\n').slice(-2).join(' ') || `exit code ${code}`));
    });
  });

const createVenv = async (python: string, folder: string, env: Env, signal?: AbortSignal): Promise<void> => {
  try {
    await run(python, ['-m', 'venv', folder], env, signal);
  } catch (error) {
    throw new Error(`python3 -m venv failed (${(error as Error).message.trim()}); ${HOW_TO_GET_PYTHON}`, {
      cause: error,
    });
  }
};

/** Installs the package into a private virtual environment of its own; nothing of the system's Python changes. */
export const installPythonPackage = async (
  pkg: PythonPackage,
  { tools, env, say, signal }: InstallContext,
): Promise<string> => {
  const python = findProgram('python3', env);
  if (!python) throw new Error(`python3 is missing; ${HOW_TO_GET_PYTHON}`);
  const folder = folderOf(pkg, tools);
  mkdirSync(join(tools, 'python'), { recursive: true });
  return withLock(
    `${folder}.lock`,
    () => say(`${pkg.name}: another start is installing it, waiting`),
    async () => {
      const before = findPythonProgram(pkg, tools);
      if (before) return before;
      rmSync(folder, { recursive: true, force: true });
      const began = Date.now();
      say(`${pkg.name} ${pkg.version}: installing from PyPI into ${folder}`);
      const pulse = setInterval(() => {
        say(`${pkg.name} ${pkg.version}: still installing, ${Math.round((Date.now() - began) / 1000)} s`);
      }, 10_000);
      try {
        await createVenv(python, folder, env, signal);
        const constraints = join(folder, 'constraints.txt');
        writeFileSync(constraints, (pkg.constraints ?? []).join('\n'));
        const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
        await run(
          join(folder, 'bin', 'python'),
          [...pip, '-c', constraints, `${pkg.name}==${pkg.version}`],
          env,
          signal,
        );
        writeFileSync(completeMark(folder), '');
      } finally {
        clearInterval(pulse);
      }
      const program = findPythonProgram(pkg, tools);
      if (!program) throw new Error(`${pkg.name} ${pkg.version} brought no program ${pkg.program}`);
      say(`${pkg.name} ${pkg.version}: installed in ${Math.round((Date.now() - began) / 1000)} s`);
      return program;
    },
  );
};
