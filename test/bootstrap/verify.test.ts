import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'orderhub-verify-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  dependencies: Record<string, string>;
}
interface LockFile {
  packages: Record<string, { resolved?: string; integrity?: string }>;
}

const verify = (
  name: string,
  check: string,
  change: (manifest: Manifest, lock: LockFile) => void = () => undefined,
) => {
  const clone = join(folder, name);
  mkdirSync(clone);
  cpSync(join(root, 'scripts'), join(clone, 'scripts'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  change(manifest, lock);
  writeFileSync(join(clone, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(lock));
  return spawnSync(process.execPath, ['scripts/verify.mjs', check], { cwd: clone, encoding: 'utf8' });
};

test('the lock as it is passes', () => {
  const { status, stdout } = verify('good', 'lock');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /\n1 passed, 0 failed\n$/);
});

test('a version that is not exact is reported by name', () => {
  const { status, stdout } = verify('loose', 'lock', ({ dependencies }) => {
    dependencies['express'] = '^5.3.0';
  });
  assert.equal(status, 1);
  assert.match(stdout, /express \^5\.3\.0: not an exact version/);
  assert.match(stdout, /\n0 passed, 1 failed\n$/);
});

test('a lock that is not what package.json asks for is reported', () => {
  const { stdout } = verify('stale', 'lock', ({ dependencies }) => {
    delete dependencies['express'];
  });
  assert.match(stdout, /dependencies of package-lock\.json differ from package\.json/);
});

test('a lock that names where to download from, or has no checksum, is reported', () => {
  const { stdout } = verify('host', 'lock', (_manifest, { packages }) => {
    packages['node_modules/express'] = {
      ...packages['node_modules/express'],
      resolved: 'http://127.0.0.1/express.tgz',
    };
    delete packages['node_modules/zod']?.integrity;
  });
  assert.match(stdout, /node_modules\/express: the lock names where to download from/);
  assert.match(stdout, /node_modules\/zod: the lock has no checksum/);
});
