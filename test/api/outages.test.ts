import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { eventually, startTestApi } from './api-harness.ts';
import { mongoUri } from '../support/servers.ts';

const target = new URL(await mongoUri());
const sockets = new Set<Socket>();
let isCut = false;
const proxy = createServer((socket) => {
  if (isCut) return socket.destroy();
  const upstream = connect(Number(target.port || 27017), target.hostname);
  for (const one of [socket, upstream]) {
    sockets.add(one);
    one.on('error', () => {});
    one.on('close', () => sockets.delete(one));
  }
  return socket.pipe(upstream).pipe(socket);
});
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
const through = new URL(target);
through.port = String((proxy.address() as AddressInfo).port);
through.searchParams.set('directConnection', 'true');

const api = await startTestApi({ mongoUri: through.href });
// After the hooks of the API, which still need it.
after(() => {
  proxy.close();
  for (const socket of sockets) socket.destroy();
});
const token = await api.as('root', ['admin']);

describe('while MongoDB is down', () => {
  it('answers 503 with Retry-After, stays alive, and serves again afterwards', async () => {
    assert.equal((await api.call('GET', '/v1/users', { token })).status, 200);
    isCut = true;
    for (const socket of sockets) socket.destroy();
    const answers = await Promise.all([
      api.call('GET', '/v1/users', { token }),
      api.call('POST', '/v1/auth/login', { body: { username: 'root', password: 'whatever it is' } }),
      api.call('GET', '/v1/me', { token: await api.deps.tokens.issue('root', 'another session') }),
    ]);
    for (const { status, body, headers } of answers) {
      assert.equal(status, 503);
      assert.equal(body.code, 'unavailable');
      assert.ok(Number(headers.get('retry-after')) > 0);
    }
    assert.equal((await api.call('GET', '/healthz')).status, 200);
    isCut = false;
    await eventually(async () => assert.equal((await api.call('GET', '/v1/users', { token })).status, 200), 15_000);
  });
});
