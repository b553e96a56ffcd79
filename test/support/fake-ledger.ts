import { setTimeout as sleep } from 'node:timers/promises';
import { byNearness, chooseWarehouses, type Warehouse } from '../../domain/stock-allocation.ts';
import { movementId, stockId } from '../../domain/ids.ts';
import type { CaseChange, ReservationOutcome, StockIntent } from '../../domain/order-step.ts';
import type { WrittenStep } from '../../domain/step-request.ts';
import type { Allocation } from '../../domain/order-model.ts';
import type { AuditEntry } from '../../models/audit-log.ts';
import type { NewCase } from '../../models/case-store.ts';
import { ForeignRun, type CommitAnswer, type OrderFields, type OrderStepRequest } from '../../models/step-committer.ts';
import { LedgerMismatch, linesBySku } from '../../models/stock-book.ts';

export type FakeAnswer = CommitAnswer & { written?: WrittenStep };
type Request = OrderStepRequest & { message?: WrittenStep['message'] };
type ReserveIntent = Extract<StockIntent, { kind: 'reserve' }>;

/** What goes wrong with a call: it fails before or after its effect, or answers only `delayMs` after it. */
export interface Fault {
  at: 'before' | 'after' | 'slow';
  times?: number;
  when?: (request: OrderStepRequest) => boolean;
  error?: Error;
  delayMs?: number;
}

interface StoredOrder {
  revision: number;
  runId: string | null;
  lastStep: { revision: number; outcome?: ReservationOutcome; auditHash: string; written?: WrittenStep } | null;
  fields: OrderFields;
}

interface Queued {
  round: number;
  paidAt: string;
  intent: ReserveIntent;
  state: 'waiting' | 'filled';
  allocations: Allocation[];
}

interface Books {
  orders: Map<string, StoredOrder>;
  stock: Map<string, { onHand: number; reserved: number }>;
  queue: Map<string, Queued>;
  movements: Set<string>;
  cases: Map<string, { code: string; state: 'open' | 'resolved'; detail: string }>;
  audit: AuditEntry[];
}

const copy = (books: Books): Books => ({
  orders: new Map(books.orders),
  stock: new Map([...books.stock].map(([id, counter]) => [id, { ...counter }])),
  queue: new Map(books.queue),
  movements: new Set(books.movements),
  cases: new Map(books.cases),
  audit: [...books.audit],
});

/**
 * Obeys the contract of the step committer in memory: a step is written whole or not at all and once, named by order,
 * revision and run; goods are reserved all or nothing, and who waits longest since payment is served first.
 */
export class FakeLedger {
  #books: Books = {
    orders: new Map(),
    stock: new Map(),
    queue: new Map(),
    movements: new Set(),
    cases: new Map(),
    audit: [],
  };
  readonly #faults: Required<Fault>[] = [];
  #isAway = false;
  readonly warehouses: Warehouse[];
  /** Calls of `commit`, those that failed included. */
  calls = 0;
  /** Told when the queue has served an order; a test that leaves it out loses the word. */
  onFilled: (orderId: string, round: number) => void = () => undefined;

  constructor(...warehouseIds: string[]) {
    const ids = warehouseIds.length > 0 ? warehouseIds : ['w1'];
    this.warehouses = ids.map((warehouseId) => ({ warehouseId, province: '浙江省', city: '杭州市', hasWms: false }));
  }

  fail(fault: Fault): void {
    const { at, times = 1, when = () => true, error = new Error('the database is away'), delayMs = 0 } = fault;
    this.#faults.push({ at, times, when, error, delayMs });
  }

  /** Nothing can be written, cases neither, until `recover`. */
  away(): void {
    this.#isAway = true;
  }

  /** Back at once, whatever was still to fail. */
  recover(): void {
    this.#isAway = false;
    this.#faults.length = 0;
  }

  /** For the activity that opens the case of a stuck order. */
  async open({ caseId, code, detail }: NewCase): Promise<void> {
    if (this.#isAway) throw new Error('the database is away');
    if (!this.#books.cases.has(caseId)) this.#books.cases.set(caseId, { code, state: 'open', detail });
  }

  async commit(request: Request): Promise<FakeAnswer> {
    this.calls += 1;
    if (this.#isAway) throw new Error('the database is away');
    const fault = this.#faults.find(({ when, times }) => times > 0 && when(request));
    if (fault) fault.times -= 1;
    if (fault?.at === 'before') throw fault.error;
    const answer = this.#carryOut(request);
    if (fault?.at === 'after') throw fault.error;
    if (fault?.at === 'slow') await sleep(fault.delayMs);
    return answer;
  }

  receive(warehouseId: string, skuCode: string, quantity: number): void {
    const books = copy(this.#books);
    this.#counter(books, warehouseId, skuCode).onHand += quantity;
    this.#serveQueue(books);
  }

  /** `onHand/reserved` */
  counter(warehouseId: string, skuCode: string): string {
    const { onHand, reserved } = this.#books.stock.get(stockId(warehouseId, skuCode)) ?? { onHand: 0, reserved: 0 };
    return `${onHand}/${reserved}`;
  }

  /** The order's view; throws while there is none. */
  view(orderId: string): OrderFields {
    const order = this.#books.orders.get(orderId);
    if (!order) throw new Error(`no view of ${orderId}`);
    return order.fields;
  }

  /** Actions in the order in which they were written. */
  actions(orderId: string): string[] {
    return this.auditOf(orderId).map(({ action }) => action.replace('order.', ''));
  }

  auditOf(orderId: string): AuditEntry[] {
    return this.#books.audit.filter(({ entity }) => entity === `order/${orderId}`);
  }

  openCases(orderId: string): string[] {
    return [...this.#books.cases]
      .filter(([id, { state }]) => id.startsWith(`${orderId}.`) && state === 'open')
      .map(([, { code }]) => code);
  }

  caseIds(orderId: string, code: string): string[] {
    return [...this.#books.cases]
      .filter(([id, entry]) => id.startsWith(`${orderId}.`) && entry.code === code)
      .map(([id]) => id);
  }

  resolveCase(caseId: string): void {
    const known = this.#books.cases.get(caseId);
    if (known) this.#books.cases.set(caseId, { ...known, state: 'resolved' });
  }

  queued(): string[] {
    return [...this.#books.queue].map(([orderId, { state }]) => `${orderId} ${state}`);
  }

  #carryOut(request: Request): FakeAnswer {
    const known = this.#books.orders.get(request.orderId);
    const settled = settledAnswer(request, known);
    if (settled) return settled;
    const books = copy(this.#books);
    let outcome: ReservationOutcome | undefined;
    for (const intent of request.stock) outcome = this.#carryOutIntent(books, request, intent) ?? outcome;
    if (outcome?.state === 'short') return { isRepeat: false, outcome, auditHash: '' };
    const { fields, audit } = request.build(outcome);
    const { message, at, revision, runId, orderId } = request;
    const written = message ? { written: { message, at: at.toISOString() } } : {};
    const lastStep = { revision, auditHash: audit.hash, ...(outcome ? { outcome } : {}), ...written };
    books.orders.set(orderId, { revision, runId, lastStep, fields });
    books.audit.push(audit);
    for (const change of request.cases) applyCase(books, change);
    this.#serveQueue(books);
    return { isRepeat: false, auditHash: audit.hash, ...(outcome ? { outcome } : {}) };
  }

  #carryOutIntent(books: Books, { orderId, revision }: Request, intent: StockIntent): ReservationOutcome | undefined {
    if (intent.kind === 'reserve') return this.#reserve(books, orderId, intent);
    if (intent.kind === 'withdraw') return this.#withdraw(books, orderId, revision, intent.round);
    for (const { warehouseId, skuCode, quantity } of intent.lines) {
      addMovement(books, movementId[intent.kind](orderId, revision, warehouseId, skuCode));
      const counter = this.#counter(books, warehouseId, skuCode);
      counter.reserved -= quantity;
      if (intent.kind === 'ship') counter.onHand -= quantity;
    }
    assertWhole(books);
    return undefined;
  }

  #reserve(books: Books, orderId: string, intent: ReserveIntent): ReservationOutcome {
    const queued = books.queue.get(orderId);
    if (queued?.round === intent.round) {
      if (queued.state === 'waiting') return { state: 'short' };
      books.queue.delete(orderId);
      return { state: 'reserved', allocations: queued.allocations, handedOver: this.#withoutWms(queued.allocations) };
    }
    if (queued) throw new LedgerMismatch(`${orderId} stands in the queue with round ${queued.round}`);
    const isBehind = [...books.queue].some(
      ([id, other]) =>
        other.state === 'waiting' &&
        (other.paidAt < intent.paidAt || (other.paidAt === intent.paidAt && id < orderId)) &&
        shareGoods(other.intent, intent),
    );
    const allocations = isBehind && intent.onlyWarehouseId === undefined ? null : this.#take(books, orderId, intent);
    if (allocations) return { state: 'reserved', allocations, handedOver: this.#withoutWms(allocations) };
    if (intent.onlyWarehouseId !== undefined) return { state: 'short' };
    books.queue.set(orderId, { round: intent.round, paidAt: intent.paidAt, intent, state: 'waiting', allocations: [] });
    return { state: 'backordered' };
  }

  #withdraw(books: Books, orderId: string, revision: number, round: number): undefined {
    const queued = books.queue.get(orderId);
    if (queued?.round !== round) return;
    books.queue.delete(orderId);
    if (queued.state === 'waiting') return;
    for (const { warehouseId, skuCode, quantity } of linesBySku({
      lines: queued.intent.lines,
      allocations: queued.allocations,
    })) {
      addMovement(books, movementId.release(orderId, revision, warehouseId, skuCode));
      this.#counter(books, warehouseId, skuCode).reserved -= quantity;
    }
  }

  /** Null when there is too little; nothing has changed then. */
  #take(books: Books, orderId: string, intent: ReserveIntent): Allocation[] | null {
    const near = byNearness(this.warehouses, intent.province, intent.city).map(({ warehouseId }) => warehouseId);
    const allocations = chooseWarehouses(
      intent.lines,
      intent.onlyWarehouseId === undefined ? near : [intent.onlyWarehouseId],
      (warehouseId, skuCode) => {
        const { onHand, reserved } = this.#counter(books, warehouseId, skuCode);
        return onHand - reserved;
      },
    );
    for (const { warehouseId, skuCode, quantity } of allocations
      ? linesBySku({ lines: intent.lines, allocations })
      : []) {
      addMovement(books, movementId.reserve(orderId, intent.round, warehouseId, skuCode));
      this.#counter(books, warehouseId, skuCode).reserved += quantity;
    }
    return allocations;
  }

  /** First come, first served: whoever cannot be served keeps the goods from those behind. */
  #serveQueue(books: Books): void {
    const filled: [string, number][] = [];
    const blocked: ReserveIntent[] = [];
    const waiting = [...books.queue].filter(([, { state }]) => state === 'waiting');
    waiting.sort(([a, x], [b, y]) => (x.paidAt === y.paidAt ? (a < b ? -1 : 1) : x.paidAt < y.paidAt ? -1 : 1));
    for (const [orderId, queued] of waiting) {
      const isBehind = blocked.some((other) => shareGoods(other, queued.intent));
      const allocations = isBehind ? null : this.#take(books, orderId, queued.intent);
      if (!allocations) blocked.push(queued.intent);
      else {
        books.queue.set(orderId, { ...queued, state: 'filled', allocations });
        filled.push([orderId, queued.round]);
      }
    }
    assertWhole(books);
    this.#books = books;
    for (const [orderId, round] of filled) this.onFilled(orderId, round);
  }

  #withoutWms(allocations: readonly Allocation[]): string[] {
    const ids = new Set(allocations.map(({ warehouseId }) => warehouseId));
    return this.warehouses
      .filter(({ warehouseId, hasWms }) => ids.has(warehouseId) && !hasWms)
      .map((w) => w.warehouseId);
  }

  #counter(books: Books, warehouseId: string, skuCode: string): { onHand: number; reserved: number } {
    const id = stockId(warehouseId, skuCode);
    const known = books.stock.get(id) ?? { onHand: 0, reserved: 0 };
    books.stock.set(id, known);
    return known;
  }
}

const settledAnswer = (request: Request, known: StoredOrder | undefined): FakeAnswer | null => {
  if (!known) return null;
  const { orderId, revision, runId, takesOver } = request;
  if (known.revision === revision && known.runId === runId && known.lastStep) {
    const { revision: _revision, ...answer } = known.lastStep;
    return { isRepeat: true, ...answer };
  }
  if (known.runId !== null && known.runId !== runId && !takesOver)
    throw new ForeignRun(`${orderId} belongs to another run`);
  if (known.revision >= revision)
    throw new ForeignRun(`${orderId} is at revision ${known.revision}, beyond ${revision}`);
  return null;
};

const applyCase = ({ cases }: Books, change: CaseChange): void => {
  const known = cases.get(change.caseId);
  if (change.kind === 'open') {
    if (!known) cases.set(change.caseId, { code: change.code, state: 'open', detail: change.detail });
  } else if (known) cases.set(change.caseId, { ...known, state: 'resolved' });
};

const addMovement = ({ movements }: Books, id: string): void => {
  if (movements.has(id)) throw new LedgerMismatch(`movement ${id} is there already`);
  movements.add(id);
};

const shareGoods = (a: ReserveIntent, b: ReserveIntent): boolean =>
  a.lines.some(({ skuCode }) => b.lines.some((line) => line.skuCode === skuCode));

const assertWhole = ({ stock }: Books): void => {
  for (const [id, { onHand, reserved }] of stock)
    if (reserved < 0 || onHand < reserved) throw new LedgerMismatch(`counter ${id} would be ${onHand}/${reserved}`);
};
