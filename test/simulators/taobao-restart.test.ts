import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SEND, folder, sendParams, setUp, type Messages } from './taobao-set-up.ts';
import { TopCaller } from './top-caller.ts';

const serve = async (data: string): Promise<{ child: ChildProcess; url: string }> => {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'simulators/serve.ts', '--taobao-port', '0', '--data', data],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const url = /^ready .*taobao=(\S+)/m.exec(chunk.toString())?.[1];
    if (url) return { child, url };
  }
  throw new Error('the simulators did not start');
};

test('what was answered is still so after a SIGKILL', async () => {
  const data = join(folder, 'killed');
  const app = { appKey: 'demo-app', appSecret: 'demo-secret', session: 'demo-session' };
  let { child, url } = await serve(data);
  try {
    let caller = new TopCaller(url, app);
    const post = async (path: string, body: unknown) =>
      (await fetch(`${url}/_control/${path}`, { method: 'POST', body: JSON.stringify(body) })).json() as Promise<{
        tids: string[];
      }>;
    await caller.ok('taobao.tmc.user.permit');
    const { tids } = await post('trades/bulk', { count: 20_000, lines: [{ num: 1 }] });
    const shipped = tids.slice(0, 30);
    for (const tid of shipped) await caller.ok(SEND, sendParams(tid, `SF${tid.slice(-8)}`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    appendFileSync(join(data, 'taobao.jsonl'), '{"kind":"patch","tid":"1","pa');
    const before = performance.now();
    ({ child, url } = await serve(data));
    const restartMs = performance.now() - before;
    assert.ok(restartMs < 10_000, `back after ${Math.round(restartMs)} ms`);
    caller = new TopCaller(url, app);
    const books = (await (await fetch(`${url}/_control/books`)).json()) as {
      trades: { tid: string; consigns: { out_sid: string }[] }[];
    };
    assert.equal(books.trades.length, 20_000);
    assert.deepEqual(
      books.trades
        .filter(({ consigns }) => consigns.length > 0)
        .map(({ tid, consigns }) => [tid, consigns.map((one) => one.out_sid)]),
      shipped.map((tid) => [tid, [`SF${tid.slice(-8)}`]]),
    );
    assert.match(await caller.refusal(SEND, sendParams(shipped[0] ?? '', 'SF0009')), /B04$/);
    const { messages } = await caller.ok<Messages>('taobao.tmc.messages.consume', { quantity: '200' });
    assert.equal(messages?.tmc_message.length, 200, 'messages that nobody confirmed wait on');
    const [fresh] = (await post('trades/bulk', { count: 1 })).tids;
    assert.ok(fresh && !tids.includes(fresh), 'ids are not given twice');
  } finally {
    child.kill('SIGKILL');
  }
});

test('loads 20,000 trades within two seconds, and a journal of many changes becomes short again', async () => {
  const journalFile = join(folder, 'long.jsonl');
  const first = await setUp({ journalFile });
  const tids = first.control.createTrades({ count: 20_000 });
  for (let turn = 0; turn < 5; turn += 1) first.control.touch(20_000, tids);
  const last = first.control.trade(tids[7] ?? '');
  await first.simulator.stop();
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const before = performance.now();
    const next = await setUp({ journalFile });
    times.push(performance.now() - before);
    assert.deepEqual(next.control.trade(tids[7] ?? ''), last);
    assert.equal(next.control.books().trades.length, 20_000);
    await next.simulator.stop();
  }
  assert.ok(Math.min(...times) < 2000, `loaded in ${Math.round(Math.min(...times))} ms`);
});
