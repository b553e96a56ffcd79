import { setTimeout as delay } from 'node:timers/promises';
import { AdapterError } from '../../../domain/failures.ts';
import type { CollectedOrder } from '../../../domain/platform-order.ts';
import type { OrderPage } from '../channel-port.ts';
import { TAOBAO } from './top-error.ts';

/** One page as the platform answers it, with the rows that it counts in the window at that moment. */
export interface CountedPage {
  orders: CollectedOrder[];
  total: number;
}

export type AskPage = (pageNo: number) => Promise<CountedPage>;

const MOST_PASSES = 5;
const MOST_TRIES = 4;
const FIRST_WAIT_MS = 250;
/** A longer ban is the caller's to wait for. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Pages of a window from the last to the first: a row that leaves the window moves the rows behind it forward, onto pages
 * that are still to come. While the window's end is not past, rows can also move backward; a pass that has met fewer
 * orders than the platform counts in the end is therefore followed by another.
 */
export async function* pagesBackward(ask: AskPage, pageSize: number, signal?: AbortSignal): AsyncGenerator<OrderPage> {
  const first = await ask(1);
  if (first.orders.length >= first.total) {
    if (first.orders.length > 0) yield { orders: first.orders, pagesDone: 1, pagesTotal: 1 };
    return;
  }
  const seen = new Set<string>();
  let { total } = first;
  for (let pass = 1; pass <= MOST_PASSES; pass += 1) {
    const seenBefore = seen.size;
    const pagesTotal = Math.ceil(total / pageSize);
    for (let pageNo = pagesTotal; pageNo >= 1; pageNo -= 1) {
      const page = await patiently(() => ask(pageNo), signal);
      total = page.total;
      for (const { platformOrderId } of page.orders) seen.add(platformOrderId);
      yield { orders: page.orders, pagesDone: pagesTotal - pageNo + 1, pagesTotal };
    }
    // A later pass that meets nothing new has met all there is, whatever the platform counts.
    if (seen.size >= total || (pass > 1 && seen.size === seenBefore)) return;
  }
  throw new AdapterError(TAOBAO, 'unavailable', `the rows of the window did not come to rest in ${MOST_PASSES} passes`);
}

/** One failed call of two hundred must not send the whole window back to its start. */
const patiently = async <T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const waitMs = tries < MOST_TRIES && !signal?.aborted ? waitAfter(error, tries) : null;
      if (waitMs === null) throw error;
      await delay(waitMs, undefined, signal ? { signal } : {}).catch(() => {
        throw error;
      });
    }
  }
};

const waitAfter = (error: unknown, tries: number): number | null => {
  if (!(error instanceof AdapterError)) return null;
  const ownMs = FIRST_WAIT_MS * 2 ** (tries - 1);
  if (error.kind === 'unavailable') return ownMs;
  const askedMs = error.retryAfterMs ?? ownMs;
  return error.kind === 'throttled' && askedMs <= LONGEST_WAIT_MS ? askedMs : null;
};
