import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '../../runtime/logger.ts';
import { Shutdown } from '../../runtime/shutdown.ts';

const logger = createLogger({ stream: new PassThrough().resume() });
const newShutdown = (timeoutMs = 1000) => {
  const codes: number[] = [];
  return { shutdown: new Shutdown({ logger, timeoutMs, exit: (code) => codes.push(code) }), codes };
};

test('what was started last stops first, each after the other, and once', async () => {
  const { shutdown, codes } = newShutdown();
  const order: string[] = [];
  for (const name of ['mongo', 'worker', 'api'])
    shutdown.onStop(name, async () => {
      order.push(`${name} stopping`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(`${name} stopped`);
    });
  await Promise.all([shutdown.begin('test'), shutdown.begin('again')]);
  assert.deepEqual(
    order,
    ['api', 'worker', 'mongo'].flatMap((name) => [`${name} stopping`, `${name} stopped`]),
  );
  assert.deepEqual(codes, [0]);
  assert.equal(shutdown.signal.aborted, true);
});

test('a step that fails or hangs does not keep the others from stopping, but shows in the exit code', async () => {
  const { shutdown, codes } = newShutdown(200);
  const stopped: string[] = [];
  shutdown.onStop('mongo', () => stopped.push('mongo'));
  shutdown.onStop('hangs', () => new Promise(() => {}));
  shutdown.onStop('throws', () => {
    throw new Error('no');
  });
  const startedAtMs = Date.now();
  await shutdown.begin('test');
  assert.deepEqual(stopped, ['mongo']);
  assert.deepEqual(codes, [1]);
  assert.ok(Date.now() - startedAtMs < 1000);
});

const program = `
  import { createLogger } from '${new URL('../../runtime/logger.ts', import.meta.url).href}';
  import { Shutdown } from '${new URL('../../runtime/shutdown.ts', import.meta.url).href}';
  const shutdown = new Shutdown({ logger: createLogger(), timeoutMs: 20000 });
  shutdown.listen();
  shutdown.onStop('slow', () => new Promise((resolve) => setTimeout(resolve, Number(process.argv[1]))));
  setInterval(() => {}, 1000);
  console.log('up');`;

const startProgram = async (stopMs: number) => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, String(stopMs)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return child;
};

test('SIGTERM and the same news from the terminal are one request to stop', async () => {
  const child = await startProgram(300);
  child.kill('SIGTERM');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a second Ctrl-C ends it at once', async () => {
  const child = await startProgram(15_000);
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 900));
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
});
