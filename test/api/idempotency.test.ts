import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { Problem } from '../../api/errors.ts';
import { defineRoute } from '../../api/route.ts';
import { startTestApi } from './api-harness.ts';

let carriedOut = 0;
let next: () => Promise<{ status: number; body: unknown }> = async () => ({ status: 201, body: {} });
const updateIds: (string | undefined)[] = [];

const api = await startTestApi({
  routes: () => [
    defineRoute({
      method: 'POST',
      path: '/v1/things/{id}',
      operationId: 'createThing',
      tag: 't',
      summary: 's',
      access: { action: 'create', subject: 'Order' },
      params: z.strictObject({ id: z.string() }),
      body: z.strictObject({ name: z.string() }),
      idempotent: true,
      success: { status: 201, schema: z.unknown(), description: 'ok' },
      handler: async ({ idempotencyKey }) => {
        carriedOut += 1;
        updateIds.push(idempotencyKey);
        return { ...(await next()), revision: 7 };
      },
    }),
  ],
});
const token = await api.as('svc', ['service']);
const other = await api.as('svc2', ['service']);

const create = (key: string, name = 'a', { path = '/v1/things/1', as = token } = {}) =>
  api.call('POST', path, { token: as, body: { name }, headers: { 'Idempotency-Key': key } });

const answering = (answer: () => Promise<{ status: number; body: unknown }>) => {
  carriedOut = 0;
  next = answer;
};

const keys = () => api.deps.connection.collection('idempotency_keys');

describe('idempotency keys', () => {
  it('give the same answer for the same key and body, and carry it out once', async () => {
    let n = 0;
    answering(async () => ({ status: 201, body: { n: (n += 1) } }));
    const first = await create('k1');
    const second = await create('k1');
    assert.equal(first.status, 201);
    assert.equal(first.headers.get('idempotency-replayed'), null);
    assert.equal(second.status, 201);
    assert.equal(second.text, first.text);
    assert.equal(second.headers.get('etag'), first.headers.get('etag'));
    assert.equal(second.headers.get('idempotency-replayed'), 'true');
    assert.equal(carriedOut, 1);
  });

  it('take the same content in another order and spacing as the same body', async () => {
    answering(async () => ({ status: 201, body: {} }));
    await create('k1b');
    const raw = ' { "name" :"a" } ';
    const again = await api.call('POST', '/v1/things/1', { token, raw, headers: { 'Idempotency-Key': 'k1b' } });
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
  });

  it('are refused with 422 for another body', async () => {
    answering(async () => ({ status: 201, body: {} }));
    await create('k2', 'a');
    const { status, body } = await create('k2', 'b');
    assert.equal(status, 422);
    assert.equal(body.code, 'idempotency_key_reused');
  });

  it('are per caller and path', async () => {
    answering(async () => ({ status: 201, body: {} }));
    await create('k3');
    assert.equal((await create('k3', 'a', { as: other })).headers.get('idempotency-replayed'), null);
    assert.equal((await create('k3', 'a', { path: '/v1/things/2' })).headers.get('idempotency-replayed'), null);
    assert.equal(carriedOut, 3);
    assert.equal(new Set(updateIds.slice(-3)).size, 3, 'nor do they share the id of an update');
  });

  it('answer 409 while the first still runs', async () => {
    let release = () => {};
    answering(async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { status: 201, body: {} };
    });
    const first = create('k4');
    while (carriedOut === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await create('k4');
    assert.equal(second.status, 409);
    assert.equal(second.body.code, 'conflict');
    release();
    assert.equal((await first).status, 201);
    assert.equal((await create('k4')).headers.get('idempotency-replayed'), 'true');
  });

  it('carry many at once out only once', async () => {
    answering(async () => ({ status: 201, body: {} }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('k5')));
    assert.equal(carriedOut, 1);
    assert.ok(answers.every(({ status }) => status === 201 || status === 409));
  });

  it('remember 409 and 422 of the handler', async () => {
    for (const code of ['action_not_allowed', 'rule_violation'] as const) {
      answering(async () => {
        throw new Problem(code);
      });
      await create(`k6-${code}`);
      const again = await create(`k6-${code}`);
      assert.equal(again.headers.get('idempotency-replayed'), 'true');
      assert.match(again.headers.get('content-type') ?? '', /problem\+json/);
      assert.equal(again.body.code, code);
      assert.equal(carriedOut, 1);
    }
  });

  it('remember nothing else: those are carried out again', async () => {
    for (const code of ['not_found', 'stale_revision', 'unavailable', 'internal_error', 'rate_limited'] as const) {
      answering(async () => {
        throw new Problem(code);
      });
      await create(`k7-${code}`);
      answering(async () => ({ status: 201, body: {} }));
      const again = await create(`k7-${code}`);
      assert.equal(again.status, 201, code);
      assert.equal(again.headers.get('idempotency-replayed'), null);
    }
  });

  it('hand the same update id to the handler when a request is carried out again', async () => {
    answering(async () => {
      throw new Problem('unavailable');
    });
    await create('k8');
    await create('k8');
    const [a, b] = updateIds.slice(-2);
    assert.ok(a);
    assert.equal(a, b);
  });

  it('carry out again at once what a dead process of this machine left unfinished', async () => {
    answering(async () => ({ status: 201, body: {} }));
    await create('k9');
    const leaseUntil = new Date(Date.now() + 60_000);
    await keys().updateMany(
      {},
      { $set: { state: 'running', answer: null, owner: `${hostname()}/999999999/x`, leaseUntil } },
    );
    const again = await create('k9');
    assert.equal(again.status, 201);
    assert.equal(again.headers.get('idempotency-replayed'), null);
    assert.equal(carriedOut, 2);
  });

  it('carry out again what a process elsewhere left unfinished, once its lease has run out', async () => {
    answering(async () => ({ status: 201, body: {} }));
    await create('k10');
    const set = (leaseUntil: Date) =>
      keys().updateMany({}, { $set: { state: 'running', answer: null, owner: 'elsewhere/1/x', leaseUntil } });
    await set(new Date(Date.now() + 60_000));
    assert.equal((await create('k10')).status, 409);
    await set(new Date(Date.now() - 1));
    assert.equal((await create('k10')).status, 201);
    assert.equal(carriedOut, 2);
  });

  it('are forgotten after 24 hours, whenever the database gets to it', async () => {
    answering(async () => ({ status: 201, body: {} }));
    await create('k11', 'a');
    const [record] = await keys().find().sort({ expiresAt: -1 }).limit(1).toArray();
    const hours = (record?.['expiresAt'].getTime() - Date.now()) / 3_600_000;
    assert.ok(hours > 23.9 && hours <= 24);
    await keys().updateMany({}, { $set: { expiresAt: new Date(Date.now() - 1) } });
    assert.equal((await create('k11', 'b')).status, 201);
    assert.equal(carriedOut, 2);
  });

  it('keep no answer and no body in clear', async () => {
    answering(async () => ({ status: 201, body: { apiKey: 'planted-secret' } }));
    await create('k12', 'planted-body');
    const dump = JSON.stringify(await keys().find().toArray());
    assert.ok(!dump.includes('planted'));
    assert.ok(!dump.includes(Buffer.from('planted').toString('base64').slice(0, 8)));
  });

  it('must be visible ASCII', async () => {
    for (const key of ['x'.repeat(256), 'a b']) assert.equal((await create(key)).status, 400, key);
  });

  it('do not remember a request that was not valid', async () => {
    answering(async () => ({ status: 201, body: {} }));
    const headers = { 'Idempotency-Key': 'k13' };
    assert.equal((await api.call('POST', '/v1/things/1', { token, body: { name: 1 }, headers })).status, 400);
    assert.equal((await create('k13')).status, 201);
  });
});
