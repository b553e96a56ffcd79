import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PASSWORD, startTestApi } from './api-harness.ts';

const api = await startTestApi();
await api.as('alice', ['cs_supervisor'], ['own1']);

describe('sign-in', () => {
  const login = (username: string, password: string) =>
    api.call('POST', '/v1/auth/login', { body: { username, password } });

  it('gives tokens and the user for the right password', async () => {
    const { status, body } = await login('alice', PASSWORD);
    assert.equal(status, 200);
    assert.equal(body.tokenType, 'Bearer');
    assert.equal(body.expiresInSec, 900);
    assert.deepEqual(body.user.roles, ['cs_supervisor']);
    assert.deepEqual(body.user.shopIds, ['own1']);
    assert.equal('passwordHash' in body.user, false);
    const me = await api.call('GET', '/v1/me', { token: body.accessToken });
    assert.equal(me.status, 200);
    assert.equal(me.body.username, 'alice');
  });

  it('answers a wrong password and an unknown user alike', async () => {
    const wrong = await login('alice', 'not the password');
    const unknown = await login('nobody', 'not the password');
    for (const { status, body } of [wrong, unknown]) {
      assert.equal(status, 401);
      assert.equal(body.code, 'invalid_credentials');
    }
    assert.equal(wrong.body.detail, unknown.body.detail);
  });

  it('answers 429 with Retry-After after many wrong passwords of one name, and lets others in', async () => {
    await api.as('bob', ['auditor']);
    await api.as('carol', ['auditor']);
    let last = await login('bob', 'wrong wrong wrong');
    for (let i = 0; i < 5; i += 1) last = await login('bob', 'wrong wrong wrong');
    assert.equal(last.status, 429);
    assert.equal(last.body.code, 'rate_limited');
    assert.ok(Number(last.headers.get('retry-after')) > 0);
    assert.equal((await login('bob', PASSWORD)).status, 429, 'the right password does not help either');
    assert.equal((await login('carol', PASSWORD)).status, 200);
  });

  it('takes each refresh token once and ends the session when one is used twice', async () => {
    const { body: first } = await login('alice', PASSWORD);
    const second = await api.call('POST', '/v1/auth/refresh', { body: { refreshToken: first.refreshToken } });
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refreshToken, first.refreshToken);
    const again = await api.call('POST', '/v1/auth/refresh', { body: { refreshToken: first.refreshToken } });
    assert.equal(again.status, 401);
    const ofThief = await api.call('POST', '/v1/auth/refresh', { body: { refreshToken: second.body.refreshToken } });
    assert.equal(ofThief.status, 401, 'the newer token of the session is worthless too');
    assert.equal((await api.call('GET', '/v1/me', { token: second.body.accessToken })).status, 401);
  });

  it('ends the session at logout, access token included', async () => {
    const { body } = await login('alice', PASSWORD);
    assert.equal((await api.call('GET', '/v1/me', { token: body.accessToken })).status, 200);
    assert.equal((await api.call('POST', '/v1/auth/logout', { token: body.accessToken })).status, 200);
    assert.equal((await api.call('GET', '/v1/me', { token: body.accessToken })).status, 401);
    const refreshed = await api.call('POST', '/v1/auth/refresh', { body: { refreshToken: body.refreshToken } });
    assert.equal(refreshed.status, 401);
  });

  it('audits wrong passwords of known users and never writes an unknown name down', async () => {
    await login('alice', 'still wrong');
    await login('My-Secret-Password1', 'x');
    const token = await api.as('root', ['admin']);
    const { body } = await api.call('GET', '/v1/audit?entity=user/alice', { token });
    const refused = body.items.find((entry: { action: string }) => entry.action === 'login.refused');
    assert.deepEqual(refused.detail, { reason: 'wrong password' });
    const all = await api.call('GET', '/v1/audit?limit=200', { token });
    assert.ok(!all.text.includes('My-Secret-Password1'));
    assert.ok(all.text.includes('unknown user'));
  });

  it('stores no password, token or key in clear', async () => {
    const { body } = await login('alice', PASSWORD);
    const database = api.deps.connection.db;
    assert.ok(database);
    const names = (await database.listCollections().toArray()).map(({ name }) => name);
    for (const name of names) {
      const dump = JSON.stringify(await database.collection(name).find().toArray());
      for (const secret of [PASSWORD, body.refreshToken, body.accessToken]) assert.ok(!dump.includes(secret), name);
    }
    assert.ok(!api.log().includes(PASSWORD));
    assert.ok(!api.log().includes(body.refreshToken));
  });

  it('refuses a token of another key, algorithm, issuer or audience', async () => {
    const { session } = await api.deps.sessions.open('alice');
    const codecToken = await api.deps.tokens.issue('alice', session._id, 'orderhub-codec');
    const [header, payload] = codecToken.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'token1', typ: 'at+jwt' })).toString('base64url');
    const foreign = await (await startTestApi()).as('alice', ['admin']);
    for (const token of [codecToken, `${none}.${payload}.`, `${header}.${payload}.AAAA`, foreign, 'x', 'ohk_x_y']) {
      const { status, body, headers } = await api.call('GET', '/v1/me', { token });
      assert.equal(status, 401);
      assert.equal(body.code, 'unauthenticated');
      assert.equal(headers.get('www-authenticate'), 'Bearer');
    }
  });

  it('publishes the public keys only', async () => {
    const { body } = await api.call('GET', '/.well-known/jwks.json');
    assert.equal(body.keys[0].crv, 'Ed25519');
    assert.equal(body.keys[0].kid, 'token1');
    assert.equal('d' in body.keys[0], false);
  });

  it('serves other requests while many sign in at once', async () => {
    const flood = Array.from({ length: 40 }, (_, i) => login(`flood${i}`, 'wrong wrong wrong'));
    const startedAt = performance.now();
    assert.equal((await api.call('GET', '/healthz')).status, 200);
    assert.ok(performance.now() - startedAt < 1000);
    await Promise.all(flood);
  });
});
