import type { OrderSnapshot } from '../../domain/order-model.ts';
import type { Origin } from '../../domain/order-messages.ts';
import type { CollectedOrderStore, UntoldOrder, UntoldPosition } from '../../models/collected-orders.ts';
import type { OrderWatch } from '../../models/order-watch.ts';
import type { EndedOrderBook } from './ended-orders.ts';
import type { Pace } from './pace.ts';
import type { IntakeLog } from './ports.ts';

/** The client side of orders' workflows. */
export interface OrderTeller {
  /** False when it has been started before. */
  start(order: { snapshot: OrderSnapshot; origin: Origin }): Promise<boolean>;
  /** False when there is no running workflow to tell. */
  tellChanged(orderId: string, snapshot: OrderSnapshot): Promise<boolean>;
}

export interface DistributeDeps {
  orders: Pick<CollectedOrderStore, 'untoldPositions' | 'untold' | 'settle'>;
  teller: OrderTeller;
  ended: Pick<EndedOrderBook, 'openEnded' | 'tellEnded'>;
  watch: Pick<OrderWatch, 'waitFor'>;
  log: IntakeLog;
  pace: Pace;
}

export interface DistributeNewsInput {
  shopId: string;
  after: UntoldPosition | null;
}

export interface DistributeNewsAnswer {
  told: number;
  /** Those that could not be told; they stay where they are. */
  failed: number;
  /** Where to go on; null at the end. */
  next: UntoldPosition | null;
}

/** Of one call, so that it ends within minutes. */
const MOST_ORDERS = 1000;
const BATCH = 500;
const SETTLE_AT = 50;
/** For how long an order counts as under way that does not get to its first step. */
const FIRST_STEP_WITHIN_MS = 15_000;
/** … or to what follows from news; most follow at once, some from none. */
const STEP_WITHIN_MS = 1000;

/**
 * Tells orders what their platforms say of them, oldest news first. An order is under way until its step is written, and
 * only so many are at once: the rate is what engine and database take, and others find them free.
 */
export const distributeNews = async (
  deps: DistributeDeps,
  { shopId, after }: DistributeNewsInput,
  { beat, signal }: { beat: () => void; signal: AbortSignal },
): Promise<DistributeNewsAnswer> => {
  const answer: DistributeNewsAnswer = { told: 0, failed: 0, next: after };
  let told: Pick<UntoldOrder, '_id' | 'heard'>[] = [];
  const settle = async () => {
    const some = told;
    told = [];
    await deps.orders.settle(some.map(({ _id: orderId, heard }) => ({ orderId, heard })));
  };
  const waiting = ordersOf(deps, { shopId, after }, answer);
  const lane = async () => {
    for (;;) {
      const { done, value: order } = await waiting.next();
      if (done || signal.aborted) return;
      beat();
      if (await deps.pace.run(() => isTold(deps, order))) {
        answer.told += 1;
        if (told.push(order) >= SETTLE_AT) await settle();
      } else answer.failed += 1;
    }
  };
  await Promise.all(Array.from({ length: deps.pace.most }, lane));
  await settle();
  signal.throwIfAborted();
  return answer;
};

/** One after the other, a batch in memory at a time. */
async function* ordersOf(
  { orders }: DistributeDeps,
  { shopId, after }: DistributeNewsInput,
  answer: DistributeNewsAnswer,
): AsyncGenerator<UntoldOrder, undefined> {
  const waiting = await orders.untoldPositions(shopId, { after: after ?? undefined, limit: MOST_ORDERS });
  answer.next = waiting.length < MOST_ORDERS ? null : (waiting.at(-1) ?? null);
  for (let from = 0; from < waiting.length; from += BATCH)
    yield* await orders.untold(waiting.slice(from, from + BATCH).map(({ orderId }) => orderId));
}

const isTold = async (deps: DistributeDeps, order: UntoldOrder): Promise<boolean> => {
  try {
    if (await tell(deps, order)) return true;
    deps.log.warn('An order has neither ended nor a running workflow that can be told', { orderId: order._id });
  } catch (error) {
    // The others are told nevertheless.
    deps.log.warn('An order could not be told what its platform says', { orderId: order._id, error });
  }
  return false;
};

const tell = async (deps: DistributeDeps, order: UntoldOrder): Promise<boolean> => {
  const { orders, teller, ended, watch, pace } = deps;
  const { _id: orderId, revision, snapshot, origin } = order;
  if (order.isEnded && (await ended.tellEnded(orderId, snapshot))) return true;
  // Waited for from before the call: the step may be written before the call has been answered.
  const waitedFor = async (step: number, withinMs: number, call: () => Promise<boolean>): Promise<boolean> => {
    const isOver = new AbortController();
    const since = performance.now();
    const written = watch.waitFor(orderId, step, withinMs, isOver.signal);
    try {
      if (!(await call())) return false;
      // What waits for a step that does not come says nothing of how busy it is.
      if ((await written) || withinMs === FIRST_STEP_WITHIN_MS) pace.note(performance.now() - since);
      return true;
    } finally {
      isOver.abort();
    }
  };
  if (revision === 0) {
    if (await ended.openEnded(order)) return true;
    if (await waitedFor(1, FIRST_STEP_WITHIN_MS, () => teller.start({ snapshot, origin }))) return true;
    // Started before, perhaps with what was known then.
  }
  if (await waitedFor(revision + 1, STEP_WITHIN_MS, () => teller.tellChanged(orderId, snapshot))) return true;
  // It has ended in the meantime.
  const [now] = await orders.untold([orderId]);
  return now === undefined || (now.isEnded && ended.tellEnded(orderId, now.snapshot));
};
