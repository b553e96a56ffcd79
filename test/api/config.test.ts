import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import timers from '../../config/timers.json' with { type: 'json' };
import { currentTimers } from '../../config/current-timers.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi();
const token = await api.as('otto', ['operations']);
const put = (body: unknown, headers: Record<string, string> = {}, as = token) =>
  api.call('PUT', '/v1/config/timers', { token: as, body, headers });
const get = () => api.call('GET', '/v1/config/timers', { token });

describe('config/timers', () => {
  it('has the defaults of the contract as version 1', async () => {
    const { status, body, headers } = await get();
    assert.equal(status, 200);
    assert.deepEqual(body, { ...timers, revision: 1 });
    assert.equal(body.paymentTimeout, 'PT30M');
    assert.deepEqual(body.callbackRetries, ['PT1M', 'PT3M', 'PT10M']);
    assert.equal(headers.get('etag'), '"1"');
    const versions = await api.call('GET', '/v1/config/timers/versions', { token });
    assert.equal(versions.body.items.length, 1);
    assert.equal(versions.body.items[0].version, 1);
    assert.equal(versions.body.nextCursor, null);
  });

  it('is replaced as a new version, which counts for the next order at once', async () => {
    assert.equal((await currentTimers(api.deps.configVersions)).paymentTimeoutMs, 30 * 60_000);
    const { status, body } = await put({ ...timers, paymentTimeout: 'PT2M', autoComplete: 'PT0S' });
    assert.equal(status, 200);
    assert.equal(body.revision, 2);
    const current = await currentTimers(api.deps.configVersions);
    assert.deepEqual(current, { version: 2, paymentTimeoutMs: 120_000, autoCompleteMs: 0 });
    const versions = await api.call('GET', '/v1/config/timers/versions?limit=1', { token });
    assert.equal(versions.body.items[0].version, 2);
    assert.equal(versions.body.items[0].by.id, 'otto');
    const older = await api.call('GET', `/v1/config/timers/versions?cursor=${versions.body.nextCursor}`, { token });
    assert.deepEqual(
      older.body.items.map(({ version }: { version: number }) => version),
      [1],
    );
  });

  it('is written under If-Match, or under the revision that was read with it', async () => {
    const { body } = await get();
    assert.equal((await put({ ...timers }, { 'If-Match': '"1"' })).status, 412);
    assert.equal((await put({ ...body, revision: 1 })).status, 412);
    assert.equal((await put(body)).status, 200);
    assert.equal((await put({ ...timers }, { 'If-Match': `"${body.revision + 1}"` })).status, 200);
  });

  it('gives the version to one of two who write at once', async () => {
    const { body } = await get();
    const headers = { 'If-Match': `"${body.revision}"` };
    const answers = await Promise.all(Array.from({ length: 6 }, () => put({ ...timers }, headers)));
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 412, 412, 412, 412, 412],
    );
  });

  it('refuses what is no duration, missing, unknown or beyond sense', async () => {
    const { paymentTimeout: _, ...incomplete } = timers;
    for (const body of [
      incomplete,
      { ...timers, extra: 'PT1M' },
      { ...timers, paymentTimeout: '30m' },
      { ...timers, paymentTimeout: 'P1M' },
      { ...timers, paymentTimeout: 'P' },
      { ...timers, paymentTimeout: 'PT' },
      { ...timers, paymentTimeout: 'PT0S' },
      { ...timers, paymentTimeout: '-PT1M' },
      { ...timers, paymentTimeout: 'P400D' },
      { ...timers, paymentTimeout: 1800 },
      { ...timers, callbackRetries: [] },
      { ...timers, callbackRetries: 'PT1M' },
      [],
      null,
    ])
      assert.equal((await put(body)).status, 400, JSON.stringify(body));
  });

  it('is not for every role, and other names are not there', async () => {
    const finance = await api.as('fred', ['finance']);
    assert.equal((await put({ ...timers }, {}, finance)).status, 403);
    assert.equal((await api.call('GET', '/v1/config/timers', { token: finance })).status, 200);
    for (const name of ['nothing', 'constructor', '__proto__', 'timers.jd'])
      assert.equal((await api.call('GET', `/v1/config/${name}`, { token })).status, 404);
  });

  it('leaves every change in the audit, before and after', async () => {
    const entries = await api.deps.audit.list({ entity: 'config/timers', limit: 50 });
    const first = entries.at(-1);
    assert.ok(first);
    assert.equal(first.action, 'config.written');
    assert.equal((first.before as { paymentTimeout: string }).paymentTimeout, 'PT30M');
    assert.equal((first.after as { paymentTimeout: string }).paymentTimeout, 'PT2M');
    assert.deepEqual(
      entries.map(({ seq }) => seq).toReversed(),
      entries.map((_entry, i) => i + 1),
    );
  });
});
