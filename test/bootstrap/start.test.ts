import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../../runtime/embedded/process-identity.ts';

const root = resolve(import.meta.dirname, '../..');
const data = mkdtempSync(join(tmpdir(), 'orderhub-whole-'));
const PASSWORD = 'a password for this test';

interface Instance {
  child: ChildProcess;
  url: string;
  tookMs: number;
  output: () => string;
  exitCode: Promise<number | null>;
}

/** As a user would, and without npm in between where our own process is to be killed. */
const NPM_START = ['npm', 'start', '--', '--no-demo'] as const;
const OWN_START = [process.execPath, 'scripts/start.mjs', '--no-demo'] as const;

const instances: Instance[] = [];

const start = async (...command: [string, ...string[]]): Promise<Instance> => {
  const began = Date.now();
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      ORDERHUB_DATA: data,
      ORDERHUB_PORT: '0',
      ORDERHUB_ADMIN_PASSWORD: PASSWORD,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = new Promise<number | null>((done) => child.once('close', done));
  const isOver = exitCode.then(() => true);
  while (!/^ready /m.test(output))
    if (await Promise.race([isOver, sleep(50, false)])) assert.fail(`it ended before it was ready:\n${output}`);
  const url = /^ready .*API (\S+)/m.exec(output)?.[1] ?? '';
  const instance = { child, url, tookMs: Date.now() - began, output: () => output, exitCode };
  instances.push(instance);
  return instance;
};

const processes = (): ProcessIdentity[] =>
  Object.values(
    JSON.parse(readFileSync(join(data, 'instance.json'), 'utf8')).processes as Record<string, ProcessIdentity>,
  );

const eventually = async (check: () => boolean): Promise<void> => {
  const deadline = Date.now() + 30_000;
  while (!check()) {
    assert.ok(Date.now() < deadline, 'not within 30 s');
    await sleep(50);
  }
};

const stop = async ({ child, exitCode }: Instance): Promise<number | null> => {
  child.kill('SIGTERM');
  return exitCode;
};

afterEach(() => Promise.all(instances.map(stop)));
after(() => rmSync(data, { recursive: true, force: true, maxRetries: 10 }));

/** How many times longer things take here, because others use the machine as well. */
const crowding = (): number => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

const caller = async (url: string) => {
  const call = async (method: string, path: string, body?: object, token?: string) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const { accessToken } = await call('POST', '/v1/auth/login', { username: 'admin', password: PASSWORD });
  return (method: string, path: string, body?: object) => call(method, path, body, String(accessToken));
};

const ORDER = {
  shopId: 'own1',
  platformOrderId: 'W1',
  type: 'normal',
  placedAt: new Date().toISOString(),
  currency: 'CNY',
  buyer: { id: 'u1', firstOrder: false },
  receiver: {
    name: '张三',
    phone: '13800138000',
    province: '浙江省',
    city: '杭州市',
    district: '西湖区',
    address: '文三路 1 号',
    pickupStation: false,
  },
  lines: [{ lineId: '1', skuCode: 'TEE-M', title: 'Tee', quantity: 2, unitPrice: 5000, discount: 0 }],
  orderDiscount: 0,
  freight: 0,
  payable: 10000,
  payments: [],
};

test('the whole system starts within 20 s, and an open order goes on after a restart', async () => {
  const first = await start(...NPM_START);
  assert.ok(first.tookMs < 20_000 * crowding(), `ready after ${first.tookMs} ms`);
  assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
  assert.equal((await fetch(`${first.url}/docs`)).status, 200);
  const ui = /Temporal UI (\S+)/.exec(first.output())?.[1] ?? '';
  assert.equal((await fetch(ui)).status, 200);
  const before = await caller(first.url);
  await before('PUT', '/v1/shops/own1', { channel: 'own', name: 'Own', currency: 'CNY', credentials: {} });
  await before('PUT', '/v1/warehouses/hz', { name: 'Hangzhou', province: '浙江省', city: '杭州市' });
  await before('POST', '/v1/stock/receipts', { warehouseId: 'hz', lines: [{ skuCode: 'TEE-M', quantity: 5 }] });
  assert.equal((await before('POST', '/v1/orders', ORDER))['status'], 'pending_payment');
  const started = processes();
  assert.equal(started.length, 3);
  assert.equal(await stop(first), 0);
  assert.match(first.output(), /stopping[^]*stopped\n$/);
  assert.equal(first.output().match(/^ready /gm)?.length, 1);
  assert.ok(!existsSync(join(data, 'simulators')), 'simulators were started without the demo');
  assert.deepEqual(started.filter(isRunning), []);

  const second = await start(...NPM_START);
  const again = await caller(second.url);
  const payment = {
    paymentId: 'p1',
    method: 'alipay',
    transactionId: 't1',
    amount: 10000,
    paidAt: new Date().toISOString(),
  };
  const paid = await again('POST', '/v1/orders/own1.W1/payments', payment);
  assert.equal(paid['paymentStatus'], 'paid');
  const stock = (await again('GET', '/v1/stock?skuCode=TEE-M'))['items'] as { reserved: number; available: number }[];
  assert.deepEqual(
    stock.map(({ reserved, available }) => ({ reserved, available })),
    [{ reserved: 2, available: 3 }],
  );
  assert.equal(await stop(second), 0);
});

test('after a kill of everything, the next start goes on with the same data', async () => {
  const killed = await start(...OWN_START);
  for (const { pid } of processes().toReversed()) process.kill(pid, 'SIGKILL');
  killed.child.kill('SIGKILL');
  await killed.exitCode;

  const next = await start(...OWN_START);
  const order = await (await caller(next.url))('GET', '/v1/orders/own1.W1');
  assert.equal(order['paymentStatus'], 'paid');
  assert.equal(await stop(next), 0);
});

test('a killed supervisor leaves servers that the next start takes over, and an application that ends by itself', async () => {
  const killed = await start(...OWN_START);
  killed.child.kill('SIGKILL');
  await killed.exitCode;
  const left = processes();
  const next = await start(...OWN_START);
  assert.match(next.output(), /left over from an earlier start/);
  await eventually(() => left.every((identity) => !isRunning(identity)));
  assert.equal(await stop(next), 0);
});
