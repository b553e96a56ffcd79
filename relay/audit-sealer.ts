import { setTimeout as sleep } from 'node:timers/promises';
import { Types } from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import { auditCollection } from '../models/audit-log.ts';
import type { AuditEntry } from '../models/audit-log.ts';
import { AuditSeals, nextSeal } from '../models/audit-seals.ts';
import type { AuditSeal, SealKeys, SealedEntry } from '../models/audit-seals.ts';
import type { Logger } from '../runtime/logger.ts';

export interface AuditSealerOptions {
  connection: Connection;
  keys: SealKeys;
  logger: Logger;
  /** How long an entry waits for others before it is sealed. */
  maxWaitMs?: number;
}

const MAX_BATCH = 500;
const MAX_WAIT_MS = 1000;
/** The stream is asked for what is there, not waited on. */
const STREAM_WAIT_MS = 1;
/** Entries are compared from this long before the last seal on, against seals from longer before; clocks differ by less. */
const ENTRIES_BACK_MS = 120_000;
const SEALS_BACK_MS = 600_000;
/** Others may still write while we stop. */
const STOP_MS = 2000;

const PIPELINE = [
  { $match: { operationType: 'insert' } },
  { $project: { 'fullDocument.entity': 1, 'fullDocument.seq': 1, 'fullDocument.hash': 1 } },
];

type Insert = mongo.ChangeStreamInsertDocument<AuditEntry>;
type Stream = mongo.ChangeStream<AuditEntry, Insert>;

/** Another sealer made the seal that we were about to make. */
class SealTaken extends Error {}

/**
 * Seals audit entries in the order in which they were committed. Several may run: the number of a seal is unique, so one
 * is effective, and the others go on from its seals.
 */
export class AuditSealer {
  readonly #seals: AuditSeals;
  readonly #entries: mongo.Collection<AuditEntry>;
  readonly #options: Required<AuditSealerOptions>;
  readonly #abort = new AbortController();
  #isTokenLost = false;
  #stoppedAt = 0;
  #running: Promise<void> | undefined;

  constructor(options: AuditSealerOptions) {
    this.#options = { maxWaitMs: MAX_WAIT_MS, ...options };
    this.#seals = new AuditSeals(options.connection);
    this.#entries = auditCollection(options.connection);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** What waits is sealed first. */
  async stop(): Promise<void> {
    this.#stoppedAt = Date.now();
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#abort.signal.aborted)
      try {
        await this.#session();
      } catch (error) {
        if (error instanceof SealTaken) logger.debug('Another process seals the audit');
        else logger.warn('Sealing the audit was interrupted', { error });
        await this.#pause(1000 + Math.random() * 1000);
      }
  }

  /** From the last seal on: first what the stream may have missed, then the stream, until something fails. */
  async #session(): Promise<void> {
    const last = await this.#seals.last();
    const token = this.#isTokenLost ? null : (last?.resumeToken ?? null);
    const stream = this.#open(token);
    try {
      // Opens the stream, so that nothing falls between it and the comparison.
      const first = await stream.tryNext().catch((error: unknown) => {
        // Whatever the server has against the token, comparing everything is right, only slower.
        if (token !== null && (error as Error).name === 'MongoServerError') this.#isTokenLost = true;
        throw error;
      });
      // A token may be older than its seal, so the stream can bring what was sealed before as well as what is sealed now.
      const { missed, sealed: caughtUp } = await this.#unsealed(token === null ? null : last);
      for (const entry of missed) caughtUp.add(keyOf(entry));
      const resumeAfter = first === null ? (stream.resumeToken ?? token) : token;
      const newest = await this.#sealAll(last, missed, resumeAfter);
      this.#isTokenLost = false;
      await this.#follow(stream, first, newest, caughtUp);
    } finally {
      await stream.close().catch(() => {});
    }
  }

  /** Looks twice a second and takes what has gathered: waiting for each entry would cost a round trip for each. */
  async #follow(stream: Stream, first: Insert | null, last: AuditSeal | null, known: Set<string>): Promise<void> {
    const { maxWaitMs } = this.#options;
    let newest = last;
    let batch: SealedEntry[] = [];
    let oldestAt = 0;
    const sealBatch = async (): Promise<void> => {
      newest = await this.#seal(newest, batch, stream.resumeToken);
      batch = [];
    };
    for (let change = first; ; change = await stream.tryNext()) {
      if (change && !known.delete(keyOf(change.fullDocument))) {
        if (batch.length === 0) oldestAt = Date.now();
        batch.push(change.fullDocument);
      }
      if (batch.length >= MAX_BATCH) await sealBatch();
      const { aborted } = this.#abort.signal;
      if (change && !(aborted && Date.now() - this.#stoppedAt > STOP_MS)) continue;
      if (batch.length > 0 && (aborted || Date.now() - oldestAt >= maxWaitMs)) await sealBatch();
      if (aborted) return;
      await this.#pause(maxWaitMs / 2);
    }
  }

  #open(token: unknown): Stream {
    return this.#entries.watch<AuditEntry, Insert>(PIPELINE, {
      maxAwaitTimeMS: STREAM_WAIT_MS,
      batchSize: MAX_BATCH,
      ...(token === null ? {} : { resumeAfter: token }),
    });
  }

  /** Entries that no seal has: all of them without a seal to start from, else those since shortly before it. */
  async #unsealed(last: AuditSeal | null): Promise<{ missed: SealedEntry[]; sealed: Set<string> }> {
    const projection = { _id: 0, entity: 1, seq: 1, hash: 1 } as const;
    const missed: SealedEntry[] = [];
    const sealed = new Set<string>();
    if (last) {
      for await (const { entries } of this.#seals.all(new Date(last.at.getTime() - SEALS_BACK_MS)))
        for (const entry of entries) sealed.add(keyOf(entry));
      const from = Types.ObjectId.createFromTime((last.at.getTime() - ENTRIES_BACK_MS) / 1000);
      for await (const entry of this.#entries.find({ _id: { $gte: from } } as never, { projection }))
        if (!sealed.has(keyOf(entry))) missed.push(entry);
      return { missed: missed.toSorted(byEntity), sealed };
    }
    // Entries of an entity are sealed in their order, so what is sealed of it is known by its number.
    const sealedUpTo = new Map<string, number>();
    for await (const { entries } of this.#seals.all())
      for (const { entity, seq } of entries) sealedUpTo.set(entity, Math.max(seq, sealedUpTo.get(entity) ?? 0));
    for await (const entry of this.#entries.find({}, { projection }).sort({ entity: 1, seq: 1 }))
      if (entry.seq > (sealedUpTo.get(entry.entity) ?? 0)) missed.push(entry);
    return { missed, sealed };
  }

  async #sealAll(last: AuditSeal | null, entries: readonly SealedEntry[], token: unknown): Promise<AuditSeal | null> {
    let newest = last;
    for (let i = 0; i < entries.length; i += MAX_BATCH) {
      const isLastBatch = i + MAX_BATCH >= entries.length;
      newest = await this.#seal(newest, entries.slice(i, i + MAX_BATCH), isLastBatch ? token : null);
    }
    return newest;
  }

  async #seal(last: AuditSeal | null, entries: readonly SealedEntry[], token: unknown): Promise<AuditSeal> {
    const seal = nextSeal(last, entries, token, this.#options.keys);
    if (!(await this.#seals.insert(seal))) throw new SealTaken();
    return seal;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#abort.signal }).catch(() => {});
  }
}

const keyOf = ({ entity, seq }: SealedEntry): string => `${entity}#${seq}`;

const byEntity = (a: SealedEntry, b: SealedEntry): number =>
  a.entity === b.entity ? a.seq - b.seq : a.entity < b.entity ? -1 : 1;
