import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { Problem } from '../../api/errors.ts';
import { defineRoute } from '../../api/route.ts';
import { idSchema, listQuery, moneySchema, noteSchema, quantitySchema, timeSchema } from '../../api/schemas.ts';
import { startTestApi } from './api-harness.ts';

const thing = z.strictObject({
  id: idSchema,
  amount: moneySchema.optional(),
  quantity: quantitySchema.optional(),
  at: timeSchema.optional(),
  note: noteSchema(20).optional(),
  lines: z.array(z.strictObject({ quantity: quantitySchema })).optional(),
});

const access = { action: 'create', subject: 'Order' } as const;
const success = { status: 200, schema: z.unknown(), description: 'ok' };

const api = await startTestApi({
  routes: () => [
    defineRoute({
      method: 'POST',
      path: '/v1/things',
      operationId: 'createThing',
      tag: 't',
      summary: 's',
      access,
      body: thing,
      success,
      handler: async ({ body, ifMatch }) => ({ status: 200, body: { ...body, ifMatch }, revision: 3 }),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/things',
      operationId: 'listThings',
      tag: 't',
      summary: 's',
      access: { action: 'read', subject: 'Order' },
      query: listQuery({ status: z.enum(['a', 'b']).optional() }),
      success,
      handler: async ({ query }) => ({ status: 200, body: query }),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/things/{id}',
      operationId: 'getThing',
      tag: 't',
      summary: 's',
      access: { action: 'read', subject: 'Order' },
      params: z.strictObject({ id: idSchema }),
      success,
      handler: async ({ params }) => ({ status: 200, body: params }),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/failures/{kind}',
      operationId: 'fail',
      tag: 't',
      summary: 's',
      access,
      params: z.strictObject({ kind: z.string() }),
      success,
      handler: async ({ params: { kind } }) => {
        if (kind === 'bug') throw new TypeError('secret-detail of a bug');
        if (kind === 'mongo') throw Object.assign(new Error('secret host'), { name: 'MongoServerSelectionError' });
        if (kind === 'grpc')
          throw new Error('update failed', {
            cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'down', metadata: {} }),
          });
        throw new Problem('action_not_allowed', { allowedActions: ['hold'] });
      },
    }),
  ],
});
const token = await api.as('svc', ['service']);

const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call('POST', '/v1/things', { token, body, headers });
const postRaw = (raw: string | Buffer, headers: Record<string, string> = {}) =>
  api.call('POST', '/v1/things', { token, raw, headers });

describe('requests', () => {
  it('answers every problem in the form of RFC 9457 with the id of the request', async () => {
    const { status, body, headers } = await post({ id: 'no spaces' }, { 'X-Request-Id': 'req-1' });
    assert.equal(status, 400);
    assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.equal(headers.get('x-request-id'), 'req-1');
    assert.equal(body.requestId, 'req-1');
    assert.equal(body.code, 'invalid_request');
    assert.equal(body.status, 400);
    assert.equal(body.errors[0].path, 'id');
    for (const key of ['type', 'title', 'detail']) assert.equal(typeof body[key], 'string');
  });

  it('makes an id of its own when the one given is malformed', async () => {
    for (const bad of ['a b', 'x'.repeat(65), 'é']) {
      const { headers } = await post({ id: 'a' }, { 'X-Request-Id': bad }).catch(() => ({ headers: new Headers() }));
      assert.notEqual(headers.get('x-request-id'), bad);
    }
  });

  it('names unknown fields, at any depth', async () => {
    const { status, body } = await post({ id: 'a', colour: 'red', lines: [{ quantity: 1, price: 2 }] });
    assert.equal(status, 400);
    assert.deepEqual(body.errors.map(({ path }: { path: string }) => path).toSorted(), ['colour', 'lines.0.price']);
  });

  it('refuses bad numbers', async () => {
    for (const amount of [0.5, -1, 2 ** 53, 1e21, '1', null, true, [], {}])
      assert.equal((await post({ id: 'a', amount })).status, 400, JSON.stringify(amount));
    for (const raw of [
      '{"id":"a","amount":1e999}',
      '{"id":"a","amount":-1e999}',
      '{"id":"a","amount":9007199254740993}',
    ])
      assert.equal((await postRaw(raw)).status, 400, raw);
    for (const quantity of [0, 1.5, 1_000_001]) assert.equal((await post({ id: 'a', quantity })).status, 400);
    assert.equal((await post({ id: 'a', amount: 9007199254740991, quantity: 1 })).status, 200);
  });

  it('takes times with an offset and gives them back in UTC', async () => {
    const { body } = await post({ id: 'a', at: '2026-11-22T10:00:00+08:00' });
    assert.equal(body.at, '2026-11-22T02:00:00.000Z');
    for (const at of [
      '2026-02-30T00:00:00Z',
      '2026-11-22',
      '2026-11-22T10:00:00',
      '2026-11-22T24:00:00Z',
      'now',
      0,
      '',
    ])
      assert.equal((await post({ id: 'a', at })).status, 400, String(at));
  });

  it('refuses control characters and halves of characters in texts', async () => {
    for (const note of ['a\u0000b', 'a\u001bb', '\ud800', 'x'.repeat(21)])
      assert.equal((await post({ id: 'a', note })).status, 400, JSON.stringify(note));
    assert.equal((await post({ id: 'a', note: '好\n行' })).status, 200);
  });

  it('refuses malformed JSON, other types and prototype keys', async () => {
    for (const raw of ['{"id":', '', '[]', '"a"', 'null', '{"id":"a"}x', '[[[[', '{"id":"a","__proto__":{"x":1}}'])
      assert.equal((await postRaw(raw)).status, 400, raw);
    assert.equal((await postRaw('{"id":"a","constructor":{"prototype":{"polluted":1}}}')).status, 400);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal((await postRaw('['.repeat(100_000))).status, 400);
  });

  it('answers 415 for a body that is not JSON in UTF-8', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1']) {
      const { status, body } = await postRaw('{"id":"a"}', { 'Content-Type': type });
      assert.equal(status, 415, type);
      assert.equal(body.code, 'unsupported_media_type');
    }
    assert.equal((await postRaw('x', { 'Content-Encoding': 'nonsense' })).status, 415);
  });

  it('answers 413 for a body that is too large, also when it unpacks to that', async () => {
    const huge = JSON.stringify({ id: 'a', note: 'x'.repeat(300_000) });
    assert.equal((await postRaw(huge)).status, 413);
    const { status, body } = await postRaw(gzipSync(huge), { 'Content-Encoding': 'gzip' });
    assert.equal(status, 413);
    assert.equal(body.code, 'payload_too_large');
  });

  it('refuses unknown, repeated and ill-formed query parameters by name', async () => {
    for (const [query, path] of [
      ['colour=red', 'colour'],
      ['status=a&status=b', 'status'],
      ['status[]=a', 'status[]'],
      ['status=c', 'status'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=', 'limit'],
      ['cursor=%00', 'cursor'],
      ['__proto__=1', '__proto__'],
    ]) {
      const { status, body } = await api.call('GET', `/v1/things?${query}`, { token });
      assert.equal(status, 400, query);
      assert.equal(body.errors[0].path, path, query);
    }
    const { body } = await api.call('GET', '/v1/things', { token });
    assert.deepEqual(body, { limit: 50 });
  });

  it('refuses ill-formed parameters in the path', async () => {
    for (const id of ['a%20b', 'a.b', '%E0%A4%A', 'x'.repeat(65), '..%2f'])
      assert.equal((await api.call('GET', `/v1/things/${id}`, { token })).status, 400, id);
  });

  it('answers 404 and 405 for what is not there, with or without a token', async () => {
    for (const path of ['/', '/v1', '/v1/nothing', '/v1/things/', '/V1/things', '/v1/things/a/b']) {
      const { status, body } = await api.call('GET', path, { token });
      assert.equal(status, 404, path);
      assert.equal(body.code, 'not_found');
    }
    const { status, headers, body } = await api.call('DELETE', '/v1/things', { token });
    assert.equal(status, 405);
    assert.equal(body.code, 'method_not_allowed');
    assert.equal(headers.get('allow'), 'POST, GET, HEAD');
  });

  it('answers 401 before it looks at anything else, and 403 before the body', async () => {
    assert.equal((await api.call('POST', '/v1/things', { raw: '{' })).status, 401);
    const auditor = await api.as('aud', ['auditor']);
    assert.equal((await api.call('POST', '/v1/things', { token: auditor, raw: '{' })).status, 403);
  });

  it('reads If-Match as a revision and refuses anything else', async () => {
    for (const [value, expected] of [
      ['"3"', 3],
      ['3', 3],
      ['W/"3"', 3],
      ['*', undefined],
    ] as const)
      assert.equal((await post({ id: 'a' }, { 'If-Match': value })).body.ifMatch, expected, value);
    for (const value of ['"a"', '"3", "4"', '-1', 'W/3', '3.0'])
      assert.equal((await post({ id: 'a' }, { 'If-Match': value })).status, 400, value);
    assert.equal((await post({ id: 'a' })).headers.get('etag'), '"3"');
  });

  it('never shows a stack or an inner message, whatever fails', async () => {
    const bug = await api.call('POST', '/v1/failures/bug', { token });
    assert.equal(bug.status, 500);
    assert.equal(bug.body.code, 'internal_error');
    for (const kind of ['mongo', 'grpc']) {
      const { status, body, headers, text } = await api.call('POST', `/v1/failures/${kind}`, { token });
      assert.equal(status, 503, kind);
      assert.equal(body.code, 'unavailable');
      assert.ok(Number(headers.get('retry-after')) > 0);
      assert.ok(!/secret|UNAVAILABLE|at .*\.ts/.test(text));
    }
    assert.ok(!/secret-detail|\.ts:/.test(bug.text));
    assert.match(api.log(), /secret-detail/, 'the log has it');
  });

  it('gives the allowed actions with a refused one, and audits the refusal', async () => {
    const { status, body } = await api.call('POST', '/v1/failures/other', { token });
    assert.equal(status, 409);
    assert.deepEqual(body.allowedActions, ['hold']);
    const entries = await api.deps.audit.list({ entity: 'user/svc', limit: 10 });
    assert.equal(entries[0]?.action, 'request.refused');
    assert.deepEqual(entries[0]?.detail, {
      operation: 'fail',
      target: '/v1/failures/other',
      code: 'action_not_allowed',
    });
  });

  it('sends safe headers and no name of its software', async () => {
    const { headers } = await api.call('GET', '/v1/things', { token });
    assert.equal(headers.get('x-powered-by'), null);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
  });

  it('survives what is no HTTP', async () => {
    const { port } = new URL(api.url);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      socket.on('data', () => {});
      socket.on('close', () => resolve());
      socket.on('error', reject);
    });
    assert.equal((await api.call('GET', '/healthz')).status, 200);
  });

  it('keeps what a caller searches for out of the log', async () => {
    await api.call('GET', '/v1/things?status=a&limit=13', { token });
    assert.ok(!api.log().includes('limit=13'));
  });
});

describe('rate limits', async () => {
  const tight = await startTestApi({ settings: { limits: { perPrincipal: 3, perAddress: 2, logins: 100 } } });
  const first = await tight.as('first', ['auditor']);
  const second = await tight.as('second', ['auditor']);

  it('are per caller, answered with 429 and Retry-After', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await tight.call('GET', '/v1/me', { token: first })).status);
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    const { status, body, headers } = await tight.call('GET', '/v1/me', { token: first });
    assert.equal(status, 429);
    assert.equal(body.code, 'rate_limited');
    assert.ok(Number(headers.get('retry-after')) > 0);
    assert.equal((await tight.call('GET', '/v1/me', { token: second })).status, 200);
  });

  it('never hold health checks back', async () => {
    for (let i = 0; i < 5; i += 1) assert.equal((await tight.call('GET', '/healthz')).status, 200);
  });
});
