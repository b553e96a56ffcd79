import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertProperty, jsonValue, property } from 'fast-check';
import { GENESIS_HASH, auditHash, canonicalJson, chainEntry } from '../../models/audit-chain.ts';
import type { AuditDraft } from '../../models/audit-chain.ts';

const draft = (more: Partial<AuditDraft> = {}): AuditDraft => ({
  entity: 'order/own1.W1',
  at: new Date('2026-11-22T02:00:00Z'),
  actor: { kind: 'user', id: 'anna' },
  from: { requestId: 'r1' },
  action: 'order.held',
  ...more,
});

describe('the audit chain', () => {
  it('numbers entries and chains each to the one before', () => {
    const first = chainEntry(draft(), null);
    const second = chainEntry(draft({ action: 'order.released' }), first);
    assert.deepEqual([first.seq, first.prevHash], [1, GENESIS_HASH]);
    assert.deepEqual([second.seq, second.prevHash], [2, first.hash]);
    assert.match(second.hash, /^[0-9a-f]{64}$/);
    assert.equal(auditHash(second), second.hash);
  });

  it('hashes every field', () => {
    const entry = chainEntry(draft({ detail: { a: 1 }, before: { b: 1 }, after: { b: 2 } }), null);
    const changes: Partial<typeof entry>[] = [
      { entity: 'order/own1.W2' },
      { seq: 2 },
      { at: new Date(0) },
      { shopId: null },
      { actor: { kind: 'user', id: 'ben' } },
      { actor: { kind: 'service', id: 'anna' } },
      { from: {} },
      { action: 'x' },
      { detail: { a: 2 } },
      { before: null },
      { after: { b: 3 } },
      { prevHash: 'x' },
    ];
    for (const change of changes)
      assert.notEqual(auditHash({ ...entry, ...change }), entry.hash, JSON.stringify(change));
  });

  it('gives the same text whatever the order of keys, and another for another value', () => {
    assertProperty(
      property(jsonValue(), (value) => {
        const reversed = JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
          inner && typeof inner === 'object' && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).toReversed())
            : inner,
        ) as unknown;
        const normal = JSON.parse(JSON.stringify(value)) as unknown;
        assert.equal(canonicalJson(reversed), canonicalJson(normal));
        assert.deepEqual(JSON.parse(canonicalJson(normal)), normal);
      }),
    );
    assert.notEqual(canonicalJson({ a: '1' }), canonicalJson({ a: 1 }));
    assert.notEqual(canonicalJson([1, [2]]), canonicalJson([[1], 2]));
  });

  it('leaves undefined members out and refuses what would not come back as it went in', () => {
    assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
    for (const value of [NaN, Infinity, 1n, new Map(), Buffer.from('x'), () => {}, Symbol('x')])
      assert.throws(() => canonicalJson({ value }), TypeError);
  });

  it('knows the shop of what belongs to one', () => {
    const shopOf = (entity: string) => chainEntry(draft({ entity }), null).shopId;
    assert.equal(shopOf('order/own1.W1'), 'own1');
    assert.equal(shopOf('shop/own1'), 'own1');
    assert.equal(shopOf('sku-mapping/own1/ABC'), 'own1');
    assert.equal(shopOf('user/own1'), null);
    assert.equal(shopOf('config/timers'), null);
  });
});
