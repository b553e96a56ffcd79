import { createHash } from 'node:crypto';
import type { Actor } from '../domain/order-messages.ts';

export interface AuditActor {
  /** `anonymous`: nobody was signed in, as at a wrong login. */
  kind: Actor['kind'] | 'anonymous';
  id: string;
  name?: string;
}

export interface AuditFrom {
  ip?: string;
  requestId?: string;
}

/** What a caller says of a change. `before`, `after` and `detail` never hold personal data or secrets in clear. */
export interface AuditDraft {
  /** `order/<orderId>`, `shop/<shopId>`, `user/<username>`, `config/<name>`, … */
  entity: string;
  at: Date;
  actor: AuditActor;
  from: AuditFrom;
  /** Subject and past participle: `order.shipped`, `user.updated`. */
  action: string;
  detail?: Readonly<Record<string, unknown>>;
  before?: unknown;
  after?: unknown;
}

export interface AuditEntry {
  entity: string;
  /** 1, 2, … without gaps within the entity. */
  seq: number;
  at: Date;
  /** The shop that the entity belongs to, so that scopes apply to the audit too; null when it belongs to none. */
  shopId: string | null;
  actor: AuditActor;
  from: AuditFrom;
  action: string;
  detail: Readonly<Record<string, unknown>>;
  before: unknown;
  after: unknown;
  /** Hash of the entity's entry before; `GENESIS_HASH` in the first. */
  prevHash: string;
  hash: string;
}

export const GENESIS_HASH = '0'.repeat(64);

/**
 * JSON with sorted keys, without undefined members, dates as ISO texts: the same text before a value is stored and after
 * it is read back. Throws for what would not come back as it went in.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a number that is not finite has no canonical form');
    return JSON.stringify(value);
  }
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} has no canonical form`);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError(`a ${value.constructor.name} has no canonical form`);
  const record = value as Record<string, unknown>;
  const members = Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 over every field but `hash` and whatever the database adds. */
export function auditHash(entry: Omit<AuditEntry, 'hash'>): string {
  const { entity, seq, at, shopId, actor, from, action, detail, before, after, prevHash } = entry;
  return createHash('sha256')
    .update(canonicalJson({ entity, seq, at, shopId, actor, from, action, detail, before, after, prevHash }))
    .digest('hex');
}

/** The next entry of an entity's chain; `previous` is its newest entry, null for the first. */
export function chainEntry(draft: AuditDraft, previous: { seq: number; hash: string } | null): AuditEntry {
  const entry = {
    entity: draft.entity,
    seq: (previous?.seq ?? 0) + 1,
    at: draft.at,
    shopId: shopOf(draft.entity),
    actor: plain(draft.actor),
    from: plain(draft.from),
    action: draft.action,
    detail: plain(draft.detail ?? {}),
    before: plain(draft.before ?? null),
    after: plain(draft.after ?? null),
    prevHash: previous?.hash ?? GENESIS_HASH,
  };
  return { ...entry, hash: auditHash(entry) };
}

/** Undefined members would be stored as null and break the hash. */
const plain = <T>(value: T): T => stripUndefined(value) as T;

function stripUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => stripUndefined(item ?? null));
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) if (member !== undefined) out[key] = stripUndefined(member);
  return out;
}

const BY_SHOP = /^(?:order|refund|shop|sku-mapping|case)\/([A-Za-z0-9_-]{1,64})(?:[./]|$)/;

const shopOf = (entity: string): string | null => BY_SHOP.exec(entity)?.[1] ?? null;
