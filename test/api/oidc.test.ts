import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { startTestApi } from './api-harness.ts';

const { privateKey, publicKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
let isDown = false;
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
const server = createServer((req, res) => {
  if (isDown) return res.writeHead(500).end();
  const body = req.url?.includes('openid-configuration') ? { issuer, jwks_uri: `${issuer}/jwks` } : { keys: [jwk] };
  return res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
after(() => server.close());
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const api = await startTestApi({
  settings: { oidc: { issuer, audience: 'orderhub', rolesClaim: 'realm_access.roles' } },
});

interface Claims {
  name?: string;
  roles?: string[];
  aud?: string;
  exp?: number;
  key?: typeof privateKey;
  alg?: string;
}
const token = ({ name = 'olga', roles = ['finance'], aud = 'orderhub', exp, key = privateKey }: Claims = {}) =>
  new SignJWT({ preferred_username: name, name: 'Olga O.', realm_access: { roles } })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(aud)
    .setSubject(`sub-${name}`)
    .setIssuedAt()
    .setExpirationTime(exp ?? Math.floor(Date.now() / 1000) + 300)
    .sign(key);
const me = async (credential: string) => api.call('GET', '/v1/me', { token: credential });

describe('an external issuer', () => {
  it('that does not answer makes 503, not 401, and is asked again', async () => {
    isDown = true;
    assert.equal((await me(await token())).status, 503);
    isDown = false;
    assert.equal((await me(await token())).status, 200);
  });

  it('gives people the roles of its claim, and makes them users', async () => {
    const { status, body } = await me(await token({ roles: ['finance', 'something-else'] }));
    assert.equal(status, 200);
    assert.deepEqual([body.username, body.displayName, body.roles], ['olga', 'Olga O.', ['finance']]);
    const user = await api.deps.users.find('olga');
    assert.equal(user?.source, 'oidc');
    const [entry] = await api.deps.audit.list({ entity: 'user/olga', limit: 5 });
    assert.equal(entry?.action, 'user.created');
  });

  it('changes roles with the next token, and a local admin can disable', async () => {
    const changed = await me(await token({ roles: ['auditor'] }));
    assert.deepEqual(changed.body.roles, ['auditor']);
    const admin = await api.as('root', ['admin']);
    const patch = (body: object) => api.call('PATCH', '/v1/users/olga', { token: admin, body });
    assert.equal((await patch({ roles: ['admin'] })).status, 422);
    assert.equal((await patch({ disabled: true })).status, 200);
    assert.equal((await me(await token({ roles: ['auditor'] }))).status, 401);
  });

  it('is trusted only for its own key, audience and time', async () => {
    const name = 'paula';
    for (const bad of [
      await token({ name, key: stranger.privateKey }),
      await token({ name, aud: 'somebody-else' }),
      await token({ name, exp: Math.floor(Date.now() / 1000) - 60 }),
      await token({ name: 'not a name' }),
    ])
      assert.equal((await me(bad)).status, 401);
    assert.equal(await api.deps.users.find(name), null);
  });

  it('cannot take over a local user', async () => {
    await api.as('local', ['auditor']);
    assert.equal((await me(await token({ name: 'local', roles: ['admin'] }))).status, 401);
    assert.deepEqual((await api.deps.users.find('local'))?.roles, ['auditor']);
  });

  it('does not give a password to its people', async () => {
    await me(await token({ name: 'quinn' }));
    const body = { username: 'quinn', password: 'some password here' };
    assert.equal((await api.call('POST', '/v1/auth/login', { body })).status, 401);
  });
});
