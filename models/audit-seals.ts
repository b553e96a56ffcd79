import { createHash } from 'node:crypto';
import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import { GENESIS_HASH, canonicalJson } from './audit-chain.ts';

/** What a seal holds of an entry; the hash covers the rest. */
export interface SealedEntry {
  entity: string;
  seq: number;
  hash: string;
}

/** One link of the chain over the audit of all entities, in the order in which they were committed. */
export interface AuditSeal {
  /** Its number: 1, 2, … Two writers cannot make the same one. */
  _id: number;
  at: Date;
  entries: SealedEntry[];
  prevHash: string;
  hash: string;
  /** Of the hash, under a key that is not in the database: whoever rewrites the chain cannot make it. */
  mac: string;
  /** Where the change stream goes on after this seal; null: compare everything. */
  resumeToken: unknown;
}

/** Made by the field key; `blindIndexes` gives the values under every key that ever was. */
export interface SealKeys {
  blindIndex(kind: string, value: string): string;
  blindIndexes(kind: string, value: string): string[];
}

const MAC_KIND = 'audit-seal';

const sealSchema = new Schema(
  { _id: Number },
  { strict: false, collection: 'audit_seals', minimize: false, versionKey: false },
);
sealSchema.index({ at: -1 });

export const sealHash = ({
  _id,
  at,
  entries,
  prevHash,
}: Pick<AuditSeal, '_id' | 'at' | 'entries' | 'prevHash'>): string =>
  createHash('sha256').update(canonicalJson({ _id, at, entries, prevHash })).digest('hex');

export const isSealedBy = (keys: SealKeys, { hash, mac }: AuditSeal): boolean =>
  keys.blindIndexes(MAC_KIND, hash).includes(mac);

/** The next seal; `last` is the newest one, null for the first. */
export function nextSeal(
  last: AuditSeal | null,
  entries: readonly SealedEntry[],
  resumeToken: unknown,
  keys: SealKeys,
): AuditSeal {
  const unhashed = {
    _id: (last?._id ?? 0) + 1,
    at: new Date(),
    entries: entries.map(({ entity, seq, hash }) => ({ entity, seq, hash })),
    prevHash: last?.hash ?? GENESIS_HASH,
  };
  const hash = sealHash(unhashed);
  return { ...unhashed, hash, mac: keys.blindIndex(MAC_KIND, hash), resumeToken: resumeToken ?? null };
}

export class AuditSeals {
  readonly #seals: mongo.Collection<AuditSeal>;

  constructor(connection: Connection) {
    const model = connection.models['AuditSeal'] ?? connection.model('AuditSeal', sealSchema);
    this.#seals = model.collection as unknown as mongo.Collection<AuditSeal>;
  }

  async last(): Promise<AuditSeal | null> {
    return this.#seals.findOne({}, { sort: { _id: -1 }, projection: { entries: 0 } });
  }

  /** Returns false when another writer made that seal first. */
  async insert(seal: AuditSeal): Promise<boolean> {
    try {
      await this.#seals.insertOne(seal);
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === 11000) return false;
      throw error;
    }
  }

  /** Oldest first. */
  async *all(since?: Date): AsyncGenerator<AuditSeal> {
    yield* this.#seals.find(since ? { at: { $gte: since } } : {}).sort({ _id: 1 });
  }
}
