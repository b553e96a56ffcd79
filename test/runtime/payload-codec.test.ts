import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ApplicationFailure, defaultPayloadConverter, toPayloads } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import {
  decodeOptionalFailureToOptionalError,
  encodeErrorToFailure,
  loadDataConverter,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { loadKeyring } from '../../runtime/keyring.ts';
import {
  codecOverJson,
  CodecRequestError,
  EncryptionCodec,
  PayloadDecryptionError,
} from '../../runtime/payload-codec.ts';
import { createDataConverter } from '../../runtime/temporal.ts';

const dir = mkdtempSync(join(tmpdir(), 'orderhub-codec-'));
const otherDir = mkdtempSync(join(tmpdir(), 'orderhub-codec-'));
after(() => [dir, otherDir].forEach((path) => rmSync(path, { recursive: true, force: true })));

const newCodec = async (dataDir = dir) => new EncryptionCodec(await loadKeyring(dataDir));
const payloadsOf = (...values: unknown[]): Payload[] => toPayloads(defaultPayloadConverter, ...values) ?? [];
const valueOf = (payload: Payload | undefined): unknown =>
  defaultPayloadConverter.fromPayload(payload ?? assert.fail('no payload'));
const textOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('latin1');

test('payloads come back as they were and cannot be read in between', async () => {
  const codec = await newCodec();
  const values = [{ orderId: 'own1.W1', note: 'planted' }, 'planted', null, undefined, new Uint8Array([1, 2, 3]), 42];
  const encoded = await codec.encode(payloadsOf(...values));
  for (const payload of encoded) {
    assert.equal(Buffer.from(payload.metadata?.['encoding'] ?? []).toString(), 'binary/encrypted');
    assert.match(Buffer.from(payload.metadata?.['encryption-key-id'] ?? []).toString(), /^p[0-9a-f]{10}$/);
    assert.ok(!Buffer.from(payload.data ?? []).includes('planted'));
    assert.ok(!Buffer.from(payload.data ?? []).includes('json/plain'), 'the metadata is encrypted as well');
  }
  assert.deepEqual((await codec.decode(encoded)).map(valueOf), values);
  assert.deepEqual(await codec.encode([]), []);
});

test('payloads that come unencrypted pass', async () => {
  const codec = await newCodec();
  const plain = payloadsOf({ from: 'the command line' });
  assert.deepEqual(await codec.decode(plain), plain);
  assert.deepEqual(await codec.decode([{}]), [{}]);
});

test('after a rotation what the old key encrypted is still read', async () => {
  const keyring = await loadKeyring(dir);
  const codec = new EncryptionCodec(keyring);
  const [old] = await codec.encode(payloadsOf('before'));
  await keyring.rotate('payload');
  const [fresh] = await codec.encode(payloadsOf('after'));
  assert.notDeepEqual(fresh?.metadata, old?.metadata);
  assert.deepEqual((await codec.decode([old ?? {}, fresh ?? {}])).map(valueOf), ['before', 'after']);
});

test('a changed payload, a swapped key id, an unknown key and a cut one are refused by name', async () => {
  const codec = await newCodec();
  const keyring = await loadKeyring(dir);
  const refused = async (payload: Payload, reason: string, message: RegExp) =>
    assert.rejects(codec.decode([payload]), (error: unknown) => {
      assert.ok(error instanceof PayloadDecryptionError, String(error));
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      return true;
    });
  const [payload] = await codec.encode(payloadsOf('secret'));
  assert.ok(payload?.data && payload.metadata);
  const changed = Buffer.from(payload.data);
  changed[20] = (changed[20] ?? 0) ^ 1;
  await refused({ ...payload, data: changed }, 'tampered', /was changed since/);
  await refused({ ...payload, data: payload.data.subarray(0, 10) }, 'malformed', /too few bytes/);
  await refused(
    { data: payload.data, metadata: { encoding: Buffer.from('binary/encrypted') } },
    'malformed',
    /without key id/,
  );
  const older = keyring.all('payload').at(-1)?.id ?? '';
  await refused(
    { ...payload, metadata: { ...payload.metadata, 'encryption-key-id': Buffer.from(older) } },
    'tampered',
    new RegExp(older),
  );
  const [foreign] = await (await newCodec(otherDir)).encode(payloadsOf('x'));
  const foreignId = Buffer.from(foreign?.metadata?.['encryption-key-id'] ?? []).toString();
  await refused(foreign ?? {}, 'unknown_key', new RegExp(`key ${foreignId}, which is not in the keyring`));
});

test('messages, stacks and details of failures are encrypted too', async () => {
  const converter = loadDataConverter(createDataConverter(await newCodec()));
  const error = ApplicationFailure.create({
    message: 'planted message',
    details: [{ planted: 'planted detail' }],
    cause: new Error('planted cause'),
  });
  const failure = await encodeErrorToFailure(converter, error);
  const written = textOf(failure);
  assert.ok(!/planted|payload-codec\.test/.test(written), written);
  const back = await decodeOptionalFailureToOptionalError(converter, failure);
  assert.equal(back?.message, 'planted message');
  assert.match(String(back?.cause), /planted cause/);
});

test('the codec endpoint speaks the form of the Temporal UI both ways', async () => {
  const codec = await newCodec();
  const { encodeJson, decodeJson } = codecOverJson(codec);
  const clear = {
    payloads: [
      {
        metadata: { encoding: Buffer.from('json/plain').toString('base64') },
        data: Buffer.from('"hello"').toString('base64'),
      },
    ],
  };
  const encoded = encodeJson(clear);
  assert.equal(Buffer.from(encoded.payloads[0]?.metadata?.['encoding'] ?? '', 'base64').toString(), 'binary/encrypted');
  assert.deepEqual(decodeJson(encoded), clear);
  assert.deepEqual(decodeJson(clear), clear);
  assert.deepEqual(decodeJson({ payloads: [] }), { payloads: [] });
  assert.deepEqual(decodeJson({ payloads: [{ metadata: { encoding: 'YmluYXJ5L251bGw=' } }] }).payloads[0]?.data, '');
});

test('the codec endpoint says where a request is not in its form', async () => {
  const { decodeJson } = codecOverJson(await newCodec());
  const wrong: [unknown, string][] = [
    [null, 'payloads'],
    [[], 'payloads'],
    [{ payloads: {} }, 'payloads'],
    [{ payloads: ['x'] }, 'payloads.0'],
    [{ payloads: [{ metadata: [] }] }, 'payloads.0.metadata'],
    [{ payloads: [{ metadata: { encoding: 5 } }] }, 'payloads.0.metadata.encoding'],
    [{ payloads: [{ data: 'not base64!' }] }, 'payloads.0.data'],
    [{ payloads: Array.from({ length: 2001 }, () => ({})) }, 'payloads'],
  ];
  for (const [body, path] of wrong)
    assert.throws(
      () => decodeJson(body),
      (error: unknown) => error instanceof CodecRequestError && error.path === path,
      path,
    );
});
