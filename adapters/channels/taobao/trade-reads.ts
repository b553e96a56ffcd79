import { z } from 'zod';
import { AdapterError } from '../../../domain/failures.ts';
import type { CollectedOrder } from '../../../domain/platform-order.ts';
import type { OrderPage, StatusMapping, TimeWindow } from '../channel-port.ts';
import { pagesBackward, type AskPage } from './pages-backward.ts';
import type { TopCall } from './top-client.ts';
import { TAOBAO } from './top-error.ts';
import { toTopTime } from './top-time.ts';
import { collectTrade } from './trade-mapping.ts';
import { TRADE_FIELDS } from './trade-schema.ts';

const PAGE_SIZE = 100;

/** The list is absent, null or without its inner list where there is nothing. */
const pageSchema = z
  .object({
    total_results: z.int().nonnegative().optional(),
    trades: z.object({ trade: z.array(z.unknown()).nullish() }).nullish(),
  })
  .transform(({ total_results: total, trades }) => ({ trades: trades?.trade ?? [], total }))
  .refine(({ trades, total }) => total !== undefined || trades.length === 0, 'has no total');

const tradeSchema = z.object({ trade: z.unknown().optional() });

/** Trades that changed in the window, latest page first to last; see `pagesBackward`. */
export const changedTrades = (
  call: TopCall,
  mapping: StatusMapping,
  { from, to }: TimeWindow,
  signal?: AbortSignal,
): AsyncIterable<OrderPage> => {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  if (!(fromMs < toMs)) throw new AdapterError(TAOBAO, 'invalid', 'the window of changed orders is empty or no window');
  const ask: AskPage = async (pageNo) => {
    const { trades, total } = await call(
      {
        method: 'taobao.trades.sold.increment.get',
        params: {
          fields: TRADE_FIELDS,
          start_modified: toTopTime(fromMs),
          end_modified: toTopTime(toMs),
          page_no: String(pageNo),
          page_size: String(PAGE_SIZE),
          use_has_next: 'false',
        },
        answer: pageSchema,
        effect: 'reads',
      },
      signal,
    );
    return {
      orders: trades.map((trade) => collectTrade(trade, mapping, new Date(fromMs).toISOString())),
      total: total ?? 0,
    };
  };
  return pagesBackward(ask, PAGE_SIZE, signal);
};

/** Null when the shop has no such trade. */
export const tradeDetail = async (
  call: TopCall,
  mapping: StatusMapping,
  tid: string,
  signal?: AbortSignal,
): Promise<CollectedOrder | null> => {
  // What is no number of the platform's cannot be one of its trades.
  if (!/^[1-9]\d{0,19}$/.test(tid)) return null;
  const askedAt = new Date().toISOString();
  try {
    const { trade } = await call(
      {
        method: 'taobao.trade.fullinfo.get',
        params: { fields: TRADE_FIELDS, tid },
        answer: tradeSchema,
        effect: 'reads',
      },
      signal,
    );
    if (trade === undefined || trade === null) return null;
    const order = collectTrade(trade, mapping, askedAt);
    return order.platformOrderId === tid
      ? order
      : { ...order, platformOrderId: tid, content: null, problem: OTHER_TRADE };
  } catch (error) {
    if (error instanceof AdapterError && error.kind === 'notFound') return null;
    throw error;
  }
};

const OTHER_TRADE = 'tid: is not the one that was asked for';
