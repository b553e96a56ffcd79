import { isLineClosed, isLineShipped, SHIPPED_STATUSES, UNPAID_STATUSES } from './trade.ts';
import type { RawFields, Receiver, Trade, TradeLine } from './trade.ts';

/** What buyers, sellers and the platform do to a trade: its new fields, and the topics of the messages about it. */
export interface TradeChange {
  patch: Partial<Trade>;
  topics: string[];
}

/** Something that cannot happen to a trade as it stands. */
export class ImpossibleChange extends Error {
  override name = 'ImpossibleChange';
}

const toAll = (trade: Trade, changes: Partial<TradeLine>): TradeLine[] =>
  trade.lines.map((line) => (isLineClosed(line) ? line : { ...line, ...changes }));

const demand = (holds: boolean, trade: Trade, what: string): void => {
  if (!holds) throw new ImpossibleChange(`A trade that is ${trade.status} cannot be ${what}`);
};

/** The deposit of a presale first, then its balance. */
export const pay = (trade: Trade, at: number): TradeChange => {
  demand(UNPAID_STATUSES.includes(trade.status), trade, 'paid');
  if (trade.stepStatus === 'FRONT_NOPAID_FINAL_NOPAID')
    return {
      patch: { stepStatus: 'FRONT_PAID_FINAL_NOPAID', stepPayTime: at },
      topics: ['taobao_trade_TradeBuyerStepPay'],
    };
  const status = 'WAIT_SELLER_SEND_GOODS';
  return {
    patch: {
      status,
      payTime: at,
      lines: toAll(trade, { status }),
      ...(trade.stepStatus ? { stepStatus: 'FRONT_PAID_FINAL_PAID' as const } : {}),
    },
    topics: ['taobao_trade_TradeBuyerPay'],
  };
};

/** Before payment it just ends; after it, the buyer's money goes back. */
export const close = (trade: Trade, at: number): TradeChange => {
  if (!UNPAID_STATUSES.includes(trade.status)) return refund(trade, at, { status: 'SUCCESS' });
  const status = 'TRADE_CLOSED_BY_TAOBAO';
  return {
    patch: { status, endTime: at, lines: toAll(trade, { status, endTime: at }) },
    topics: ['taobao_trade_TradeClose'],
  };
};

export const finish = (trade: Trade, at: number): TradeChange => {
  demand(SHIPPED_STATUSES.includes(trade.status) && trade.status !== 'TRADE_FINISHED', trade, 'finished');
  const status = 'TRADE_FINISHED';
  return {
    patch: { status, endTime: at, lines: toAll(trade, { status, endTime: at }) },
    topics: ['taobao_trade_TradeSuccess'],
  };
};

export const lock = (trade: Trade): TradeChange => {
  demand(trade.status === 'WAIT_SELLER_SEND_GOODS', trade, 'locked');
  return { patch: { status: 'PAID_FORBID_CONSIGN' }, topics: ['taobao_trade_TradeChanged'] };
};

export const unlock = (trade: Trade): TradeChange => {
  demand(trade.status === 'PAID_FORBID_CONSIGN', trade, 'unlocked');
  return { patch: { status: 'WAIT_SELLER_SEND_GOODS' }, topics: ['taobao_trade_TradeChanged'] };
};

/** Whatever the platform may come to say, known to anybody or not. */
export const setStatus = (trade: Trade, status: string): TradeChange => ({
  patch: { status, lines: toAll(trade, { status }) },
  topics: ['taobao_trade_TradeChanged'],
});

/** From now on the platform answers these fields as they are given here, and no longer those that it did before. */
export const setRaw = (raw: RawFields): TradeChange => ({ patch: { raw }, topics: ['taobao_trade_TradeChanged'] });

export const changeAddress = (receiver: Receiver): TradeChange => ({
  patch: { receiver },
  topics: ['taobao_trade_TradeLogisticsAddressChanged'],
});

/** What each status of a line's refund is told by. */
const REFUND_TOPICS: Readonly<Record<string, string>> = {
  WAIT_SELLER_AGREE: 'taobao_refund_RefundCreated',
  WAIT_BUYER_RETURN_GOODS: 'taobao_refund_RefundSellerAgreeAgreement',
  WAIT_SELLER_CONFIRM_GOODS: 'taobao_refund_RefundBuyerReturnGoods',
  SELLER_REFUSE_BUYER: 'taobao_refund_RefundSellerRefuseAgreement',
  CLOSED: 'taobao_refund_RefundClosed',
  SUCCESS: 'taobao_refund_RefundSuccess',
};

export interface RefundInput {
  /** Of one line; without it, of all that are not closed. */
  oid?: string | undefined;
  status: string;
}

/** Moves a line's refund; money that went back closes the line, and the trade with its last one. */
export const refund = (trade: Trade, at: number, { oid, status }: RefundInput): TradeChange => {
  demand(!UNPAID_STATUSES.includes(trade.status), trade, 'refunded');
  demand(!isTradeClosed(trade), trade, 'refunded');
  if (oid !== undefined && !trade.lines.some((line) => line.oid === oid))
    throw new ImpossibleChange(`Trade ${trade.tid} has no line ${oid}`);
  const lines = trade.lines.map((line) => {
    if (isLineClosed(line) || (oid !== undefined && line.oid !== oid)) return line;
    const moved = { ...line, refundStatus: status, refundId: line.refundId ?? refundIdOf(line) };
    return status === 'SUCCESS' ? { ...moved, status: 'TRADE_CLOSED', endTime: at } : moved;
  });
  const next = statusByLines(trade, lines);
  const topics = [REFUND_TOPICS[status] ?? 'taobao_trade_TradeChanged'];
  if (status === 'SUCCESS')
    topics.push(next === 'TRADE_CLOSED' ? 'taobao_trade_TradeClose' : 'taobao_trade_TradePartlyRefund');
  return {
    patch: { lines, status: next, ...(next === 'TRADE_CLOSED' ? { endTime: at } : {}) },
    topics,
  };
};

/** Derived, and as long as the line's own id. */
const refundIdOf = ({ oid }: TradeLine): string => String(BigInt(oid) - 1_000_000_000_000_003n);

const isTradeClosed = ({ status }: Trade): boolean => status.startsWith('TRADE_CLOSED');

/** How far a trade has come by its lines; one whose lines say nothing new stays what it is. */
export const statusByLines = (trade: Trade, lines: readonly TradeLine[]): string => {
  const open = lines.filter((line) => !isLineClosed(line));
  if (open.length === 0) return 'TRADE_CLOSED';
  if (trade.status !== 'WAIT_SELLER_SEND_GOODS' && trade.status !== 'SELLER_CONSIGNED_PART') return trade.status;
  if (open.every(isLineShipped)) return 'WAIT_BUYER_CONFIRM_GOODS';
  return open.some(isLineShipped) ? 'SELLER_CONSIGNED_PART' : 'WAIT_SELLER_SEND_GOODS';
};
