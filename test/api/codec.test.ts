import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PASSWORD, startTestApi } from './api-harness.ts';

const UI = 'http://127.0.0.1:8233';
const api = await startTestApi({ settings: { uiOrigins: [UI] } });
const admin = await api.as('root', ['admin']);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const clear = { payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64('{"secret":"value"}') }] };

const encode = async () => (await api.call('POST', '/v1/codec/encode', { token: admin, body: clear })).body;
const decode = (token: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
  api.call('POST', '/v1/codec/decode', { token, body, headers });

const signIn = async (username: string, password = PASSWORD, origin: string | undefined = api.url) =>
  fetch(`${api.url}/v1/codec/login`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...(origin === undefined ? {} : { Origin: origin }),
    },
    body: new URLSearchParams({ username, password }),
  });
const cookieOf = (response: Response): string => (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

describe('the codec endpoint', () => {
  it('encrypts and decrypts in the codec server form', async () => {
    const encrypted = await encode();
    assert.ok(!JSON.stringify(encrypted).includes(base64('{"secret"').slice(0, 8)));
    const { status, body } = await decode(admin, encrypted, { 'X-Namespace': 'default' });
    assert.equal(status, 200);
    assert.deepEqual(body, clear);
    const [entry] = await api.deps.audit.list({ entity: 'user/root', limit: 1 });
    assert.equal(entry?.action, 'payload.decoded');
    assert.deepEqual(entry?.detail, { payloads: 1, namespace: 'default' });
  });

  it('takes the options that the Temporal UI adds to the address', async () => {
    const options = { token: admin, body: (await encode()) as object };
    const { status, body } = await api.call('POST', '/v1/codec/decode?preserveStorageRefs=true', options);
    assert.equal(status, 200);
    assert.deepEqual(body, clear);
  });

  it('is for admin only', async () => {
    for (const role of ['cs_supervisor', 'auditor', 'service'] as const)
      assert.equal((await decode(await api.as(`u-${role}`, [role]), clear)).status, 403);
    assert.equal((await decode(undefined, clear)).status, 401);
  });

  it('refuses what is not in that form or cannot be decrypted', async () => {
    for (const body of [{}, { payloads: 1 }, { payloads: [1] }, { payloads: [{ data: '%' }] }, []])
      assert.equal((await decode(admin, body)).status, 400, JSON.stringify(body));
    const encrypted = await encode();
    encrypted.payloads[0].data = `${encrypted.payloads[0].data.slice(0, -8)}AAAAAAA=`;
    assert.equal((await decode(admin, encrypted)).status, 422);
  });

  it('lets the pages of the UI call it, and no others', async () => {
    const preflight = (origin: string) =>
      api.call('OPTIONS', '/v1/codec/decode', {
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
    const ours = await preflight(UI);
    assert.equal(ours.status, 204);
    assert.equal(ours.headers.get('access-control-allow-origin'), UI);
    assert.equal(ours.headers.get('access-control-allow-credentials'), 'true');
    assert.match(ours.headers.get('access-control-allow-headers') ?? '', /x-namespace/);
    const foreign = await preflight('http://evil.example');
    assert.equal(foreign.headers.get('access-control-allow-origin'), null);
    const elsewhere = await api.call('GET', '/v1/me', { token: admin, headers: { Origin: UI } });
    assert.equal(elsewhere.headers.get('access-control-allow-origin'), null);
  });

  it('takes a cookie that the sign-in page gave, from the pages of the UI alone', async () => {
    const encrypted = await encode();
    const response = await signIn('root');
    assert.equal(response.status, 200);
    assert.match(
      response.headers.get('set-cookie') ?? '',
      /HttpOnly; SameSite=Strict; Path=\/v1\/codec\/; Max-Age=3600/,
    );
    const Cookie = cookieOf(response);
    assert.equal((await decode(undefined, encrypted, { Cookie, Origin: UI })).status, 200);
    assert.equal((await decode(undefined, encrypted, { Cookie })).status, 401);
    assert.equal((await decode(undefined, encrypted, { Cookie, Origin: 'http://evil.example' })).status, 401);
    const me = await api.call('GET', '/v1/me', { headers: { Cookie, Origin: UI } });
    assert.equal(me.status, 401, 'the cookie opens nothing else');
    const token = Cookie.split('=')[1];
    assert.equal((await api.call('GET', '/v1/me', { token })).status, 401);
  });

  it('signs in only who may decode, on its own page', async () => {
    await api.as('eve', ['auditor']);
    assert.equal((await signIn('eve')).status, 403);
    assert.equal((await signIn('root', 'wrong password')).status, 401);
    assert.equal((await signIn('root', PASSWORD, 'http://evil.example')).status, 403);
    assert.equal((await signIn('root', PASSWORD, 'null')).status, 403);
    const page = await api.call('GET', '/v1/codec/login');
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy') ?? '', /form-action 'self'/);
    // Without it browsers send the form's Origin as null, which is refused above.
    assert.equal(page.headers.get('referrer-policy'), 'same-origin');
  });

  it('ends with the session and the roles of who signed in', async () => {
    await api.as('temp', ['admin']);
    const encrypted = await encode();
    const Cookie = cookieOf(await signIn('temp'));
    assert.equal((await decode(undefined, encrypted, { Cookie, Origin: UI })).status, 200);
    await api.call('PATCH', '/v1/users/temp', { token: admin, body: { roles: ['auditor'] } });
    assert.equal((await decode(undefined, encrypted, { Cookie, Origin: UI })).status, 403);
    await api.call('PATCH', '/v1/users/temp', { token: admin, body: { disabled: true } });
    assert.equal((await decode(undefined, encrypted, { Cookie, Origin: UI })).status, 401);
  });
});
