import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const root = resolve(import.meta.dirname, '../..');
const data = mkdtempSync(join(tmpdir(), 'orderhub-demo-'));
const SHOP = 'demo-taobao';

interface Demo {
  child: ChildProcess;
  url: string;
  output: () => string;
  ended: Promise<number | null>;
}

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGTERM');
});
after(() => rmSync(data, { recursive: true, force: true, maxRetries: 10 }));

const crowding = (): number => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

const start = async (): Promise<Demo> => {
  const env = { ...process.env, NODE_ENV: 'production', ORDERHUB_DATA: data, ORDERHUB_PORT: '0' };
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, ORDERHUB_LOG_LEVEL: 'info', ORDERHUB_LOG_FORMAT: 'json' },
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  await eventually(60, () => /^ready /m.test(output) || child.exitCode !== null);
  const url = /^ready .*API (\S+)/m.exec(output)?.[1];
  assert.ok(url, `it ended before it was ready:\n${output}`);
  return { child, url, output: () => output, ended };
};

const eventually = async (seconds: number, check: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + seconds * 1000 * crowding();
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `not within ${seconds} s`);
    await sleep(500);
  }
};

interface StepLine {
  message: string;
  orderId: string;
  happened: string;
  status: string;
}

const stepsIn = (output: string): StepLine[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as StepLine)
    .filter(({ message, orderId }) => message === 'order' && orderId.startsWith(`${SHOP}.`));

const signedIn = async (url: string) => {
  const password = readFileSync(join(data, 'demo-password'), 'utf8').trim();
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const body = JSON.stringify({ username: 'demo-operations', password });
  const login = (await (await fetch(`${url}/v1/auth/login`, { ...post, body })).json()) as { accessToken: string };
  return async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${login.accessToken}` } });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as T;
  };
};

const openOrders = async (get: <T>(path: string) => Promise<T>, status: string): Promise<string[]> =>
  (await get<{ items: { orderId: string }[] }>(`/v1/orders?shopId=${SHOP}&status=${status}&limit=200`)).items.map(
    ({ orderId }) => orderId,
  );

test('a platform order of the demo is seen from arrival to completed, and what is under way outlives a kill', async () => {
  const first = await start();
  const completed = (): string | undefined =>
    stepsIn(first.output()).find(({ status }) => status === 'completed')?.orderId;
  await eventually(90, () => completed() !== undefined);
  const lived = stepsIn(first.output()).filter(({ orderId }) => orderId === completed());
  const happened = lived.map((step) => step.happened).join(' ');
  for (const code of ['order_received', 'reserved(demo-wms)', 'handed_over(D1)', 'shipped(S1)', 'platform_told(S1)'])
    assert.ok(happened.includes(code), `${code} in ${happened}`);
  const get = await signedIn(first.url);
  assert.equal((await get<{ status: string }>(`/v1/orders/${completed()}`)).status, 'completed');
  assert.equal((await get<{ state: string }>(`/v1/shops/${SHOP}/sync`)).state, 'healthy');
  const { baseUrl } = await get<{ baseUrl: string }>(`/v1/shops/${SHOP}`);
  const underWay = await openOrders(get, 'awaiting_shipment');
  const { processes } = JSON.parse(readFileSync(join(data, 'instance.json'), 'utf8')) as {
    processes: Record<string, { pid: number }>;
  };
  for (const { pid } of Object.values(processes)) process.kill(pid, 'SIGKILL');
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await start();
  const getAgain = await signedIn(second.url);
  await eventually(90, async () => {
    const open = await openOrders(getAgain, 'awaiting_shipment');
    return underWay.every((orderId) => !open.includes(orderId));
  });
  assert.equal((await getAgain<{ baseUrl: string }>(`/v1/shops/${SHOP}`)).baseUrl, baseUrl);
  await eventually(60, () => stepsIn(second.output()).some(({ status }) => status === 'completed'));
  second.child.kill('SIGTERM');
  assert.equal(await second.ended, 0);
});
