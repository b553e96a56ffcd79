import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'orderhub-start-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const start = (cwd: string, env: Record<string, string> = {}, ...flags: string[]) =>
  spawnSync(process.execPath, ['scripts/start.mjs', ...flags], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  });

/** A clone in which nothing is installed yet. */
const freshClone = (name: string): string => {
  const clone = join(folder, name);
  mkdirSync(clone);
  cpSync(join(root, 'scripts'), join(clone, 'scripts'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) cpSync(join(root, file), join(clone, file));
  return clone;
};

const VARIABLES = [
  'ORDERHUB_PORT',
  'ORDERHUB_HOST',
  'ORDERHUB_DATA',
  'ORDERHUB_LOG_LEVEL',
  'ORDERHUB_ADMIN_PASSWORD',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'MONGODB_URI',
  'AMQP_URL',
  'ORDERHUB_UI_PORT',
  'ORDERHUB_TEMPORAL_PORT',
  'ORDERHUB_MONGO_PORT',
];

test('--help explains every flag and variable, on a clone where nothing is installed', () => {
  const { status, stdout } = start(freshClone('help'), {}, '--help');
  assert.equal(status, 0);
  for (const name of ['--no-demo', ...VARIABLES]) assert.match(stdout, new RegExp(`^ .*${name}\\s+\\S`, 'm'));
});

test('an unknown flag is refused by name', () => {
  const { status, stderr } = start(freshClone('flag'), {}, '--nodemo');
  assert.equal(status, 2);
  assert.match(stderr, /unknown: --nodemo/);
});

test('a Node that is too old is named with the one that is needed', () => {
  const clone = freshClone('old-node');
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ engines: { node: '>=99.1' } }));
  const { status, stderr } = start(clone);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`needs Node.js 99.1 or newer; this is ${process.versions.node}`));
});

test('an installation that fails ends the start with a clear message', () => {
  const clone = freshClone('no-network');
  const npm = join(clone, 'failing-npm.mjs');
  writeFileSync(npm, 'process.exit(1);');
  const { status, stdout, stderr } = start(clone, { npm_execpath: npm });
  assert.equal(status, 1);
  assert.match(stdout, /installing the packages of package-lock\.json/);
  assert.match(stderr, /npm ci failed/);
});
