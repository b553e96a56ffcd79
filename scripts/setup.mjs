import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// This file runs before anything is installed: Node's own modules only.

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** Ends the process with what to install when this Node is too old to run us. */
export const requireNode = () => {
  if (process.platform === 'win32') {
    console.error('OrderHub runs on Linux and macOS; on Windows, use it inside WSL 2.');
    process.exit(1);
  }
  const needed = /\d+\.\d+/.exec(readJson('package.json').engines.node)[0];
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [neededMajor, neededMinor] = needed.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  console.error(`OrderHub needs Node.js ${needed} or newer; this is ${process.versions.node}. See https://nodejs.org/`);
  process.exit(1);
};

/** Whether what npm wrote down at its last installation is what the lock file asks for. */
const isInstalled = ({ withDev }) => {
  const written = join('node_modules', '.package-lock.json');
  if (!existsSync(join(root, written))) return false;
  const present = readJson(written).packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, wanted]) =>
      path === '' ||
      present[path]?.version === wanted.version ||
      (present[path] === undefined && (wanted.optional || wanted.peer || (wanted.dev && !withDev))),
  );
};

/** Installs what the lock file names, saying so, unless it is there already. */
export const installDependencies = async ({ withDev, say }) => {
  if (isInstalled({ withDev })) return;
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  say('dependencies: installing the packages of package-lock.json (once; about a minute)');
  const pulse = setInterval(() => say(`dependencies: still installing, ${seconds()} s`), 10_000);
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--include=optional'];
  if (withDev) args.push('--include=dev');
  const npm = process.env.npm_execpath;
  const child = npm
    ? spawn(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    : spawn('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`npm could not be run: ${error.message}. Install npm, it comes with Node.js.`);
      resolve(1);
    });
    child.once('close', resolve);
  });
  clearInterval(pulse);
  if (code !== 0) {
    console.error('dependencies: npm ci failed; what it said is above. Check the network and try again.');
    process.exit(1);
  }
  say(`dependencies: installed in ${seconds()} s`);
};

/** From here on TypeScript files can be imported. */
export const registerTypeScript = async () => {
  const { register } = await import('tsx/esm/api');
  register();
};
