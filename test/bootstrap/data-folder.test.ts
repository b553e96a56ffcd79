import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DataFolder } from '../../runtime/embedded/data-folder.ts';
import { withLock } from '../../runtime/embedded/lock-file.ts';
import { identify, isRunning } from '../../runtime/embedded/process-identity.ts';

const folder = mkdtempSync(join(tmpdir(), 'orderhub-data-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('two instances never share a data folder, and the message names the other one', () => {
  const path = join(folder, 'shared');
  const first = DataFolder.open(path);
  assert.throws(
    () => DataFolder.open(path),
    new RegExp(`another OrderHub \\(process ${process.pid}\\).*ORDERHUB_DATA`),
  );
  first.close();
  DataFolder.open(path).close();
});

test('the lock of a process that is gone is taken over', () => {
  const path = join(folder, 'stale');
  DataFolder.open(path).close();
  writeFileSync(join(path, 'lock'), JSON.stringify({ pid: 2 ** 22, began: '1' }));
  DataFolder.open(path).close();
});

test('a process id that was handed out again does not keep the lock', () => {
  const path = join(folder, 'reused');
  DataFolder.open(path).close();
  writeFileSync(join(path, 'lock'), JSON.stringify({ pid: process.pid, began: 'at another time' }));
  DataFolder.open(path).close();
});

test('the data folder can be read by its owner only', () => {
  const path = join(folder, 'private');
  DataFolder.open(path).close();
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('ports are remembered for the next start', () => {
  const path = join(folder, 'ports');
  const first = DataFolder.open(path);
  first.rememberPort('ui', 12345);
  first.close();
  const second = DataFolder.open(path);
  assert.equal(second.portOf('ui'), 12345);
  second.close();
});

test('a server that a killed instance left running is ended before a new one starts', async () => {
  const path = join(folder, 'leftover');
  const server = spawn('sleep', ['60'], { stdio: 'ignore' });
  const killed = DataFolder.open(path);
  const identity = identify(server.pid ?? 0);
  killed.rememberProcess('mongo', identity);
  killed.close();

  const said: string[] = [];
  const next = DataFolder.open(path);
  await next.endLeftovers((sentence) => said.push(sentence));
  next.close();
  assert.equal(isRunning(identity), false);
  assert.match(said.join(), new RegExp(`mongo: ending process ${server.pid}, left over`));
});

test('a foreign process that got the id of a dead server is left alone', async () => {
  const path = join(folder, 'foreign');
  const foreign = spawn('sleep', ['60'], { stdio: 'ignore' });
  const killed = DataFolder.open(path);
  killed.rememberProcess('temporal', { pid: foreign.pid ?? 0, began: 'at another time' });
  killed.close();

  const next = DataFolder.open(path);
  await next.endLeftovers(() => assert.fail('nothing is to be ended'));
  next.close();
  assert.equal(foreign.exitCode, null);
  foreign.kill('SIGKILL');
});

test('who waits for a lock gets it when it is released', async () => {
  const file = join(folder, 'waiting.lock');
  const order: string[] = [];
  let enter = (): void => undefined;
  const entered = new Promise<void>((resolve) => (enter = resolve));
  const first = withLock(
    file,
    () => order.push('first waits'),
    async () => {
      enter();
      await new Promise((resolve) => setTimeout(resolve, 100));
      order.push('first');
    },
  );
  await entered;
  await withLock(
    file,
    () => order.push('second waits'),
    async () => order.push('second'),
  );
  await first;
  assert.deepEqual(order, ['second waits', 'first', 'second']);
});
