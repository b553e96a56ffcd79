import type { ClientSession, Connection } from 'mongoose';
import type { Happening, ReservationOutcome } from '../domain/order-step.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditCollection, type AuditEntry } from './audit-log.ts';
import { caseCollection } from './case-records.ts';
import type { CommitAnswer, CommitRequest, OrderFields, OrderStepRequest, WrittenStepNote } from './commit-requests.ts';
import { GroupCommit } from './group-commit.ts';
import { orderCollection } from './order-records.ts';
import {
  caseWrite,
  isSameStep,
  orderWrite,
  repeatedAnswer,
  settledAnswer,
  type KnownOrder,
} from './order-step-write.ts';
import { LedgerMismatch, LostRace, StaleWarehouses, StockBook, type OrderMovement } from './stock-book.ts';
import { OptimisticStock } from './optimistic-stock.ts';
import { backorderCollection, movementCollection, stockCollection, stockGuardCollection } from './stock-records.ts';
import { changeStock } from './stock-change.ts';
import { isOutage, isTransient, runTransaction } from './transaction.ts';
import { WarehouseDirectory } from './warehouse-records.ts';

export { ForeignRun } from './commit-requests.ts';
export type { CommitAnswer, CommitRequest, OrderFields, OrderStepRequest } from './commit-requests.ts';
export type { StockChangeRequest } from './stock-change.ts';

export interface CommitterEvents {
  /** Orders of the queue that a commit has served; their workflows are to be told. */
  onFilled(filled: { orderId: string; round: number }[]): void;
  /** An order's view is readable with this revision. */
  onCommitted?(orderId: string, revision: number, fields: OrderFields | undefined): void;
  /** A step was written, now and not before. */
  onStep?(step: WrittenStepNote): void;
  onBatch?(size: number, path: 'fast' | 'full', ms: number): void;
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
    // An order has one writer, but a step that is asked for twice may meet itself: it is carried out once.
    const { first, same, later } = onePerOrder(requests);
    const answers = await this.#runDistinct(first);
    const answerOf = new Map(first.map((request, index) => [request, answers[index] ?? new Error('no answer')]));
    for (const [request, original] of same) answerOf.set(request, repeatedAnswer(original, answerOf.get(original)));
    for (const request of later)
      answerOf.set(request, (await this.#runDistinct([request]))[0] ?? new Error('no answer'));
    return requests.map((request) => answerOf.get(request) ?? new Error('no answer'));
  }

  /** Plain steps go by themselves, so that a queue for some goods does not slow down the orders for all others. */
  async #runDistinct(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    const answers = new Map<CommitRequest, CommitAnswer | Error>();
    const run = async <R extends CommitRequest>(
      path: 'fast' | 'full',
      asked: R[],
      carryOut: (asked: R[]) => Promise<(CommitAnswer | Error)[] | null>,
    ) => {
      const given = asked.length > 0 ? await this.#timed(path, asked, () => carryOut(asked)) : [];
      given?.forEach((answer, index) => answers.set(asked[index] as R, answer));
      return given !== null;
    };
    const isOpen = (request: CommitRequest) => !answers.has(request);
    const plain = await this.#plainOf(requests);
    if (!(await run('fast', plain, (steps) => this.#tryFast(steps)))) {
      // One step that was written before spoils the plain way for all: after an outage there are many, so those go first.
      for (const [step, answer] of await this.#settled(plain)) answers.set(step, answer);
      const left = plain.filter(isOpen);
      if (left.length < plain.length) await run('fast', left, (steps) => this.#tryFast(steps));
    }
    await run('full', requests.filter(isOpen), (rest) => this.#runFull(rest));
    return requests.map((request) => answers.get(request) ?? new Error('no answer'));
  }

  /** Those that are written already, or may never be. */
  async #settled(steps: readonly OrderStepRequest[]): Promise<[OrderStepRequest, CommitAnswer | Error][]> {
    const known = await this.#knownOf(steps);
    return steps.flatMap((step): [OrderStepRequest, CommitAnswer | Error][] => {
      const answer = settledAnswer(step, known.get(step.orderId) ?? null);
      return answer ? [[step, answer]] : [];
    });
  }

  /** What a repetition is recognised by, in one read however many there are. */
  async #knownOf(steps: readonly OrderStepRequest[], session?: ClientSession): Promise<Map<string, KnownOrder>> {
    if (steps.length === 0) return new Map();
    const [only] = steps.length === 1 ? steps : [];
    const records = await orderCollection(this.#connection)
      .find(
        { _id: only ? only.orderId : { $in: steps.map(({ orderId }) => orderId) } },
        { projection: { revision: 1, runId: 1, lastStep: 1 }, ...(session ? { session } : {}) },
      )
      .toArray();
    return new Map(records.map((record) => [record._id, record]));
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
          this.#announceStep(request, answer);
      });
      return answers;
    } catch (error) {
      if (requests.length === 1 || isTransient(error) || isOutage(error)) return requests.map(() => error as Error);
      const answers: (CommitAnswer | Error)[] = [];
      for (const request of requests) answers.push(...(await this.#runDistinct([request])));
      return answers;
    }
  }

  #announceStep({ orderId, revision, actor }: OrderStepRequest, { fields, happened }: CommitAnswer): void {
    this.#events.onCommitted?.(orderId, revision, fields);
    if (fields && happened) this.#events.onStep?.({ orderId, revision, actor, fields, happened });
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
      const happened = happenedIn(audit);
      return { isRepeat: false, auditHash: audit.hash, fields, happened, ...(outcome ? { outcome } : {}) };
    });
  }

  async #runFull(requests: CommitRequest[]): Promise<(CommitAnswer | Error)[]> {
    let isFresh = false;
    for (let tries = 1; ; tries += 1) {
      let book: StockBook | undefined;
      try {
        const list = await this.#warehouses.list(isFresh);
        const answers = await runTransaction(this.#connection, async (session) => {
          book = new StockBook(this.#connection, session, { list, isFresh });
          return this.#carryOut(requests, book, session);
        });
        if (book) this.#announce(book);
        return answers;
      } catch (error) {
        if (error instanceof StaleWarehouses && !isFresh) isFresh = true;
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
        await book.serve(request.skuCodes);
        answers.set(request, { isRepeat: false, auditHash: '' });
      }
    }
    const steps = requests.filter((request) => request.kind === 'orderStep');
    const knownOrders = await this.#knownOf(steps, session);
    for (const step of [...steps].sort(bringersFirst)) {
      const known = knownOrders.get(step.orderId) ?? null;
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
        const happened = happenedIn(audit);
        answers.set(step, {
          isRepeat: false,
          auditHash: audit.hash,
          fields,
          happened,
          ...(outcome ? { outcome } : {}),
        });
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

const happenedIn = ({ detail }: AuditEntry): Happening[] => (detail['happened'] ?? []) as Happening[];

const DUPLICATE_KEY = 11000;
const MAX_TRIES = 20;

/** Somebody else was faster; run again over what is there now. A record that is new to two writers is such a race too. */
const isLostRace = (error: unknown): boolean =>
  error instanceof LostRace || (error as { code?: number }).code === DUPLICATE_KEY;

interface Sorted {
  first: CommitRequest[];
  /** Repetitions of a step in `first`, each with it. */
  same: [CommitRequest, OrderStepRequest][];
  later: CommitRequest[];
}

const onePerOrder = (requests: readonly CommitRequest[]): Sorted => {
  const seen = new Map<string, CommitRequest>();
  const sorted: Sorted = { first: [], same: [], later: [] };
  for (const request of requests) {
    const key = keyOf(request);
    const known = seen.get(key);
    if (!known) {
      seen.set(key, request);
      sorted.first.push(request);
    } else if (isSameStep(request, known)) sorted.same.push([request, known]);
    else sorted.later.push(request);
  }
  return sorted;
};

const keyOf = (request: CommitRequest): string => {
  if (request.kind === 'orderStep') return request.orderId;
  return request.kind === 'stockChange' ? `${request.movement} ${request.id}` : '';
};

const bringersFirst = (a: OrderStepRequest, b: OrderStepRequest): number => {
  const paidAt = (step: OrderStepRequest) => step.stock.find((intent) => intent.kind === 'reserve')?.paidAt ?? '';
  return paidAt(a) < paidAt(b) ? -1 : paidAt(a) > paidAt(b) ? 1 : a.orderId < b.orderId ? -1 : 1;
};

const carryOutIntents = async (step: OrderStepRequest, book: StockBook): Promise<ReservationOutcome | undefined> => {
  const movement: OrderMovement = { orderId: step.orderId, revision: step.revision, actor: step.actor, at: step.at };
  let outcome: ReservationOutcome | undefined;
  for (const intent of step.stock) {
    if (intent.kind === 'reserve') outcome = await book.reserve(intent, movement);
    else if (intent.kind === 'withdraw') await book.withdraw(intent.round, movement);
    else await book[intent.kind](intent.lines, movement);
  }
  return outcome;
};
