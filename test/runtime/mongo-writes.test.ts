import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../runtime/logger.ts';
import { connectMongo } from '../../runtime/mongo.ts';
import { mongoUri } from '../support/servers.ts';

/** The test's MongoDB behind a door that can be made to take nothing any more, as a server that hangs. */
const openDoor = async (target: URL) => {
  const sockets = new Set<Socket>();
  let isStuck = false;
  const door = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    sockets.add(client).add(server);
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    if (isStuck) return;
    client.pipe(server);
    server.pipe(client);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  return {
    port: (door.address() as AddressInfo).port,
    stick() {
      isStuck = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      door.close();
    },
  };
};

const LARGE = 'x'.repeat(12_000_000);

test(
  'a write that is too large for its socket ends when its server hangs and is given up',
  { timeout: 60_000 },
  async () => {
    const target = new URL(await mongoUri());
    const door = await openDoor(target);
    const database = `writes-${randomUUID().slice(0, 8)}`;
    // The monitor gives up after connectTimeoutMS and closes what is in use, long before the socket's own limit.
    const options = 'directConnection=true&heartbeatFrequencyMS=500&connectTimeoutMS=1000&retryWrites=false';
    const logger = createLogger({ stream: new PassThrough().resume() });
    const connection = await connectMongo(`mongodb://127.0.0.1:${door.port}/${database}?${options}`, logger);
    try {
      const things = connection.collection('things');
      await things.insertOne({ is: 'small' });
      door.stick();
      const outcome = things.insertOne({ text: LARGE }).then(
        () => 'written',
        (error: Error) => error.name,
      );
      const ended = await Promise.race([outcome, sleep(15_000, 'still waiting', { ref: false })]);
      assert.match(ended, /^(MongoNetwork|PoolClearedOnNetwork)/);
    } finally {
      door.close();
      await connection.close(true);
      const own = await connectMongo(`mongodb://${target.host}/${database}?directConnection=true`, logger);
      await own.dropDatabase();
      await own.close();
    }
  },
);
