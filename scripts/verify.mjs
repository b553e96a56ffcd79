import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDependencies, requireNode, root } from './setup.mjs';

requireNode();
await installDependencies({ withDev: true, say: (sentence) => console.log(`… ${sentence}`) });

const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return status === 0 ? [] : [`ended with code ${status}`];
};

const bin = (path) => join(root, 'node_modules', path);

const bundle = () => {
  const folder = mkdtempSync(join(tmpdir(), 'orderhub-bundle-'));
  const problems = run('--import', 'tsx', 'scripts/build-workflows.ts', join(folder, 'workflows.js'));
  rmSync(folder, { recursive: true, force: true });
  return problems;
};

/** The lock must be what package.json asks for, name no host to download from, and every direct version be exact. */
const lock = () => {
  const manifest = readJson('package.json');
  const { packages } = readJson('package-lock.json');
  const kinds = ['dependencies', 'devDependencies'];
  const stale = kinds.filter((kind) => JSON.stringify(manifest[kind]) !== JSON.stringify(packages[''][kind]));
  const loose = kinds.flatMap((kind) =>
    Object.entries(manifest[kind]).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
  );
  const hosts = Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined);
  const unhashed = Object.entries(packages).filter(([path, entry]) => path !== '' && !entry.integrity && !entry.link);
  return [
    ...stale.map((kind) => `${kind} of package-lock.json differ from package.json: run npm install`),
    ...loose.map(([name, version]) => `${name} ${version}: not an exact version`),
    ...hosts.map(([path]) => `${path}: the lock names where to download from`),
    ...unhashed.map(([path]) => `${path}: the lock has no checksum`),
  ];
};

const CHECKS = {
  format: () => run(bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'),
  lint: () => run(bin('oxlint/bin/oxlint')),
  types: () => run(bin('typescript/bin/tsc'), '-p', 'tsconfig.json'),
  bundle,
  lock,
};

const wanted = process.argv.slice(2);
const outcomes = Object.entries(CHECKS)
  .filter(([name]) => wanted.length === 0 || wanted.includes(name))
  .map(([name, check]) => {
    const began = Date.now();
    const problems = check();
    for (const problem of problems) console.log(`  ${problem}`);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
    return problems.length === 0;
  });
const failed = outcomes.filter((ok) => !ok).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
