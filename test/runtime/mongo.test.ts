import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { createLogger } from '../../runtime/logger.ts';
import { connectMongo, ensureIndexes, pingMongo } from '../../runtime/mongo.ts';
import { mongoUri } from '../support/servers.ts';

const logger = createLogger({ stream: new PassThrough().resume() });
let connection: Connection;

before(async () => {
  const uri = await mongoUri();
  connection = await connectMongo(uri.replace(/\/[^/?]*(\?|$)/, `/runtime-${randomUUID().slice(0, 8)}$1`), logger);
});
after(async () => {
  await connection.dropDatabase();
  await connection.close();
});

test('indexes are made by an explicit step, twice without harm, and never behind our back', async () => {
  const schema = new Schema(
    { key: { type: String, unique: true }, at: { type: Date, expires: 60 } },
    { collection: 'things' },
  );
  const Thing = connection.model('Thing', schema);
  await Thing.create({ key: 'first' });
  assert.deepEqual(
    (await Thing.collection.indexes()).map((index) => index.name),
    ['_id_'],
  );
  await ensureIndexes(connection, logger);
  await ensureIndexes(connection, logger);
  assert.deepEqual((await Thing.collection.indexes()).map((index) => String(index.name)).toSorted(), [
    '_id_',
    'at_1',
    'key_1',
  ]);
  await assert.rejects(Thing.create({ key: 'first' }), /duplicate key/);
});

test('an index that cannot be made is named with its collection', async () => {
  const Clash = connection.model(
    'Clash',
    new Schema({ key: { type: String, unique: true } }, { collection: 'clashes' }),
  );
  await Clash.collection.insertMany([{ key: 'twice' }, { key: 'twice' }] as never[]);
  await assert.rejects(ensureIndexes(connection, logger), /clashes: /);
  connection.deleteModel('Clash');
});

test('transactions commit and abort as a whole', async () => {
  const Pair = connection.model('Pair', new Schema({ key: String, n: Number }, { collection: 'pairs' }));
  await ensureIndexes(connection, logger);
  await connection.withSession((session) =>
    session.withTransaction(async () => {
      await Pair.updateOne({ key: 'a' }, { $inc: { n: 1 } }, { upsert: true, session });
      await Pair.updateOne({ key: 'b' }, { $inc: { n: 1 } }, { upsert: true, session });
    }),
  );
  const failing = connection.withSession((session) =>
    session.withTransaction(async () => {
      await Pair.updateOne({ key: 'a' }, { $inc: { n: 5 } }, { session });
      throw new Error('half-way');
    }),
  );
  await assert.rejects(failing, /half-way/);
  const pairs = await Pair.find().sort({ key: 1 }).lean();
  assert.deepEqual(
    pairs.map(({ key, n }) => [key, n]),
    [
      ['a', 1],
      ['b', 1],
    ],
  );
});

test('a ping answers while there is a primary', async () => {
  await pingMongo(connection);
});

test('an outage surfaces within seconds at start, without the password of the address', async () => {
  const startedAtMs = Date.now();
  await assert.rejects(
    connectMongo('mongodb://orderhub:planted@127.0.0.1:1/orderhub', logger, { connectTimeoutMs: 500 }),
    (error: Error) =>
      /MongoDB at 127\.0\.0\.1:1\/orderhub cannot be used/.test(error.message) && !/planted/.test(error.message),
  );
  assert.ok(Date.now() - startedAtMs < 6000);
});

test('a server that accepts and never answers is given up as well', async () => {
  const sockets = new Set<{ destroy(): unknown }>();
  const mute = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  const { port } = mute.address() as AddressInfo;
  try {
    await assert.rejects(
      connectMongo(`mongodb://127.0.0.1:${port}/x`, logger, { connectTimeoutMs: 500 }),
      /cannot be used/,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    mute.close();
  }
});
