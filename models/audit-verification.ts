import type { Connection } from 'mongoose';
import { GENESIS_HASH, auditHash } from './audit-chain.ts';
import type { AuditEntry } from './audit-chain.ts';
import { auditCollection } from './audit-log.ts';
import { AuditSeals, isSealedBy, sealHash } from './audit-seals.ts';
import type { SealKeys } from './audit-seals.ts';

export interface AuditReport {
  entities: number;
  entries: number;
  seals: number;
  sealed: number;
  unsealed: number;
  /** When the oldest entry without a seal was written. */
  oldestUnsealedAt?: Date;
  /** The first thing that is wrong, in words; absent when all is well. */
  broken?: string;
}

/** Hashes by `entity#seq` of what seals hold: some 150 bytes an entry, which is what this check needs of memory. */
type Sealed = Map<string, string>;

/** Reads everything and checks each entity's chain, the chain of seals, and one against the other. */
export async function verifyAudit(connection: Connection, keys: SealKeys): Promise<AuditReport> {
  const report: AuditReport = { entities: 0, entries: 0, seals: 0, sealed: 0, unsealed: 0 };
  const sealed: Sealed = new Map();
  const brokenSeal = await readSeals(new AuditSeals(connection), keys, sealed, report);
  const brokenEntry = await readEntries(connection, sealed, report);
  const [missing] = sealed.keys();
  const brokenAtAll =
    brokenSeal ?? brokenEntry ?? (missing === undefined ? undefined : `${missing} is sealed, but missing`);
  return brokenAtAll === undefined ? report : { ...report, broken: brokenAtAll };
}

async function readSeals(
  seals: AuditSeals,
  keys: SealKeys,
  sealed: Sealed,
  report: AuditReport,
): Promise<string | undefined> {
  let prevHash = GENESIS_HASH;
  let broken: string | undefined;
  for await (const seal of seals.all()) {
    report.seals += 1;
    const wrong =
      seal._id !== report.seals
        ? `is out of turn, ${report.seals} was expected`
        : seal.prevHash !== prevHash
          ? 'does not follow the one before'
          : sealHash(seal) !== seal.hash
            ? 'was changed'
            : !isSealedBy(keys, seal)
              ? 'was not made with our key'
              : undefined;
    if (wrong !== undefined) broken ??= `seal ${seal._id} ${wrong}`;
    prevHash = seal.hash;
    for (const { entity, seq, hash } of seal.entries) sealed.set(`${entity}#${seq}`, hash);
  }
  return broken;
}

async function readEntries(connection: Connection, sealed: Sealed, report: AuditReport): Promise<string | undefined> {
  let previous: AuditEntry | undefined;
  let broken: string | undefined;
  // No entry is dropped from the map before it was seen, so what is left in the end is missing.
  for await (const entry of auditCollection(connection).find().sort({ entity: 1, seq: 1 })) {
    report.entries += 1;
    const before = previous?.entity === entry.entity ? previous : undefined;
    if (!before) report.entities += 1;
    const key = `${entry.entity}#${entry.seq}`;
    const sealedHash = sealed.get(key);
    sealed.delete(key);
    if (sealedHash === undefined) {
      report.unsealed += 1;
      if (report.oldestUnsealedAt === undefined || entry.at < report.oldestUnsealedAt)
        report.oldestUnsealedAt = entry.at;
    } else report.sealed += 1;
    broken ??= wrongWith(entry, before, sealedHash, key);
    previous = entry;
  }
  return broken;
}

function wrongWith(
  entry: AuditEntry,
  before: AuditEntry | undefined,
  sealedHash: string | undefined,
  key: string,
): string | undefined {
  if (entry.seq !== (before?.seq ?? 0) + 1) return `${key} follows number ${before?.seq ?? 0}: entries were removed`;
  if (entry.prevHash !== (before?.hash ?? GENESIS_HASH)) return `${key} does not follow the entry before it`;
  if (auditHash(entry) !== entry.hash) return `${key} was changed after it was written`;
  if (sealedHash !== undefined && sealedHash !== entry.hash) return `${key} is not the entry that was sealed`;
  return undefined;
}
