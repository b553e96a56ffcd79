import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mongo } from 'mongoose';
import { DataFolder } from '../../runtime/embedded/data-folder.ts';
import { EmbeddedServers, settlePort } from '../../runtime/embedded/embedded-servers.ts';
import { acceptsConnections, withFreePorts } from '../../runtime/embedded/ports.ts';
import { isRunning, type ProcessIdentity } from '../../runtime/embedded/process-identity.ts';

const folder = mkdtempSync(join(tmpdir(), 'orderhub-embedded-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const open = (name: string, env: Record<string, string> = {}) => {
  const data = DataFolder.open(join(folder, name));
  const said: string[] = [];
  const servers = new EmbeddedServers({
    env: { ...process.env, ...env },
    data,
    codecEndpoint: 'http://127.0.0.1:1/v1/codec',
    say: (sentence) => said.push(sentence),
  });
  return { data, servers, said };
};

const processOf = (name: string, server: 'mongo' | 'temporal'): ProcessIdentity =>
  JSON.parse(readFileSync(join(folder, name, 'instance.json'), 'utf8')).processes[server];

const withOrders = async <T>(uri: string | undefined, work: (orders: mongo.Collection) => Promise<T>): Promise<T> => {
  const client = await new mongo.MongoClient(uri ?? '', { serverSelectionTimeoutMS: 20_000 }).connect();
  try {
    return await work(client.db('bootstrap').collection('orders'));
  } finally {
    await client.close();
  }
};

const eventually = async (check: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 20_000;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, 'not within 20 s');
    await sleep(50);
  }
};

test('an acknowledged write survives a kill of MongoDB, which is started again on the same port', async () => {
  const { data, servers, said } = open('killed', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  try {
    const { mongoUri } = await servers.start();
    await withOrders(mongoUri, (orders) =>
      orders.insertOne({ order: 'W1' }, { writeConcern: { w: 'majority', journal: true } }),
    );
    const before = processOf('killed', 'mongo');
    process.kill(before.pid, 'SIGKILL');
    await eventually(
      () => processOf('killed', 'mongo').pid !== before.pid && acceptsConnections(Number(new URL(mongoUri ?? '').port)),
    );
    assert.equal(await withOrders(mongoUri, (orders) => orders.countDocuments({ order: 'W1' })), 1);
    assert.match(said.join('\n'), /mongo: ended unexpectedly, starting it again/);
  } finally {
    await servers.stop();
    data.close();
  }
});

test('a transaction and a change stream work on the embedded MongoDB', async () => {
  const { data, servers } = open('replica-set', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  try {
    const { mongoUri } = await servers.start();
    const client = await new mongo.MongoClient(mongoUri ?? '').connect();
    const orders = client.db('bootstrap').collection('orders');
    await orders.insertOne({ order: 'W0' });
    const stream = orders.watch();
    const next = stream.next();
    await sleep(200);
    await client.withSession((session) =>
      session.withTransaction(() => orders.insertOne({ order: 'W1' }, { session })),
    );
    const change = await next;
    assert.equal(change.operationType === 'insert' && change.fullDocument.order, 'W1');
    await stream.close();
    await client.close();
  } finally {
    await servers.stop();
    data.close();
  }
});

test('a second start has the same ports, the same data and ends everything it started', async () => {
  const first = open('twice');
  const started = await first.servers.start();
  await withOrders(started.mongoUri, (orders) => orders.insertOne({ order: 'W2' }));
  const processes = [processOf('twice', 'mongo'), processOf('twice', 'temporal')];
  await first.servers.stop();
  first.data.close();
  assert.deepEqual(processes.map(isRunning), [false, false]);

  const second = open('twice');
  try {
    assert.deepEqual(await second.servers.start(), started);
    assert.equal(await withOrders(started.mongoUri, (orders) => orders.countDocuments({ order: 'W2' })), 1);
    assert.equal((await fetch(started.uiUrl ?? '')).status, 200);
  } finally {
    await second.servers.stop();
    second.data.close();
  }
});

test('no server is started where an existing one is given, also by a file with its address', async () => {
  const given = { TEMPORAL_ADDRESS: 'temporal.example:7233', MONGODB_URI_FILE: '/run/secrets/mongo' };
  const { data, servers } = open('existing', given);
  assert.deepEqual(await servers.start(), { temporalAddress: undefined, mongoUri: undefined, uiUrl: undefined });
  data.close();
});

test('a configured port that is in use is named together with its variable', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const data = DataFolder.open(join(folder, 'taken'));
  await assert.rejects(
    settlePort(data, 'ui', 'ORDERHUB_UI_PORT', String(port)),
    new RegExp(`port ${port} is in use by another program; set ORDERHUB_UI_PORT`),
  );
  await assert.rejects(settlePort(data, 'ui', 'ORDERHUB_UI_PORT', '80x'), /ORDERHUB_UI_PORT must be a port/);
  data.close();
  other.close();
});

test('a port that another program took in between is chosen anew, and other failures are not repeated', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  try {
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const ports = [port, 0];
    const server = await withFreePorts(async () => {
      const next = createServer();
      next.listen(ports.shift(), '127.0.0.1');
      await once(next, 'listening');
      return next;
    });
    server.close();
    assert.deepEqual(ports, []);
  } finally {
    taken.close();
  }
  let tries = 0;
  const failing = withFreePorts(async () => {
    tries += 1;
    throw new Error('the disk is full');
  });
  await assert.rejects(failing, /the disk is full/);
  assert.equal(tries, 1);
});
