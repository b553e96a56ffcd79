import type { ClientSession, Connection, mongo } from 'mongoose';
import type { CaseChange, ReservationOutcome, StockIntent } from '../domain/order-step.ts';
import type { Actor, OrderMessage } from '../domain/order-messages.ts';
import type { WrittenStep } from '../domain/step-request.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditCollection, type AuditEntry } from './audit-log.ts';
import { caseCollection, type CaseRecord } from './case-records.ts';
import { GroupCommit } from './group-commit.ts';
import { orderCollection, type OrderRecord } from './order-records.ts';
import { LedgerMismatch, LostRace, StaleWarehouses, StockBook, type OrderMovement } from './stock-book.ts';
import { OptimisticStock } from './optimistic-stock.ts';
import { backorderCollection, movementCollection, stockCollection, stockGuardCollection } from './stock-records.ts';
import { changeStock, type StockChangeRequest } from './stock-change.ts';
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
  /** What caused the step; whoever meets it again learns what it was. */
  message?: OrderMessage;
  actor: Actor;
  at: Date;
  stock: StockIntent[];
  cases: CaseChange[];
  /** View and audit as the reservation's outcome makes them. */
  build(outcome: ReservationOutcome | undefined): { fields: OrderFields; audit: AuditEntry };
}

/** The rest of a queue that was too long for one transaction. */
interface ServeQueueRequest {
  kind: 'serveQueue';
  skuCodes: string[];
  at: Date;
}

export type { StockChangeRequest } from './stock-change.ts';

export type CommitRequest = OrderStepRequest | StockChangeRequest | ServeQueueRequest;

export interface CommitAnswer {
  /** Nothing was written when the outcome is `short`, or when the step had been written before. */
  isRepeat: boolean;
  outcome?: ReservationOutcome;
  auditHash: string;
  /** What was written of the order's record, when it was written now. */
  fields?: OrderFields;
  /** Of a repeat: the step that is written under this revision. */
  written?: WrittenStep;
}

export interface CommitterEvents {
  /** Orders of the queue that a commit has served; their workflows are to be told. */
  onFilled(filled: { orderId: string; round: number }[]): void;
  /** An order's view is readable with this revision. */
  onCommitted?(orderId: string, revision: number, fields: OrderFields | undefined): void;
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
    // Registered here, so that their collections and indexes are made at start and not within a transaction.
    for (const register of COLLECTIONS) register(connection);
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
    for (const request of later)
      answerOf.set(request, (await this.#runDistinct([request]))[0] ?? new Error('no answer'));
    return requests.map((request) => answerOf.get(request) ?? new Error('no answer'));
  }

  /** Plain steps go by themselves, so that a queue for some goods does not slow down the orders for all others. */
  async #runDistinct(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    const plain = await this.#plainOf(requests);
    const answers = new Map<CommitRequest, CommitAnswer | Error>();
    const fast = plain.length > 0 ? await this.#timed('fast', plain, () => this.#tryFast(plain)) : null;
    fast?.forEach((answer, index) => answers.set(plain[index] as CommitRequest, answer));
    const rest = requests.filter((request) => !answers.has(request));
    const full = rest.length > 0 ? await this.#timed('full', rest, () => this.#runFull(rest)) : [];
    full?.forEach((answer, index) => answers.set(rest[index] as CommitRequest, answer));
    return requests.map((request) => answers.get(request) ?? new Error('no answer'));
  }

  /** One request must not fail the others of its batch: on an error each is carried out by itself. */
  async #timed<R extends CommitRequest>(
    path: 'fast' | 'full',
    requests: R[],
    run: () => Promise<(CommitAnswer | Error)[] | null>,
  ): Promise<(CommitAnswer | Error)[] | null> {
    const startedAt = Date.now();
    try {
      const answers = await run();
      if (!answers) return null;
      this.#events.onBatch?.(requests.length, path, Date.now() - startedAt);
      requests.forEach((request, index) => {
        const answer = answers[index];
        if (request.kind === 'orderStep' && answer && !(answer instanceof Error) && answer.outcome?.state !== 'short')
          this.#events.onCommitted?.(request.orderId, request.revision, answer.fields);
      });
      return answers;
    } catch (error) {
      if (requests.length === 1 || isTransient(error)) return requests.map(() => error as Error);
      const answers: (CommitAnswer | Error)[] = [];
      for (const request of requests) answers.push(...(await this.#runDistinct([request])));
      return answers;
    }
  }

  async #plainOf(requests: readonly CommitRequest[]): Promise<OrderStepRequest[]> {
    const steps = requests.filter((request) => request.kind === 'orderStep');
    if (steps.length === 0) return [];
    const warehouses = await this.#warehouses.list();
    return steps.filter((step) => this.#optimistic.plan([step], warehouses) !== null);
  }

  async #tryFast(steps: OrderStepRequest[]): Promise<CommitAnswer[] | null> {
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
    if (!isWritten) {
      await this.#optimistic.noteShortages(plan);
      return null;
    }
    return steps.map((_, index) => {
      const outcome = outcomes[index];
      const { audit, fields } = built[index] as ReturnType<OrderStepRequest['build']>;
      return { isRepeat: false, auditHash: audit.hash, fields, ...(outcome ? { outcome } : {}) };
    });
  }

  async #runFull(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    let isListFresh = false;
    for (let tries = 1; ; tries += 1) {
      let book: StockBook | undefined;
      try {
        const warehouses = await this.#warehouses.list(isListFresh);
        const answers = await runTransaction(this.#connection, async (session) => {
          book = new StockBook(this.#connection, session, { warehouses, isListFresh });
          return this.#carryOut(requests, book, session);
        });
        if (book) this.#announce(book);
        return answers;
      } catch (error) {
        if (error instanceof StaleWarehouses && !isListFresh) isListFresh = true;
        else if (!isLostRace(error) || tries >= MAX_TRIES) throw error;
        else await sleep(Math.random() * 3 * tries);
      }
    }
  }

  #announce({ filled, unserved }: StockBook): void {
    if (filled.length > 0) this.#events.onFilled(filled);
    // Should this be lost, whoever waits asks again within the hour and has the queue served.
    if (unserved.size > 0)
      this.#group.submit({ kind: 'serveQueue', skuCodes: [...unserved], at: new Date() }).catch(() => undefined);
  }

  async #carryOut(
    requests: CommitRequest[],
    book: StockBook,
    session: ClientSession,
  ): Promise<(CommitAnswer | Error)[]> {
    const answers = new Map<CommitRequest, CommitAnswer | Error>();
    const written: {
      step: OrderStepRequest;
      built: ReturnType<OrderStepRequest['build']>;
      outcome: ReservationOutcome | undefined;
      isNew: boolean;
    }[] = [];
    // What brings goods goes first, then the queue, then who asks anew, earliest payment first.
    for (const request of requests) {
      if (request.kind === 'stockChange') {
        const result = await changeStock(request, book, { connection: this.#connection, session });
        answers.set(request, result instanceof Error ? result : { isRepeat: result === 'repeat', auditHash: '' });
      } else if (request.kind === 'serveQueue') {
        await book.load(request.skuCodes);
        book.serve(request.skuCodes);
        answers.set(request, { isRepeat: false, auditHash: '' });
      }
    }
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
      const asked = step.stock.find((intent) => intent.kind === 'reserve');
      if (asked) {
        await book.recheck(step.orderId, asked.round);
        await book.fillBackorders(step.at);
      }
      try {
        const outcome = await book.atomically(
          () => carryOutIntents(step, book),
          (result) => result?.state === 'short',
        );
        if (outcome?.state === 'short') {
          answers.set(step, { isRepeat: false, outcome, auditHash: '' });
          continue;
        }
        const built = step.build(outcome);
        written.push({ step, built, outcome, isNew: known === null });
        const { audit, fields } = built;
        answers.set(step, { isRepeat: false, auditHash: audit.hash, fields, ...(outcome ? { outcome } : {}) });
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
      await this.#writeTrail(
        written.map(({ step }) => step),
        written.map(({ built }) => built),
        session,
      );
    }
    return requests.map((request) => answers.get(request) ?? new Error('no answer'));
  }

  async #writeTrail(
    steps: readonly OrderStepRequest[],
    built: readonly ReturnType<OrderStepRequest['build']>[],
    session: ClientSession,
  ): Promise<void> {
    await auditCollection(this.#connection).insertMany(
      built.map(({ audit }) => ({ ...audit })),
      { session },
    );
    const cases = steps.flatMap((step, index) =>
      step.cases.map((change) => caseWrite(step, change, built[index]?.fields.assignee ?? null)),
    );
    if (cases.length > 0) await caseCollection(this.#connection).bulkWrite(cases, { session });
  }
}

const COLLECTIONS = [
  orderCollection,
  auditCollection,
  caseCollection,
  stockCollection,
  movementCollection,
  backorderCollection,
  stockGuardCollection,
] as const;

const DUPLICATE_KEY = 11000;
const MAX_TRIES = 20;

/** Somebody else was faster; run again over what is there now. A record that is new to two writers is such a race too. */
const isLostRace = (error: unknown): boolean =>
  error instanceof LostRace || (error as { code?: number }).code === DUPLICATE_KEY;

const onePerOrder = (requests: CommitRequest[]): [CommitRequest[], CommitRequest[]] => {
  const seen = new Set<string>();
  const first: CommitRequest[] = [];
  const later: CommitRequest[] = [];
  for (const request of requests) {
    const key =
      request.kind === 'orderStep'
        ? request.orderId
        : request.kind === 'stockChange'
          ? `${request.movement} ${request.id}`
          : '';
    (seen.has(key) ? later : first).push(request);
    seen.add(key);
  }
  return [first, later];
};

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
    const { outcome, auditHash, written } = known.lastStep;
    return { isRepeat: true, auditHash, ...(outcome ? { outcome } : {}), ...(written ? { written } : {}) };
  }
  if (known.runId !== null && known.runId !== step.runId && !step.takesOver)
    return new ForeignRun(`order ${step.orderId} belongs to another workflow run`);
  if (known.revision >= step.revision)
    return new ForeignRun(`order ${step.orderId} is at revision ${known.revision}, beyond ${step.revision}`);
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
  const lastStep = {
    revision: step.revision,
    auditHash: built.audit.hash,
    ...(outcome ? { outcome } : {}),
    ...(step.message ? { written: { message: step.message, at: step.at.toISOString() } } : {}),
  };
  const filter: mongo.Filter<OrderRecord> = { _id: step.orderId, revision: { $lt: step.revision } };
  if (!step.takesOver) filter.runId = { $in: [null, step.runId] };
  return { updateOne: { filter, update: { $set: { ...built.fields, runId: step.runId, lastStep } }, upsert: isNew } };
};

const caseWrite = (
  step: OrderStepRequest,
  change: CaseChange,
  assignee: string | null,
): mongo.AnyBulkWriteOperation<CaseRecord> => {
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
          assignee,
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
