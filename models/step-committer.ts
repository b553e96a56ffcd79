import type { ClientSession, Connection, mongo } from 'mongoose';
import type { CaseChange, ReservationOutcome, StockIntent } from '../domain/order-step.ts';
import type { StockLine } from '../domain/order-quantities.ts';
import type { Actor } from '../domain/order-messages.ts';
import { auditCollection, type AuditEntry } from './audit-log.ts';
import { caseCollection, type CaseRecord } from './case-records.ts';
import { GroupCommit } from './group-commit.ts';
import { orderCollection, type OrderRecord } from './order-records.ts';
import { LedgerMismatch, LostRace, StockBook, type OrderMovement } from './stock-book.ts';
import { OptimisticStock } from './optimistic-stock.ts';
import { movementCollection } from './stock-records.ts';
import { isTransient, runTransaction } from './transaction.ts';
import { WarehouseDirectory } from './warehouse-records.ts';

/** The fields of an order's record that a step writes; everything else is intake's. */
export type OrderFields = Omit<OrderRecord, '_id' | 'snapshot' | 'contentHash' | 'origin' | 'runId' | 'lastStep'>;

/** One step of one order: written whole or not at all, and only once however often it is asked for. */
export interface OrderStepRequest {
  kind: 'orderStep';
  orderId: string;
  shopId: string;
  /** Revision after the step. */
  revision: number;
  /** First run of the order's workflow; an order belongs to one. `null` = a step on an order that has ended. */
  runId: string | null;
  /** A reinstated order gets a new first run: the record changes hands. */
  takesOver: boolean;
  actor: Actor;
  at: Date;
  stock: StockIntent[];
  cases: CaseChange[];
  /** View and audit as the reservation's outcome makes them. */
  build(outcome: ReservationOutcome | undefined): { fields: OrderFields; audit: AuditEntry };
}

/** Goods that come or go without an order; `id` is the caller's business key. */
export interface StockChangeRequest {
  kind: 'stockChange';
  id: string;
  movement: 'receipt' | 'adjustment';
  lines: StockLine[];
  actor: Actor;
  at: Date;
  reason: string | null;
}

export type CommitRequest = OrderStepRequest | StockChangeRequest;

export interface CommitAnswer {
  /** Nothing was written when the outcome is `short`, or when the step had been written before. */
  isRepeat: boolean;
  outcome?: ReservationOutcome;
  auditHash: string;
}

export interface CommitterEvents {
  /** Orders of the queue that a commit has served; their workflows are to be told. */
  onFilled(filled: { orderId: string; round: number }[]): void;
  /** An order's view is readable with this revision. */
  onCommitted?(orderId: string, revision: number): void;
  onBatch?(size: number, path: 'fast' | 'full', ms: number): void;
}

/** The order belongs to another workflow run, or to nobody any more: a foreign write, never stale news. */
export class ForeignRun extends Error {
  override name = 'ForeignRun';
}

/**
 * Writes steps: order view, audit entry, stock counters with their movements, and cases, in one transaction. Steps that
 * come at the same time share a transaction. The plain case reads nothing: conditional writes that all match prove that
 * nobody was in between; any mismatch rolls back and the batch is run again over what is read.
 */
export class StepCommitter {
  readonly #connection: Connection;
  readonly #events: CommitterEvents;
  readonly #warehouses: WarehouseDirectory;
  readonly #optimistic: OptimisticStock;
  readonly #group: GroupCommit<CommitRequest, CommitAnswer>;

  constructor(connection: Connection, events: CommitterEvents) {
    this.#connection = connection;
    this.#events = events;
    this.#warehouses = new WarehouseDirectory(connection);
    this.#optimistic = new OptimisticStock(connection);
    this.#group = new GroupCommit((requests) => this.#runBatch(requests));
  }

  commit(request: CommitRequest): Promise<CommitAnswer> {
    return this.#group.submit(request);
  }

  async #runBatch(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    // An order has one writer, but a step that is asked for twice may meet itself: the second waits for the next batch.
    const [first, later] = onePerOrder(requests);
    const answers = await this.#runDistinct(first);
    const answerOf = new Map(first.map((request, index) => [request, answers[index] ?? new Error('no answer')]));
    for (const request of later) answerOf.set(request, (await this.#runDistinct([request]))[0] ?? new Error('no answer'));
    return requests.map((request) => answerOf.get(request) ?? new Error('no answer'));
  }

  async #runDistinct(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    const startedAt = Date.now();
    try {
      const fast = await this.#tryFast(requests);
      const answers = fast ?? (await this.#runFull(requests));
      this.#events.onBatch?.(requests.length, fast ? 'fast' : 'full', Date.now() - startedAt);
      requests.forEach((request, index) => {
        const answer = answers[index];
        if (request.kind === 'orderStep' && answer && !(answer instanceof Error) && answer.outcome?.state !== 'short')
          this.#events.onCommitted?.(request.orderId, request.revision);
      });
      return answers;
    } catch (error) {
      // One request must not fail the others of its batch.
      if (requests.length > 1 && !isTransient(error)) {
        const answers: (CommitAnswer | Error)[] = [];
        for (const request of requests) answers.push(...(await this.#runDistinct([request])));
        return answers;
      }
      return requests.map(() => error as Error);
    }
  }

  async #tryFast(requests: CommitRequest[]): Promise<CommitAnswer[] | null> {
    const steps = requests.filter((request) => request.kind === 'orderStep');
    if (steps.length !== requests.length) return null;
    const plan = this.#optimistic.plan(steps, await this.#warehouses.list());
    if (!plan) return null;
    const outcomes = steps.map((step) => plan.outcomes.get(step));
    const built = steps.map((step, index) => step.build(outcomes[index]));
    const isWritten = await runTransaction(this.#connection, async (session) => {
      if (!(await this.#optimistic.write(plan, session))) return false;
      const orders = await orderCollection(this.#connection).bulkWrite(
        steps.map((step, index) => orderWrite(step, built[index], outcomes[index], false)),
        { session, ordered: true },
      );
      if (orders.matchedCount !== steps.length) return false;
      await this.#writeTrail(steps, built, session);
      return true;
    }).catch((error: unknown) => {
      if ((error as { code?: number }).code === DUPLICATE_KEY) return false;
      throw error;
    });
    if (!isWritten) return null;
    return steps.map((_, index) => {
      const outcome = outcomes[index];
      return { isRepeat: false, auditHash: built[index]?.audit.hash ?? '', ...(outcome ? { outcome } : {}) };
    });
  }

  async #runFull(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    for (let tries = 1; ; tries += 1) {
      let book: StockBook | undefined;
      try {
        const warehouses = await this.#warehouses.list();
        const answers = await runTransaction(this.#connection, async (session) => {
          book = new StockBook(this.#connection, session, warehouses);
          return this.#carryOut(requests, book, session);
        });
        if (book && book.filled.length > 0) this.#events.onFilled(book.filled);
        return answers;
      } catch (error) {
        if (!(error instanceof LostRace) || tries >= MAX_TRIES) throw error;
      }
    }
  }

  async #carryOut(requests: CommitRequest[], book: StockBook, session: ClientSession): Promise<(CommitAnswer | Error)[]> {
    const answers = new Map<CommitRequest, CommitAnswer | Error>();
    const written: { step: OrderStepRequest; built: ReturnType<OrderStepRequest['build']>; outcome: ReservationOutcome | undefined; isNew: boolean }[] = [];
    // What brings goods goes first, then the queue, then who asks anew, earliest payment first.
    for (const request of requests.filter((r) => r.kind === 'stockChange'))
      answers.set(request, await this.#changeStock(request, book, session));
    const steps = requests.filter((request) => request.kind === 'orderStep');
    for (const step of [...steps].sort(bringersFirst)) {
      const known = await orderCollection(this.#connection).findOne(
        { _id: step.orderId },
        { session, projection: { revision: 1, runId: 1, lastStep: 1 } },
      );
      const settled = settledAnswer(step, known);
      if (settled) {
        answers.set(step, settled);
        continue;
      }
      if (isAsking(step)) await book.fillBackorders(step.at);
      try {
        const outcome = await book.atomically(() => carryOutIntents(step, book), (result) => result?.state === 'short');
        if (outcome?.state === 'short') {
          answers.set(step, { isRepeat: false, outcome, auditHash: '' });
          continue;
        }
        const built = step.build(outcome);
        written.push({ step, built, outcome, isNew: known === null });
        answers.set(step, { isRepeat: false, auditHash: built.audit.hash, ...(outcome ? { outcome } : {}) });
      } catch (error) {
        if (!(error instanceof LedgerMismatch)) throw error;
        answers.set(step, error);
      }
    }
    await book.fillBackorders(requests[0]?.at ?? new Date());
    await book.write();
    if (written.length > 0) {
      const result = await orderCollection(this.#connection).bulkWrite(
        written.map(({ step, built, outcome, isNew }) => orderWrite(step, built, outcome, isNew)),
        { session, ordered: true },
      );
      if (result.matchedCount + result.upsertedCount !== written.length) throw new LostRace('an order moved');
      await this.#writeTrail(written.map(({ step }) => step), written.map(({ built }) => built), session);
    }
    return requests.map((request) => answers.get(request) ?? new Error('no answer'));
  }

  async #changeStock(request: StockChangeRequest, book: StockBook, session: ClientSession): Promise<CommitAnswer | Error> {
    const [first] = request.lines;
    if (!first) return { isRepeat: true, auditHash: '' };
    const id = stockChangeMovementId(request, first);
    if (await movementCollection(this.#connection).findOne({ _id: id }, { session, projection: { _id: 1 } }))
      return { isRepeat: true, auditHash: '' };
    const skuCodes = request.lines.map(({ skuCode }) => skuCode);
    await book.load(skuCodes);
    await book.countQueueOf(skuCodes);
    try {
      return await book.atomically(
        async () => {
          for (const line of request.lines) book.adjust(stockChangeMovementId(request, line), request.movement, line, request);
          return { isRepeat: false, auditHash: '' };
        },
        () => false,
      );
    } catch (error) {
      if (error instanceof LedgerMismatch) return error;
      throw error;
    }
  }

  async #writeTrail(
    steps: readonly OrderStepRequest[],
    built: readonly ReturnType<OrderStepRequest['build']>[],
    session: ClientSession,
  ): Promise<void> {
    await auditCollection(this.#connection).insertMany(built.map(({ audit }) => ({ ...audit })), { session });
    const cases = steps.flatMap((step) => step.cases.map((change) => caseWrite(step, change)));
    if (cases.length > 0) await caseCollection(this.#connection).bulkWrite(cases, { session });
  }
}

const DUPLICATE_KEY = 11000;
const MAX_TRIES = 20;

const onePerOrder = (requests: CommitRequest[]): [CommitRequest[], CommitRequest[]] => {
  const seen = new Set<string>();
  const first: CommitRequest[] = [];
  const later: CommitRequest[] = [];
  for (const request of requests) {
    const key = request.kind === 'orderStep' ? request.orderId : `${request.movement} ${request.id}`;
    (seen.has(key) ? later : first).push(request);
    seen.add(key);
  }
  return [first, later];
};

const stockChangeMovementId = (request: StockChangeRequest, line: StockLine): string =>
  `${request.movement}/${request.id}/${line.warehouseId}/${line.skuCode}`;

const isAsking = (step: OrderStepRequest): boolean => step.stock.some(({ kind }) => kind === 'reserve');

const bringersFirst = (a: OrderStepRequest, b: OrderStepRequest): number => {
  const paidAt = (step: OrderStepRequest) => step.stock.find((intent) => intent.kind === 'reserve')?.paidAt ?? '';
  return paidAt(a) < paidAt(b) ? -1 : paidAt(a) > paidAt(b) ? 1 : a.orderId < b.orderId ? -1 : 1;
};

/** The answer when the step was written before, or may never be; `null` when it is to be written now. */
const settledAnswer = (
  step: OrderStepRequest,
  known: Pick<OrderRecord, 'revision' | 'runId' | 'lastStep'> | null,
): CommitAnswer | Error | null => {
  if (!known) return null;
  if (known.lastStep && known.revision === step.revision && known.runId === step.runId) {
    const { outcome, auditHash } = known.lastStep;
    return { isRepeat: true, auditHash, ...(outcome ? { outcome } : {}) };
  }
  if (known.runId !== null && known.runId !== step.runId && !step.takesOver)
    return new ForeignRun(`order ${step.orderId} belongs to another workflow run`);
  if (known.revision >= step.revision) return new ForeignRun(`order ${step.orderId} is at revision ${known.revision}, beyond ${step.revision}`);
  return null;
};

const carryOutIntents = async (step: OrderStepRequest, book: StockBook): Promise<ReservationOutcome | undefined> => {
  const movement: OrderMovement = { orderId: step.orderId, revision: step.revision, actor: step.actor, at: step.at };
  let outcome: ReservationOutcome | undefined;
  for (const intent of step.stock) {
    if (intent.kind === 'reserve') outcome = await book.reserve(intent, movement);
    else if (intent.kind === 'withdraw') await book.withdraw(intent.round, movement);
    else {
      await book.load(intent.lines.map(({ skuCode }) => skuCode));
      book[intent.kind](intent.lines, movement);
    }
  }
  return outcome;
};

const orderWrite = (
  step: OrderStepRequest,
  built: ReturnType<OrderStepRequest['build']> | undefined,
  outcome: ReservationOutcome | undefined,
  isNew: boolean,
): mongo.AnyBulkWriteOperation<OrderRecord> => {
  if (!built) throw new Error('nothing was built');
  const lastStep = { revision: step.revision, auditHash: built.audit.hash, ...(outcome ? { outcome } : {}) };
  const filter: mongo.Filter<OrderRecord> = { _id: step.orderId, revision: { $lt: step.revision } };
  if (!step.takesOver) filter.runId = { $in: [null, step.runId] };
  return { updateOne: { filter, update: { $set: { ...built.fields, runId: step.runId, lastStep } }, upsert: isNew } };
};

const caseWrite = (step: OrderStepRequest, change: CaseChange): mongo.AnyBulkWriteOperation<CaseRecord> => {
  if (change.kind === 'resolve')
    return {
      updateOne: {
        filter: { _id: change.caseId, state: 'open' },
        update: {
          $set: { state: 'resolved', resolvedAt: step.at, resolvedBy: step.actor.id, note: change.note },
          $inc: { revision: 1 },
        },
      },
    };
  const { caseId, code, detail } = change;
  return {
    updateOne: {
      filter: { _id: caseId },
      update: {
        $setOnInsert: {
          code,
          state: 'open',
          orderId: step.orderId,
          shopId: step.shopId,
          assignee: null,
          detail,
          openedAt: step.at,
          resolvedAt: null,
          resolvedBy: null,
          note: null,
          revision: 1,
        },
      },
      upsert: true,
    },
  };
};
