import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { canonicalJson } from '../models/audit-log.ts';
import type { StoredAnswer } from '../models/idempotency.ts';
import type { Principal } from './auth/policy.ts';
import type { ApiDeps } from './deps.ts';
import { Problem, invalidField } from './errors.ts';
import type { TextReply } from './text-reply.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const LEASE_MS = 15_000;
const RENEW_MS = 5000;

/** Host, process and a number of its own: enough to see from the same host whether that process still lives. */
const OWNER = `${hostname()}/${process.pid}/${randomUUID()}`;

export interface IdempotentRequest {
  /** One per caller, path and key. */
  id: string;
  bodyHash: string;
}

/** Reads `Idempotency-Key`; throws 400 when it has no sensible form. */
export function idempotentRequest(
  key: string | undefined,
  principal: Principal,
  path: string,
  body: unknown,
  deps: Pick<ApiDeps, 'sealer'>,
): IdempotentRequest | undefined {
  if (key === undefined) return undefined;
  if (!KEY.test(key)) throw invalidField('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  const id = sha256(canonicalJson([principal.kind, principal.id, path, key]));
  // Keyed: a plain hash of a body that is known but for a phone number would give the number away.
  const bodyHash = deps.sealer.blindIndex('idempotent-body', sha256(canonicalJson(body ?? null)));
  return { id, bodyHash };
}

/** Fit for the id of a workflow update: the same request has the same, whichever process carries it out. */
export const updateIdOf = ({ id, bodyHash }: IdempotentRequest): string => `key-${sha256(id + bodyHash).slice(0, 32)}`;

/**
 * Carries a request out once: remembers 2xx, 409 and 422 and answers them again; anything else, and whatever a dead
 * process left unfinished, is carried out again.
 */
export async function runIdempotent(
  { id, bodyHash }: IdempotentRequest,
  deps: Pick<ApiDeps, 'idempotency' | 'sealer' | 'logger'>,
  carryOut: () => Promise<TextReply>,
): Promise<TextReply> {
  const claim = await deps.idempotency.claim({ id, bodyHash, owner: OWNER, leaseMs: LEASE_MS, isGone });
  if (claim.outcome === 'other_body') throw new Problem('idempotency_key_reused');
  if (claim.outcome === 'running')
    throw new Problem('conflict', { detail: 'The first request with this key still runs', retryAfterSec: 1 });
  if (claim.outcome === 'done') {
    const { status, headers, body } = deps.sealer.unseal<StoredAnswer>(claim.answer, id);
    return { status, headers: { ...headers, 'Idempotency-Replayed': 'true' }, body };
  }
  const renewal = setInterval(() => void deps.idempotency.renew(id, OWNER, LEASE_MS).catch(() => {}), RENEW_MS);
  renewal.unref();
  let reply: TextReply;
  try {
    reply = await carryOut();
  } catch (error) {
    await settle(deps, () => deps.idempotency.forget(id, OWNER));
    throw error;
  } finally {
    clearInterval(renewal);
  }
  const { status, headers, body } = reply;
  await settle(deps, () =>
    isRemembered(status)
      ? deps.idempotency.remember(id, OWNER, deps.sealer.seal({ status, headers, body: String(body) }, id))
      : deps.idempotency.forget(id, OWNER),
  );
  return reply;
}

const isRemembered = (status: number): boolean => (status >= 200 && status < 300) || status === 409 || status === 422;

/** The work is done: a record that cannot be written must not turn its answer into an error. */
async function settle({ logger }: Pick<ApiDeps, 'logger'>, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    logger.warn('An idempotency key could not be settled', { error });
  }
}

/** Only what is certain: a process of this host that is no more, or one before us that had our number. */
function isGone(owner: string): boolean {
  if (owner === OWNER) return false;
  const [host, pid] = owner.split('/');
  if (host !== hostname()) return false;
  if (Number(pid) === process.pid) return true;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
