import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bootstrapAdmin } from '../../api/bootstrap-admin.ts';
import { PASSWORD, eventually, startTestApi } from './api-harness.ts';

const api = await startTestApi();
const token = await api.as('root', ['admin']);
/** Without users. */
const [empty, other] = [await startTestApi(), await startTestApi()];

describe('the first start', () => {
  it('creates admin with a password of its own making, once', async () => {
    const password = await bootstrapAdmin(empty.deps, undefined);
    assert.ok(password && password.length >= 20);
    assert.equal(await bootstrapAdmin(empty.deps, undefined), undefined);
    const { status } = await empty.call('POST', '/v1/auth/login', { body: { username: 'admin', password } });
    assert.equal(status, 200);
    assert.ok(!empty.log().includes(password));
  });

  it('creates admin with the password given and tells nobody', async () => {
    assert.equal(await bootstrapAdmin(other.deps, 'a given password'), undefined);
    const body = { username: 'admin', password: 'a given password' };
    assert.equal((await other.call('POST', '/v1/auth/login', { body })).status, 200);
  });
});

describe('users', () => {
  const create = (username: string, more: Record<string, unknown> = {}, as = token) =>
    api.call('POST', '/v1/users', {
      token: as,
      body: { username, password: PASSWORD, displayName: username, roles: ['auditor'], ...more },
    });
  const patch = (username: string, body: Record<string, unknown>, as = token, headers = {}) =>
    api.call('PATCH', `/v1/users/${username}`, { token: as, body, headers });
  const login = async (username: string, password = PASSWORD) =>
    api.call('POST', '/v1/auth/login', { body: { username, password } });

  it('are created with 201 and found in the list', async () => {
    const { status, body, headers } = await create('dora', { roles: ['cs_agent'], shopIds: ['own1'] });
    assert.equal(status, 201);
    assert.equal(body.revision, 1);
    assert.equal(headers.get('etag'), '"1"');
    assert.deepEqual(body.shopIds, ['own1']);
    const { body: list } = await api.call('GET', '/v1/users?limit=200', { token });
    assert.ok(list.items.some(({ username }: { username: string }) => username === 'dora'));
    assert.ok(!JSON.stringify(list).includes('argon2'));
  });

  it('are refused a second time under the name, whatever its case', async () => {
    await create('emil');
    for (const name of ['emil', 'EMIL']) {
      const { status, body } = await create(name);
      assert.equal(status, 409);
      assert.equal(body.code, 'conflict');
    }
    const racers = await Promise.all(Array.from({ length: 5 }, () => create('racer')));
    assert.deepEqual(
      racers.map(({ status }) => status).toSorted((a, b) => a - b),
      [201, 409, 409, 409, 409],
    );
  });

  it('need a sensible name, password, roles and scope', async () => {
    for (const more of [
      { username: '' },
      { username: 'a b' },
      { username: '../x' },
      { username: 'x'.repeat(65) },
      { password: 'short' },
      { password: 'x'.repeat(257) },
      { password: 'aaaaaaaaaaaaaaaa' },
      { username: 'longusername1', password: 'longusername1' },
      { username: 'longusername1', password: 'LongUserName1-' },
      { roles: ['boss'] },
      { roles: ['auditor', 'auditor'] },
      { shopIds: [] },
      { shopIds: ['a b'] },
      { displayName: '' },
      { admin: true },
    ]) {
      const { status, text } = await create('frieda', more);
      assert.equal(status, 400, JSON.stringify(more));
      assert.ok(!text.includes('aaaaaaaaaaaaaaaa'));
    }
  });

  it('lose their access within five seconds when they are disabled, and get it back', async () => {
    await create('greta');
    const { body } = await login('greta');
    assert.equal((await api.call('GET', '/v1/me', { token: body.accessToken })).status, 200);
    assert.equal((await patch('greta', { disabled: true })).status, 200);
    assert.equal((await api.call('GET', '/v1/me', { token: body.accessToken })).status, 401);
    assert.equal((await login('greta')).status, 401);
    const refreshed = await api.call('POST', '/v1/auth/refresh', { body: { refreshToken: body.refreshToken } });
    assert.equal(refreshed.status, 401);
    await patch('greta', { disabled: false });
    assert.equal((await login('greta')).status, 200);
  });

  it('notice a change that another process made within five seconds', async () => {
    await create('hanna');
    const { body } = await login('hanna');
    const audit = () => api.call('GET', '/v1/audit', { token: body.accessToken });
    assert.equal((await audit()).status, 200);
    const user = await api.deps.users.find('hanna');
    assert.ok(user);
    await api.deps.users.update(user, { roles: ['warehouse'] }, new Date());
    const startedAt = Date.now();
    await eventually(async () => assert.equal((await audit()).status, 403));
    assert.ok(Date.now() - startedAt < 5000);
  });

  it('never change their own roles, scope or state; others of them may', async () => {
    for (const change of [{ roles: ['admin', 'finance'] }, { shopIds: ['a'] }, { shopIds: null }, { disabled: true }]) {
      const { status, body } = await patch('root', change);
      assert.equal(status, 403, JSON.stringify(change));
      assert.equal(body.code, 'forbidden');
    }
    assert.equal((await patch('ROOT', { roles: ['finance'] })).status, 403, 'nor under another spelling');
    assert.equal((await patch('root', { displayName: 'Root' })).status, 200);
    const entries = await api.deps.audit.list({ entity: 'user/root', limit: 50 });
    assert.ok(
      entries.some(({ action, detail }) => action === 'request.refused' && detail['operation'] === 'updateUser'),
    );
  });

  it('are changed under If-Match, and the audit has before and after without the password', async () => {
    await create('ida');
    assert.equal((await patch('ida', { displayName: 'Ida' }, token, { 'If-Match': '"2"' })).status, 412);
    const { status, body } = await patch('ida', { roles: ['finance'], password: 'another good one' }, token, {
      'If-Match': '"1"',
    });
    assert.equal(status, 200);
    assert.equal(body.revision, 2);
    const [entry] = await api.deps.audit.list({ entity: 'user/ida', limit: 1 });
    assert.ok(entry);
    assert.equal(entry.action, 'user.updated');
    assert.deepEqual((entry.before as { roles: string[] }).roles, ['auditor']);
    assert.deepEqual((entry.after as { roles: string[] }).roles, ['finance']);
    assert.deepEqual(entry.detail, { passwordChanged: true });
    assert.equal(entry.actor.id, 'root');
    assert.ok(!/argon2|another good/.test(JSON.stringify(entry)));
    assert.equal((await login('ida', 'another good one')).status, 200);
    assert.equal((await login('ida')).status, 401);
  });

  it('hear of it when somebody is granted their signing role', async () => {
    await create('jana', { roles: ['operations'] });
    const jana = await login('jana');
    await create('karl', { roles: ['auditor'] });
    await patch('karl', { roles: ['auditor', 'operations'] });
    const { body } = await api.call('GET', '/v1/me', { token: jana.body.accessToken });
    const notice = body.notices.find(({ detail }: { detail: { username: string } }) => detail.username === 'karl');
    assert.equal(notice.code, 'signing_role_granted');
    assert.deepEqual(notice.detail, { role: 'operations', username: 'karl', grantedBy: 'root' });
  });

  it('outside the scope of an admin are invisible to them, and cannot be made', async () => {
    const scoped = await api.as('scoped-admin', ['admin'], ['s1']);
    await create('lars', { shopIds: ['s1'] });
    await create('mona', { shopIds: ['s1', 's2'] });
    await create('nils');
    assert.equal((await api.call('GET', '/v1/users/lars', { token: scoped })).status, 200);
    assert.equal((await api.call('GET', '/v1/users/mona', { token: scoped })).status, 404);
    assert.equal((await patch('nils', { disabled: true }, scoped)).status, 404);
    assert.equal((await patch('lars', { shopIds: null }, scoped)).status, 403);
    assert.equal((await create('olga', {}, scoped)).status, 403);
    assert.equal((await create('olga', { shopIds: ['s1'] }, scoped)).status, 201);
    const { body } = await api.call('GET', '/v1/users?limit=200', { token: scoped });
    const names = body.items.map(({ username }: { username: string }) => username).toSorted();
    assert.deepEqual(names, ['lars', 'olga', 'scoped-admin']);
  });

  it('are listed page by page, each once', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.call('GET', `/v1/users?limit=3${cursor && `&cursor=${cursor}`}`, { token });
      seen.push(...body.items.map(({ username }: { username: string }) => username));
      cursor = body.nextCursor ?? '';
    } while (cursor);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.length > 10);
    for (const bad of ['x', 'bnVsbA', Buffer.from('{"$gt":1}').toString('base64url')])
      assert.equal((await api.call('GET', `/v1/users?cursor=${bad}`, { token })).status, 400);
  });

  it('change their own password with the old one, and are signed out elsewhere', async () => {
    await create('paul');
    const here = (await login('paul')).body.accessToken;
    const there = (await login('paul')).body.accessToken;
    const change = (currentPassword: string) =>
      api.call('POST', '/v1/me/password', { token: here, body: { currentPassword, newPassword: 'brand new words' } });
    assert.equal((await change('wrong')).status, 401);
    assert.equal((await change(PASSWORD)).status, 200);
    assert.equal((await api.call('GET', '/v1/me', { token: here })).status, 200);
    await eventually(async () => assert.equal((await api.call('GET', '/v1/me', { token: there })).status, 401));
    assert.equal((await login('paul', 'brand new words')).status, 200);
  });
});

describe('api keys', () => {
  const create = (body: Record<string, unknown>) => api.call('POST', '/v1/api-keys', { token, body });
  const me = (apiKey: string) => api.call('GET', '/v1/me', { token: apiKey });

  it('are shown once and work as bearer tokens', async () => {
    const { status, body } = await create({ name: 'erp', shopIds: ['own1'] });
    assert.equal(status, 201);
    assert.match(body.apiKey, /^ohk_[a-z0-9]{12}_[A-Za-z0-9]{43}$/);
    const { body: who } = await me(body.apiKey);
    assert.deepEqual([who.kind, who.username, who.roles, who.shopIds], ['service', body.keyId, ['service'], ['own1']]);
    const list = await api.call('GET', '/v1/api-keys', { token });
    assert.ok(!list.text.includes(body.apiKey) && !list.text.includes('secretHash'));
    const dump = JSON.stringify(await api.deps.connection.collection('api_keys').find().toArray());
    assert.ok(!dump.includes(body.apiKey.slice(-43)));
  });

  it('stop working when revoked or expired, and never with another secret', async () => {
    const { body } = await create({ name: 'wms', roles: ['warehouse'] });
    assert.equal((await me(body.apiKey)).status, 200);
    assert.equal((await me(`${body.apiKey.slice(0, -1)}${body.apiKey.endsWith('a') ? 'b' : 'a'}`)).status, 401);
    assert.equal((await api.call('DELETE', `/v1/api-keys/${body.keyId}`, { token })).status, 200);
    assert.equal((await me(body.apiKey)).status, 401);
    assert.equal(
      (await api.call('DELETE', `/v1/api-keys/${body.keyId}`, { token })).status,
      200,
      'again changes nothing',
    );
    assert.equal((await api.call('DELETE', '/v1/api-keys/nosuchkey', { token })).status, 404);
    const soon = await create({ name: 'soon', expiresAt: new Date(Date.now() + 400).toISOString() });
    assert.equal(soon.status, 201);
    await eventually(async () => assert.equal((await me(soon.body.apiKey)).status, 401));
    const entries = await api.deps.audit.list({ entity: `api-key/${body.keyId}`, limit: 10 });
    assert.deepEqual(
      entries.map(({ action }) => action),
      ['auth.refused', 'api_key.revoked', 'api_key.created'],
    );
  });

  it('hold no role that grants roles or signs', async () => {
    for (const role of ['admin', 'finance', 'operations', 'cs_supervisor', 'cs_agent', 'boss'])
      assert.equal((await create({ name: 'x', roles: [role] })).status, 400, role);
    assert.equal((await create({ name: 'x', expiresAt: '2020-01-01T00:00:00Z' })).status, 400);
  });
});
