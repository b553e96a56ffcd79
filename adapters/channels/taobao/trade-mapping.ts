import { createHash } from 'node:crypto';
import { JSONStringify } from 'json-with-bigint';
import { MoneyError } from '../../../domain/money.ts';
import type { Payment } from '../../../domain/order-model.ts';
import { goodsTotal, payableOf } from '../../../domain/paid-share.ts';
import type {
  CollectedOrder,
  PlatformLine,
  PlatformOrderContent,
  PlatformPhase,
  PlatformReceiver,
  PlatformWord,
} from '../../../domain/platform-order.ts';
import type { StatusMapping } from '../channel-port.ts';
import { AmountsUnclear, tradeAmounts, type LineAmounts } from './trade-amounts.ts';
import { tradeParcels, tradeRefunds } from './trade-lines.ts';
import { tradeHead, tradeSchema, type TopLine, type TopTrade } from './trade-schema.ts';
import { tradeStatus, type TradeStatus } from './trade-status.ts';
import { fromTopTime } from './top-time.ts';

const MOST_PROBLEMS = 5;

/**
 * One trade of an answer as an order. Never throws: what cannot be understood has no content and says why. `changedFrom`
 * stands for a time of change that cannot be read.
 */
export const collectTrade = (trade: unknown, mapping: StatusMapping, changedFrom: string): CollectedOrder => {
  const raw = JSONStringify(trade) ?? 'null';
  const { tid, modified } = tradeHead(trade);
  const head = { raw, modifiedAt: modified ?? changedFrom };
  // Without an id it is nobody's order, yet it must not get lost: the same trade has the same name next time.
  if (tid === null) {
    const name = `unreadable-${createHash('sha256').update(raw).digest('hex').slice(0, 32)}`;
    return { platformOrderId: name, ...head, content: null, problem: 'tid: is no id' };
  }
  return { platformOrderId: tid, ...head, ...understand(tid, trade, mapping) };
};

const understand = (
  tid: string,
  trade: unknown,
  mapping: StatusMapping,
): Pick<CollectedOrder, 'content' | 'problem'> => {
  const parsed = tradeSchema.safeParse(trade);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return { content: null, problem: problems.slice(0, MOST_PROBLEMS).join('; ') };
  }
  try {
    return { content: contentOf(tid, parsed.data, mapping), problem: null };
  } catch (error) {
    if (!(error instanceof AmountsUnclear) && !(error instanceof MoneyError)) throw error;
    return { content: null, problem: error.message };
  }
};

const contentOf = (tid: string, trade: TopTrade, mapping: StatusMapping): PlatformOrderContent => {
  const amounts = tradeAmounts(trade);
  const lines = trade.orders.order.map((line, index) => lineOf(line, amounts.lines[index]));
  const { orderDiscount } = amounts;
  const freight = trade.post_fee;
  const payable = payableOf(lines, orderDiscount, freight);
  const status = tradeStatus(trade.status, trade.step_trade_status, mapping);
  const isPresale = trade.type === 'step' || trade.step_trade_status !== '';
  const isCod = trade.type === 'cod';
  const paid = paidOf(trade, status.phase, isCod);
  const stepPaid = trade.step_paid_fee ?? 0;
  const promised = trade.orders.order.map((line) => fromTopTime(line.estimate_con_time)).filter((at) => at !== null);
  return {
    type: isPresale ? 'presale' : 'normal',
    placedAt: trade.created,
    currency: 'CNY',
    buyer: { id: buyerOf(tid, trade), firstOrder: false },
    receiver: receiverOf(trade),
    lines,
    orderDiscount,
    freight,
    payable,
    ...(isPresale
      ? {
          presale: {
            // Once the balance is paid, the platform's figure is the whole sum.
            deposit: stepPaid < goodsTotal(lines) - orderDiscount + freight ? stepPaid : 0,
            ...(promised.length > 0 ? { promisedShipAt: promised.sort().at(-1) ?? '' } : {}),
          },
        }
      : {}),
    payments: paymentsOf(tid, trade, status.phase, isCod, paid),
    platform: wordOf(trade, status, paid),
  };
};

const wordOf = (trade: TopTrade, { status, phase, lockedBy }: TradeStatus, paid: number): PlatformWord => ({
  status,
  phase,
  lockedBy,
  modifiedAt: trade.modified,
  paid,
  ...tradeRefunds(trade),
  parcels: tradeParcels(trade),
  ...(trade.end_time !== undefined && ENDED.includes(phase) ? { endedAt: trade.end_time } : {}),
});

const ENDED: readonly PlatformPhase[] = ['finished', 'closed_unpaid', 'closed_refunded'];
const UNPAID: readonly PlatformPhase[] = ['unpaid', 'closed_unpaid'];
const PAID: readonly PlatformPhase[] = ['paid', 'partly_shipped', 'shipped', 'finished'];

const paidOf = (trade: TopTrade, phase: PlatformPhase, isCod: boolean): number => {
  if (phase === 'deposit_paid') {
    if (trade.step_paid_fee === undefined) throw new AmountsUnclear('step_paid_fee: is absent with the deposit paid');
    return trade.step_paid_fee;
  }
  if (UNPAID.includes(phase)) return 0;
  if (trade.pay_time !== undefined) return trade.payment;
  if (PAID.includes(phase) && !isCod) throw new AmountsUnclear('pay_time: is absent though paid');
  return 0;
};

/** The deposit of a presale counts until the whole sum is there, in which the platform includes it. */
const paymentsOf = (tid: string, trade: TopTrade, phase: PlatformPhase, isCod: boolean, paid: number): Payment[] => {
  if (isCod) return [{ paymentId: `${tid}-cod`, method: 'cod', amount: trade.payment, paidAt: trade.created }];
  if (paid === 0) return [];
  if (phase === 'deposit_paid')
    return [{ paymentId: `${tid}-d`, method: 'platform', amount: paid, paidAt: trade.pay_time ?? trade.created }];
  if (trade.pay_time === undefined) return [];
  return [{ paymentId: `${tid}-p`, method: 'platform', amount: paid, paidAt: trade.pay_time }];
};

const lineOf = (line: TopLine, amounts: LineAmounts | undefined): PlatformLine => {
  const platformSku = line.sku_id ?? line.num_iid;
  const merchantCode = line.outer_sku_id || line.outer_iid;
  return {
    lineId: line.oid,
    ...(platformSku === undefined ? {} : { platformSku }),
    ...(merchantCode ? { merchantCode } : {}),
    title: line.title.slice(0, 200) || merchantCode || (platformSku ?? line.oid),
    quantity: line.num,
    unitPrice: amounts?.unitPrice ?? 0,
    discount: amounts?.discount ?? 0,
    ...(line.cid === undefined ? {} : { category: line.cid }),
  };
};

/** A masked nick names many people; without an id of the buyer's, the trade's own says that nobody else is meant. */
const buyerOf = (tid: string, { buyer_open_uid: openUid, buyer_nick: nick }: TopTrade): string =>
  openUid || (nick && !nick.includes('*') ? nick : `trade-${tid}`);

const receiverOf = (trade: TopTrade): PlatformReceiver => ({
  name: trade.receiver_name,
  phone: trade.receiver_mobile || trade.receiver_phone,
  province: trade.receiver_state,
  city: trade.receiver_city,
  district: trade.receiver_district,
  address: trade.receiver_address.startsWith(trade.receiver_town)
    ? trade.receiver_address
    : trade.receiver_town + trade.receiver_address,
  pickupStation: false,
  ...(trade.oaid ? { token: trade.oaid } : {}),
});
