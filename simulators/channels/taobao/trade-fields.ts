import { maskNick, maskReceiver, oaidOf } from './receivers.ts';
import { toGmt8 } from './gmt8.ts';
import { COMPANIES } from './companies.ts';
import { lineNet, UNPAID_STATUSES, type RawFields, type Trade, type TradeLine } from './trade.ts';

/** JSON text of one field's value; undefined leaves the field out, as the platform does with what it has not. */
type Field<T> = (of: T) => string | undefined;

const text = (value: string | null | undefined) => (value == null ? undefined : JSON.stringify(value));
/** Ids go out as bare numbers beyond 2^53: no reader may take them for doubles. */
const id = (value: string | null | undefined) => value ?? undefined;
const time = (at: number | undefined) => (at === undefined ? undefined : `"${toGmt8(at)}"`);
const yuan = (fen: number) => {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  return `"${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}"`;
};

const LINE_FIELDS: Readonly<Record<string, Field<TradeLine & { trade: Trade }>>> = {
  oid: ({ oid }) => oid,
  oid_str: ({ oid }) => text(oid),
  num_iid: ({ numIid }) => numIid,
  sku_id: ({ skuId }) => text(skuId),
  outer_iid: ({ outerIid }) => text(outerIid),
  outer_sku_id: ({ outerSkuId }) => text(outerSkuId),
  title: ({ title }) => text(title),
  num: ({ num }) => String(num),
  price: ({ price }) => yuan(price),
  adjust_fee: () => yuan(0),
  discount_fee: ({ discount }) => yuan(discount),
  total_fee: (line) => yuan(lineNet(line)),
  // Documented: the only line of a trade repeats the trade's payment, freight and shared discount included.
  payment: (line) => yuan(line.trade.lines.length === 1 ? line.trade.payment : lineNet(line)),
  part_mjz_discount: ({ share }) => (share === 0 ? undefined : yuan(share)),
  divide_order_fee: (line) => yuan(lineNet(line) - line.share),
  status: ({ status }) => text(status),
  refund_status: ({ refundStatus }) => text(refundStatus),
  refund_id: ({ refundId }) => id(refundId),
  consign_time: ({ consignTime }) => time(consignTime),
  end_time: ({ endTime }) => time(endTime),
  logistics_company: ({ companyCode }) => text(companyCode && COMPANIES.get(companyCode)?.name),
  invoice_no: ({ outSid }) => text(outSid),
  seller_type: () => text('C'),
  buyer_rate: () => 'false',
  seller_rate: () => 'false',
};

const masked = (field: (receiver: Trade['receiver']) => string): Field<Trade> => {
  return ({ receiver }) => text(field(maskReceiver(receiver)));
};

const only = (trade: Trade): TradeLine | undefined => (trade.lines.length === 1 ? trade.lines[0] : undefined);

const TRADE_FIELDS: Readonly<Record<string, Field<Trade>>> = {
  tid: ({ tid }) => tid,
  tid_str: ({ tid }) => text(tid),
  seller_nick: ({ seller }) => text(seller),
  type: ({ type }) => text(type),
  status: ({ status }) => text(status),
  step_trade_status: ({ stepStatus }) => text(stepStatus),
  step_paid_fee: (trade) => (trade.stepStatus === undefined ? undefined : yuan(stepPaid(trade))),
  created: ({ created }) => time(created),
  modified: ({ modified }) => time(modified),
  pay_time: ({ payTime }) => time(payTime),
  consign_time: ({ consignTime }) => time(consignTime),
  end_time: ({ endTime }) => time(endTime),
  payment: ({ payment }) => yuan(payment),
  post_fee: ({ postFee }) => yuan(postFee),
  total_fee: ({ lines }) => yuan(lines.reduce((sum, { price, num }) => sum + price * num, 0)),
  discount_fee: ({ lines }) => yuan(lines.reduce((sum, { share }) => sum + share, 0)),
  adjust_fee: () => yuan(0),
  received_payment: ({ status, payment }) => yuan(status === 'TRADE_FINISHED' ? payment : 0),
  // Documented: means nothing on the trade itself when there are several lines, and is 0 then.
  num: (trade) => String(only(trade)?.num ?? 0),
  num_iid: (trade) => (trade.lines[0] ? trade.lines[0].numIid : undefined),
  price: (trade) => yuan(only(trade)?.price ?? 0),
  title: ({ seller }) => text(seller),
  buyer_nick: ({ buyer }) => text(maskNick(buyer.nick)),
  buyer_open_uid: ({ buyer }) => text(buyer.openUid),
  has_buyer_message: ({ buyerMessage }) => String(buyerMessage !== undefined),
  seller_flag: ({ flag }) => String(flag),
  is_part_consign: ({ consigns }) => String(consigns.length > 1),
  shipping_type: ({ consigns }) => text(consigns[0]?.company_code === '' ? 'virtual' : 'express'),
  receiver_name: masked(({ name }) => name),
  receiver_mobile: masked(({ mobile }) => mobile),
  receiver_state: masked(({ state }) => state),
  receiver_city: masked(({ city }) => city),
  receiver_district: masked(({ district }) => district),
  receiver_address: masked(({ address }) => address),
  oaid: (trade) => text(oaidOf(trade)),
};

const DETAIL_FIELDS: Readonly<Record<string, Field<Trade>>> = {
  ...TRADE_FIELDS,
  seller_memo: ({ memo }) => text(memo || undefined),
  buyer_message: ({ buyerMessage }) => text(buyerMessage),
};

const stepPaid = (trade: Trade): number => {
  if (trade.stepStatus === 'FRONT_PAID_FINAL_PAID' && !UNPAID_STATUSES.includes(trade.status)) return trade.payment;
  return trade.stepStatus === 'FRONT_NOPAID_FINAL_NOPAID' ? 0 : trade.deposit;
};

/** What the address token is made for; without any of them there is none. */
const OAID_NEEDS = ['receiver_name', 'receiver_mobile', 'receiver_address', 'created'];

/** Writes trades with the fields that were asked for and no others; names that it does not know are passed over. */
export const tradeWriter = (asked: readonly string[], isDetail = false): ((trade: Trade) => string) => {
  const table = isDetail ? DETAIL_FIELDS : TRADE_FIELDS;
  const lineNames = asked.includes('orders')
    ? Object.keys(LINE_FIELDS)
    : asked.filter((name) => name.startsWith('orders.')).map((name) => name.slice('orders.'.length));
  const names = [...new Set(asked)].filter(
    (name) => name !== 'oaid' || OAID_NEEDS.every((need) => asked.includes(need)),
  );
  return (trade) => {
    const own = written(table, names, trade, trade.raw);
    if (lineNames.length === 0 || (trade.raw && 'orders' in trade.raw)) return `{${own}}`;
    const lines = trade.lines.map((line) => `{${written(LINE_FIELDS, lineNames, { ...line, trade }, line.raw)}}`);
    return `{${own}${own && ','}"orders":{"order":[${lines.join(',')}]}}`;
  };
};

const written = <T>(
  table: Readonly<Record<string, Field<T>>>,
  names: readonly string[],
  of: T,
  raw: RawFields | undefined,
): string => {
  const parts: string[] = [];
  for (const name of names) {
    const value = raw && name in raw ? rawText(raw[name]) : Object.hasOwn(table, name) && table[name]?.(of);
    if (value) parts.push(`"${name}":${value}`);
  }
  return parts.join(',');
};

const rawText = (value: unknown): string | undefined => (value === null ? undefined : JSON.stringify(value));
