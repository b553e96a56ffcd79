import type { Payload } from '@temporalio/common';
import type { EncryptionCodec } from './payload-codec.ts';

/** Temporal's codec-server form: the payloads in proto3 JSON, bytes in base64. */
export interface CodecJson {
  payloads: { metadata?: Record<string, string>; data?: string }[];
}

/** What a caller sent is not in the codec-server form. */
export class CodecRequestError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = 'CodecRequestError';
    this.path = path;
  }
}

const MAX_PAYLOADS = 2000;

/** The two operations of a codec server; throw `CodecRequestError` or `PayloadDecryptionError`. */
export const codecOverJson = (codec: EncryptionCodec) => ({
  encodeJson: (body: unknown): CodecJson => toJson(codec.encodeNow(fromJson(body))),
  decodeJson: (body: unknown): CodecJson => toJson(codec.decodeNow(fromJson(body))),
});

function fromJson(body: unknown): Payload[] {
  const payloads = isObject(body) ? body['payloads'] : undefined;
  if (!Array.isArray(payloads)) throw new CodecRequestError('payloads', 'must be a list');
  if (payloads.length > MAX_PAYLOADS) throw new CodecRequestError('payloads', `must be at most ${MAX_PAYLOADS}`);
  return payloads.map((payload: unknown, i) => {
    if (!isObject(payload)) throw new CodecRequestError(`payloads.${i}`, 'must be an object');
    const { metadata = {}, data = '' } = payload;
    if (!isObject(metadata)) throw new CodecRequestError(`payloads.${i}.metadata`, 'must be an object');
    return {
      metadata: Object.fromEntries(
        Object.entries(metadata).map(([key, value]) => [key, bytes(`payloads.${i}.metadata.${key}`, value)]),
      ),
      data: bytes(`payloads.${i}.data`, data),
    };
  });
}

const toJson = (payloads: readonly Payload[]): CodecJson => ({
  payloads: payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)])),
    data: base64(data ?? new Uint8Array()),
  })),
});

const base64 = (value: Uint8Array): string =>
  Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');

/** Proto3 JSON allows the standard and the URL alphabet, with or without padding. */
function bytes(path: string, value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
    throw new CodecRequestError(path, 'must be base64');
  return Buffer.from(value, 'base64');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
