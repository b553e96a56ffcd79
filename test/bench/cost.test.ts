import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

/** Small, because only what holds on noisy machines is asked: events, transitions, the engine's CPU ratio. */
const ARGS = ['--import', 'tsx', 'bench/main.ts', '--rounds', '3', '--orders', '40', '--gate'];

const needsProc = process.platform === 'linux' ? false : 'process costs are read from /proc';

test('an ordinary order costs the engine no more than its limits', { skip: needsProc, timeout: 240_000 }, async () => {
  const child = spawn(process.execPath, ARGS, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  assert.equal(code, 0, printed);
  assert.match(printed, /history events an order/);
});
