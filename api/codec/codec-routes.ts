import { z } from 'zod';
import { codecOverJson, CodecRequestError } from '../../runtime/codec-json.ts';
import type { CodecJson } from '../../runtime/codec-json.ts';
import { PayloadDecryptionError } from '../../runtime/payload-codec.ts';
import { userEntity } from '../../models/users.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem, invalidField } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

/** Temporal's own limit of one message is 4 MiB; base64 and several payloads a page need more. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

const payloadsSchema = z
  .object({
    payloads: z
      .array(z.object({ metadata: z.record(z.string(), z.string()).optional(), data: z.string().optional() }))
      .max(2000),
  })
  .meta({ id: 'Payloads', description: 'Payloads as Temporal writes them in JSON, bytes in base64' });

/** The codec server that the Temporal UI and CLI call: `--codec-endpoint <url>/v1/codec`. */
export function createCodecRoutes(deps: ApiDeps): Route[] {
  const codec = codecOverJson(deps.codec);
  const shared = {
    method: 'POST',
    tag: 'codec',
    access: { action: 'decode', subject: 'Payload' },
    // The UI adds options that codec servers may ignore, such as `preserveStorageRefs`.
    query: z.looseObject({}),
    body: payloadsSchema,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    success: { status: 200, schema: payloadsSchema, description: 'The payloads in the same order' },
  } as const;

  return [
    defineRoute({
      ...shared,
      path: '/v1/codec/decode',
      operationId: 'decodePayloads',
      summary: 'Decrypt Temporal payloads; audited',
      handler: async ({ body, principal, actor, from, req }) => {
        const decoded = carryOut(() => codec.decodeJson(body));
        const namespace = req.headers['x-namespace'];
        await deps.audit.append({
          entity: principal.kind === 'service' ? `api-key/${principal.id}` : userEntity(principal.id),
          at: new Date(),
          actor,
          from,
          action: 'payload.decoded',
          detail: {
            payloads: body.payloads.length,
            ...(typeof namespace === 'string' ? { namespace: namespace.slice(0, 100) } : {}),
          },
        });
        return { status: 200, body: decoded };
      },
    }),
    defineRoute({
      ...shared,
      path: '/v1/codec/encode',
      operationId: 'encodePayloads',
      summary: 'Encrypt Temporal payloads, as the CLI needs for its input',
      handler: async ({ body }) => ({ status: 200, body: carryOut(() => codec.encodeJson(body)) }),
    }),
  ];
}

function carryOut(work: () => CodecJson): CodecJson {
  try {
    return work();
  } catch (error) {
    if (error instanceof CodecRequestError) throw invalidField(error.path, 'is not in the codec server form');
    if (error instanceof PayloadDecryptionError)
      throw new Problem('rule_violation', { detail: `A payload cannot be decrypted: ${error.reason}` });
    throw error;
  }
}
