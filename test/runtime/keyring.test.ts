import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, sign, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { KEY_KINDS, loadKeyring } from '../../runtime/keyring.ts';

const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'orderhub-keys-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const newDataDir = (): string => join(root, `data${(folders += 1)}`);
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('keys of every kind are made once, private to their owner, and found again', async () => {
  const dataDir = newDataDir();
  const first = await loadKeyring(dataDir);
  const second = await loadKeyring(dataDir);
  assert.equal(modeOf(join(dataDir, 'keys')), 0o700);
  const files = readdirSync(join(dataDir, 'keys'));
  assert.deepEqual(files.toSorted(), KEY_KINDS.map((kind) => `${kind}.1.json`).toSorted());
  for (const file of files) assert.equal(modeOf(join(dataDir, 'keys', file)), 0o600, file);
  for (const kind of KEY_KINDS) assert.equal(first.current(kind).id, second.current(kind).id);
  assert.ok(first.current('payload').secret.equals(second.current('payload').secret));
  assert.equal(first.current('sealing').secret.symmetricKeySize, 32);
});

test('processes that start at the same moment agree on one key of each kind', async () => {
  const dataDir = newDataDir();
  const script = `
    import { KEY_KINDS, loadKeyring } from '${new URL('../../runtime/keyring.ts', import.meta.url).href}';
    while (Date.now() < Number(process.argv[2])) {}
    const keyring = await loadKeyring(process.argv[1]);
    console.log(JSON.stringify(KEY_KINDS.map((kind) => keyring.current(kind).id)));`;
  const startAtMs = Date.now() + 2500;
  const outputs = await Promise.all(
    Array.from({ length: 3 }, () =>
      run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, dataDir, String(startAtMs)]),
    ),
  );
  assert.equal(new Set(outputs.map(({ stdout }) => stdout.trim())).size, 1);
  assert.deepEqual(
    readdirSync(join(dataDir, 'keys')).filter((name) => name.startsWith('.') || !name.endsWith('.1.json')),
    [],
    'no temporary or second file is left',
  );
});

test('a rotation adds a current key and keeps the old ones, also for processes that run already', async () => {
  const dataDir = newDataDir();
  const running = await loadKeyring(dataDir);
  const rotating = await loadKeyring(dataDir);
  const old = running.current('token');
  const fresh = await rotating.rotate('token');
  assert.notEqual(fresh.id, old.id);
  assert.equal(rotating.current('token').id, fresh.id);
  assert.deepEqual(
    rotating.all('token').map((key) => key.id),
    [fresh.id, old.id],
  );
  const signature = sign(null, Buffer.from('x'), fresh.privateKey);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const found = running.find('token', fresh.id);
  assert.ok(found && verify(null, Buffer.from('x'), found.publicKey, signature));
  assert.equal(running.current('token').id, fresh.id);
  assert.equal(running.find('token', 'unknown'), undefined);
});

test('two rotations at once give two keys', async () => {
  const dataDir = newDataDir();
  const [a, b] = [await loadKeyring(dataDir), await loadKeyring(dataDir)];
  await Promise.all([a.rotate('payload'), b.rotate('payload')]);
  assert.equal((await loadKeyring(dataDir)).all('payload').length, 3);
});

test('keys that others could read are made private again, with a warning', async () => {
  const dataDir = newDataDir();
  await loadKeyring(dataDir);
  const path = join(dataDir, 'keys', 'sealing.1.json');
  chmodSync(path, 0o644);
  const warnings: string[] = [];
  await loadKeyring(dataDir, { onWarning: (message) => warnings.push(message) });
  assert.equal(modeOf(path), 0o600);
  assert.ok(warnings.some((warning) => warning.includes(path)));
});

test('a damaged key file stops the start and is not replaced', async () => {
  const dataDir = newDataDir();
  await loadKeyring(dataDir);
  const path = join(dataDir, 'keys', 'payload.1.json');
  writeFileSync(path, '{"id": "p1", "ke');
  await assert.rejects(loadKeyring(dataDir), /payload\.1\.json is damaged/);
  assert.equal(readFileSync(path, 'utf8'), '{"id": "p1", "ke');
});

test('keys from the environment need no disk, and a wrong one is named by its id without its bytes', async () => {
  const signing = (await loadKeyring(newDataDir()))
    .current('token')
    .privateKey.export({ type: 'pkcs8', format: 'der' });
  const secret = (id: string) => [{ id, bytes: randomBytes(32) }];
  const keys = {
    payload: [...secret('p2'), ...secret('p1')],
    sealing: secret('s1'),
    index: secret('i1'),
    token: [{ id: 't1', bytes: signing }],
    assertion: [{ id: 'a1', bytes: signing }],
  };
  const keyring = await loadKeyring('/proc/nowhere', { keys });
  assert.equal(keyring.current('payload').id, 'p2');
  assert.equal(keyring.find('payload', 'p1')?.id, 'p1');
  await assert.rejects(keyring.rotate('payload'), /rotated there/);
  await assert.rejects(
    loadKeyring('/proc/nowhere', { keys: { ...keys, token: secret('t9') } }),
    /token key t9 must be an Ed25519/,
  );
});
