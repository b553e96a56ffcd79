import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { auditHash, auditCollection } from '../../models/audit-log.ts';
import type { AuditDraft } from '../../models/audit-log.ts';
import { RefusalLog } from '../../api/auth/refusal-log.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi();
const { audit } = api.deps;
const admin = await api.as('root', ['admin']);
const entries = auditCollection(api.deps.connection);

const write = (entity: string, more: Partial<AuditDraft> = {}) =>
  audit.append({
    entity,
    at: new Date(),
    actor: { kind: 'user', id: 'anna' },
    from: { ip: '127.0.0.1', requestId: 'r1' },
    action: 'tested',
    ...more,
  });
const list = async (query: string, token = admin) => (await api.call('GET', `/v1/audit?${query}`, { token })).body;

describe('the audit log', () => {
  it('keeps one gapless chain per entity, however many write at once', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, n) => write('shop/s1', { detail: { n } })));
    const chain = await entries.find({ entity: 'shop/s1' }).sort({ seq: 1 }).toArray();
    assert.equal(chain.length, 40);
    chain.forEach((entry, i) => {
      assert.equal(entry.seq, i + 1);
      assert.equal(entry.hash, auditHash(entry), 'the hash still holds after the way to the database and back');
      if (i > 0) assert.equal(entry.prevHash, chain[i - 1]?.hash);
    });
  });

  it('keeps hashes true for any value that goes in', async () => {
    const value = {
      n: 2 ** 40,
      f: 0.1,
      big: Number.MAX_SAFE_INTEGER,
      neg: -1,
      at: new Date(),
      no: undefined,
      empty: {},
      list: [],
    };
    await write('shop/s2', { before: value, after: { deep: { ...value, 'a.b': 1, $c: 2, 中: '文' } } });
    const [entry] = await entries.find({ entity: 'shop/s2' }).toArray();
    assert.ok(entry);
    assert.equal(auditHash(entry), entry.hash);
  });

  it('has a change and its entry together, or neither', async () => {
    const things = api.deps.connection.collection('things');
    await things.insertOne({ name: 'a', n: 0 });
    const change = (fail: boolean) =>
      audit.record('thing/a', async (session) => {
        await things.updateOne({ name: 'a' }, { $inc: { n: 1 } }, { session });
        if (fail) throw new Error('no');
        const draft = {
          at: new Date(),
          actor: { kind: 'system', id: 't' } as const,
          from: {},
          action: 'thing.changed',
        };
        return { draft, result: 1 };
      });
    await assert.rejects(change(true), /no/);
    assert.equal((await things.findOne({ name: 'a' }))?.['n'], 0);
    await Promise.all(Array.from({ length: 5 }, () => change(false)));
    assert.equal((await things.findOne({ name: 'a' }))?.['n'], 5);
    assert.equal((await audit.last('thing/a'))?.seq, 5);
  });

  it('is listed newest first, page by page, each entry once, also of one moment', async () => {
    const at = new Date('2026-01-01T00:00:00Z');
    for (let i = 0; i < 7; i += 1) await write('shop/s3', { at });
    await write('shop/s3', { at: new Date('2026-01-02T00:00:00Z') });
    const seen: number[] = [];
    let cursor = '';
    do {
      const { items, nextCursor } = await list(`entity=shop/s3&limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...items.map(({ seq }: { seq: number }) => seq));
      cursor = nextCursor ?? '';
    } while (cursor);
    assert.deepEqual(seen, [8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it('is filtered by entity, actor and time', async () => {
    await write('shop/s4', { actor: { kind: 'service', id: 'key1' }, at: new Date('2025-06-01T00:00:00Z') });
    await write('shop/s4', { actor: { kind: 'service', id: 'key1' }, at: new Date('2025-06-02T00:00:00Z') });
    assert.equal((await list('actor=key1')).items.length, 2);
    assert.equal((await list('actor=key1&from=2025-06-02T00:00:00Z')).items.length, 1);
    assert.equal((await list('actor=key1&to=2025-06-02T08:00:00%2B08:00')).items.length, 1);
    assert.equal((await list('entity=shop/none')).items.length, 0);
    const [entry] = (await list('actor=key1&limit=1')).items;
    assert.deepEqual(entry.from, { ip: '127.0.0.1', requestId: 'r1' });
    for (const query of ['from=yesterday', 'entity=', 'actor[$ne]=x', 'limit=500', 'cursor=abc'])
      assert.equal((await api.call('GET', `/v1/audit?${query}`, { token: admin })).status, 400, query);
  });

  it('finds an order by its bare id, with who looked at its personal data', async () => {
    await write('order/s5.W1');
    await write('order/s5.W1/access');
    await write('order/s5.W10');
    for (const entity of ['s5.W1', 'order/s5.W1']) {
      const { items } = await list(`entity=${entity}`);
      assert.deepEqual(items.map((entry: { entity: string }) => entry.entity).toSorted(), [
        'order/s5.W1',
        'order/s5.W1/access',
      ]);
    }
    assert.equal((await list('entity=order/s5.W1/access')).items.length, 1);
  });

  it('shows an auditor of some shops only what belongs to those', async () => {
    await write('order/a1.W1');
    await write('order/a2.W1');
    const scoped = await api.as('scoped', ['auditor'], ['a1']);
    const { items } = await list('limit=200', scoped);
    assert.deepEqual(
      items.map(({ entity }: { entity: string }) => entity),
      ['order/a1.W1'],
    );
    assert.equal((await list('entity=order/a2.W1', scoped)).items.length, 0);
  });

  it('reads only its page, whatever the filter', async () => {
    const session = api.deps.connection.collection('audit');
    const plan = await session
      .find({ 'actor.id': 'key1' })
      .sort({ at: -1, _id: -1 })
      .limit(3)
      .explain('executionStats');
    const examined = plan['executionStats']?.totalDocsExamined;
    if (typeof examined === 'number') assert.ok(examined <= 3, `${examined} examined`);
  });
});

describe('refused attempts', () => {
  it('are written for 403 on commands, with who, what and from where', async () => {
    const token = await api.as('anton', ['auditor']);
    await api.call('PATCH', '/v1/users/root', { token, body: {}, headers: { 'X-Request-Id': 'tried-1' } });
    const [entry] = (await list('entity=user/anton')).items;
    assert.equal(entry.action, 'request.refused');
    assert.deepEqual(entry.detail, { operation: 'updateUser', target: '/v1/users/root', code: 'forbidden' });
    assert.equal(entry.from.requestId, 'tried-1');
    assert.equal(entry.from.ip, '127.0.0.1');
  });

  it('are bounded, and what was left out is counted', async () => {
    const log = new RefusalLog(audit, api.deps.logger);
    const attempt = () => log.record({ kind: 'user', id: 'flooder' }, {}, 'request.refused', { code: 'forbidden' });
    for (let i = 0; i < 200; i += 1) await attempt();
    const written = await entries.countDocuments({ entity: 'user/flooder' });
    assert.equal(written, 60);
  });

  it('never keep a caller from the answer when they cannot be written', async () => {
    const broken = { append: async () => Promise.reject(new Error('down')) };
    const log = new RefusalLog(broken as never, api.deps.logger);
    await log.record({ kind: 'user', id: 'x' }, {}, 'request.refused', {});
  });
});
