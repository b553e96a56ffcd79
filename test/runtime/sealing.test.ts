import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadKeyring } from '../../runtime/keyring.ts';
import { SealedValueError, Sealer } from '../../runtime/sealing.ts';

const dir = mkdtempSync(join(tmpdir(), 'orderhub-sealing-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const RECEIVER = { name: '张三', phone: '13800138000', address: '文三路 478 号' };

test('what is sealed opens again and shows nothing of itself', async () => {
  const sealer = new Sealer(await loadKeyring(dir));
  const sealed = sealer.seal(RECEIVER);
  assert.match(sealed, /^v1\.s[0-9a-f]{10}\.[A-Za-z0-9_-]+$/);
  assert.deepEqual(sealer.unseal(sealed), RECEIVER);
  assert.notEqual(sealer.seal(RECEIVER), sealed, 'equal values cannot be told from their seals');
  assert.ok(!Buffer.from(sealed.split('.')[2] ?? '', 'base64url').includes('13800138000'));
});

test('what was changed, cut short or sealed in another context does not open', async () => {
  const sealer = new Sealer(await loadKeyring(dir));
  const refusedFor = (sealed: string, context?: string) => {
    try {
      return assert.fail(JSON.stringify(sealer.unseal(sealed, context)));
    } catch (error) {
      assert.ok(error instanceof SealedValueError, String(error));
      assert.doesNotMatch(error.message, /138|张三/);
      return error.reason;
    }
  };
  const sealed = sealer.seal(RECEIVER, 'shop/own1');
  assert.deepEqual(sealer.unseal(sealed, 'shop/own1'), RECEIVER);
  assert.equal(refusedFor(sealed, 'shop/own2'), 'tampered');
  assert.equal(refusedFor(sealed), 'tampered');
  const at = sealed.lastIndexOf('.') + 20;
  assert.equal(
    refusedFor(sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1), 'shop/own1'),
    'tampered',
  );
  assert.equal(refusedFor(sealed.slice(0, -4), 'shop/own1'), 'tampered');
  assert.equal(refusedFor(sealed.replace(/^v1\.[^.]+/, 'v1.s0000000000')), 'unknown_key');
  for (const odd of ['', 'v1.k.', 'v2.k.AAAA', 'plain text', sealed.slice(3)])
    assert.equal(refusedFor(odd), 'malformed');
});

test('after a rotation old seals open and old blind indexes are found', async () => {
  const keyring = await loadKeyring(dir);
  const sealer = new Sealer(keyring);
  const sealed = sealer.seal(RECEIVER);
  const index = sealer.blindIndex('phone', RECEIVER.phone);
  await keyring.rotate('sealing');
  await keyring.rotate('index');
  assert.deepEqual(sealer.unseal(sealed), RECEIVER);
  assert.notEqual(sealer.blindIndex('phone', RECEIVER.phone), index);
  const candidates = sealer.blindIndexes('phone', RECEIVER.phone);
  assert.equal(candidates[0], sealer.blindIndex('phone', RECEIVER.phone));
  assert.ok(candidates.includes(index));
});

test('one phone has one blind index however it is written', async () => {
  const sealer = new Sealer(await loadKeyring(dir));
  const index = sealer.blindIndex('phone', '13800138000');
  assert.match(index, /^[A-Za-z0-9_-]{22}$/);
  for (const same of [
    '+8613800138000',
    '+86 138-0013-8000',
    '008613800138000',
    '0086 138 0013 8000',
    '8613800138000',
    '１３８００１３８０００',
  ])
    assert.equal(sealer.blindIndex('phone', same), index, same);
  for (const other of ['13800138001', '13800138000-1234', '86138001'])
    assert.notEqual(sealer.blindIndex('phone', other), index, other);
  assert.notEqual(sealer.blindIndex('address', '13800138000'), index, 'kinds do not mix');
  assert.equal(sealer.blindIndex('phone', ' - '), '', 'nothing to compare is no index');
  assert.deepEqual(sealer.blindIndexes('phone', ''), []);
});

test('one address has one blind index whatever its spaces and punctuation', async () => {
  const sealer = new Sealer(await loadKeyring(dir));
  const index = sealer.blindIndex('address', '文三路478号（东门）A座');
  for (const same of ['文三路 478号 (东门) a座', '文三路478号·东门，Ａ座', ' 文三路478号东门a座。'])
    assert.equal(sealer.blindIndex('address', same), index, same);
  assert.notEqual(sealer.blindIndex('address', '文三路479号东门A座'), index);
});
