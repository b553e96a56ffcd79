import type { PlatformMessage } from '../../adapters/channels/channel-port.ts';
import { addCounts, NO_COUNTS, type CollectCounts } from '../../domain/collect-counts.ts';
import { AdapterError, RETRYABLE_KINDS } from '../../domain/failures.ts';
import type { CollectedOrder } from '../../domain/platform-order.ts';
import { isUsableId } from './judge-order.ts';
import type { OrderCollector } from './order-collector.ts';
import type { IntakeLog } from './ports.ts';
import type { ShopSession, ShopSessions } from './shop-sessions.ts';

export interface MessageDeps {
  sessions: ShopSessions;
  collector: OrderCollector;
  log: IntakeLog;
}

/** What platforms give at once. */
const MOST_MESSAGES = 200;
/** The rest waits for the next run. */
const MOST_ROUNDS = 25;
const AT_ONCE = 4;

/**
 * Messages are hints: the orders that they name are fetched as they are now, stored, and only then are the messages
 * confirmed. What fails on the way comes again.
 */
export const collectMessages = async (
  deps: MessageDeps,
  shopId: string,
  { beat, signal }: { beat: () => void; signal: AbortSignal },
): Promise<CollectCounts> => {
  let counts = NO_COUNTS;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    signal.throwIfAborted();
    beat();
    const found = await deps.sessions.run(shopId, 'messages', async (session) => {
      const messages = await session.client.messages(MOST_MESSAGES, signal);
      const collected = await collectNamed(deps, session, messages, { beat, signal });
      return { isLast: messages.length < MOST_MESSAGES, collected };
    });
    counts = addCounts(counts, found.collected);
    if (found.isLast) break;
  }
  return counts;
};

const collectNamed = async (
  { collector, log }: MessageDeps,
  { shop, client }: ShopSession,
  messages: readonly PlatformMessage[],
  { beat, signal }: { beat: () => void; signal: AbortSignal },
): Promise<CollectCounts> => {
  const named = new Set(messages.flatMap(({ platformOrderId: id }) => (id !== null && isUsableId(id) ? [id] : [])));
  const ids = [...named];
  const orders: CollectedOrder[] = [];
  const pending = new Set(ids);
  let failure: unknown;
  while (pending.size > 0 && failure === undefined) {
    beat();
    const some = [...pending].slice(0, AT_ONCE);
    const answers = await Promise.allSettled(some.map((id) => client.order(id, signal)));
    answers.forEach((answer, index) => {
      const id = some[index] ?? '';
      if (answer.status === 'fulfilled') {
        if (answer.value) orders.push(answer.value);
        pending.delete(id);
      } else if (isOfThisOrder(answer.reason)) {
        log.warn('An order that a message names cannot be read', { shopId: shop.shopId, error: answer.reason });
        pending.delete(id);
      } else failure = answer.reason;
    });
  }
  const counts = await collector.add(orders, { shop, source: 'message', backfillId: null });
  const done = messages.filter(({ platformOrderId }) => platformOrderId === null || !pending.has(platformOrderId));
  if (done.length > 0)
    await client.confirmMessages(
      done.map(({ messageId }) => messageId),
      signal,
    );
  if (failure !== undefined) throw failure;
  return counts;
};

/** Asking again would not help; the poll brings the order in any case. */
const isOfThisOrder = (error: unknown): boolean =>
  error instanceof AdapterError && error.kind !== 'unauthorised' && !RETRYABLE_KINDS.includes(error.kind);
