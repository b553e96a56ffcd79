import { otherReceiver, someReceiver, type ReceiverInput } from './receivers.ts';
import { UNPAID_STATUSES } from './trade.ts';
import type { RawFields, StepStatus, Trade, TradeLine, TradeType } from './trade.ts';

/** What may be said of a new trade; all else is made up, the same for the same id. Amounts in fen, times RFC 3339. */
export interface TradeInput {
  seller?: string | undefined;
  tid?: string | undefined;
  type?: TradeType | undefined;
  status?: string | undefined;
  stepStatus?: StepStatus | undefined;
  created?: string | undefined;
  modified?: string | undefined;
  payTime?: string | undefined;
  buyer?: { nick?: string | undefined; openUid?: string | undefined } | undefined;
  receiver?: ReceiverInput | undefined;
  postFee?: number | undefined;
  /** On the whole trade. */
  discount?: number | undefined;
  /** Where the platform's sum is to differ from that of its lines. */
  payment?: number | undefined;
  deposit?: number | undefined;
  buyerMessage?: string | undefined;
  neverPays?: boolean | undefined;
  isLeftAlone?: boolean | undefined;
  lines?: LineInput[] | undefined;
  raw?: RawFields | undefined;
}

export interface LineInput {
  numIid?: string | undefined;
  skuId?: string | null | undefined;
  outerIid?: string | null | undefined;
  outerSkuId?: string | null | undefined;
  title?: string | undefined;
  num?: number | undefined;
  price?: number | undefined;
  discount?: number | undefined;
  refundStatus?: string | undefined;
  raw?: RawFields | undefined;
}

export interface NewTradeContext {
  tid: string;
  seller: string;
  /** Milliseconds of a whole second. */
  at: number;
}

/** Unless told otherwise: paid, to be shipped, of one to three lines, with discounts of both kinds. */
export const newTrade = (input: TradeInput, { tid, seller, at }: NewTradeContext): Trade => {
  const random = seeded(Number(BigInt(tid) % 2_147_483_647n));
  const created = whole(input.created) ?? at;
  const status =
    input.status ??
    (input.type === 'step' && input.stepStatus !== 'FRONT_PAID_FINAL_PAID'
      ? 'WAIT_BUYER_PAY'
      : 'WAIT_SELLER_SEND_GOODS');
  const isPaid = !UNPAID_STATUSES.includes(status) && status !== 'TRADE_CLOSED_BY_TAOBAO';
  const lineInputs = input.lines ?? Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({}));
  const lines = lineInputs.map((line, index) =>
    newLine(line, { tid, index, count: lineInputs.length, status, random }),
  );
  const goods = lines.reduce((sum, line) => sum + line.price * line.num - line.discount, 0);
  const discount = input.discount ?? (random() < 0.5 ? 0 : Math.floor(random() * Math.min(goods, 3000)));
  spread(discount, lines);
  const postFee = input.postFee ?? (random() < 0.5 ? 0 : 800);
  const payment = input.payment ?? goods - discount + postFee;
  const type = input.type ?? 'fixed';
  const nick = input.buyer?.nick ?? `买家${Math.floor(random() * 100_000)}`;
  const trade: Trade = {
    tid,
    seller,
    type,
    status,
    created,
    modified: whole(input.modified) ?? at,
    buyer: { nick, openUid: input.buyer?.openUid ?? `AAE${Buffer.from(nick).toString('base64url')}` },
    receiver: otherReceiver(someReceiver(random), input.receiver ?? {}),
    postFee,
    payment,
    deposit: input.deposit ?? (type === 'step' ? Math.floor(payment / 5) : 0),
    memo: '',
    flag: 0,
    lines,
    consigns: [],
    neverPays: input.neverPays ?? false,
    isLeftAlone: input.isLeftAlone ?? false,
  };
  if (isPaid && type !== 'cod') trade.payTime = whole(input.payTime) ?? created;
  if (type === 'step') trade.stepStatus = input.stepStatus ?? stepStatusOf(isPaid);
  if (trade.stepStatus && trade.stepStatus !== 'FRONT_NOPAID_FINAL_NOPAID') trade.stepPayTime = created;
  if (input.buyerMessage !== undefined) trade.buyerMessage = input.buyerMessage;
  if (input.raw) trade.raw = input.raw;
  return trade;
};

const stepStatusOf = (isPaid: boolean): StepStatus => (isPaid ? 'FRONT_PAID_FINAL_PAID' : 'FRONT_NOPAID_FINAL_NOPAID');

interface LineContext {
  tid: string;
  index: number;
  count: number;
  status: string;
  random: () => number;
}

/** The only line of a trade has the trade's own id, others follow it closely: read as doubles they would be one. */
const newLine = (input: LineInput, { tid, index, count, status, random }: LineContext): TradeLine => {
  const article = 1 + Math.floor(random() * 50);
  const price = input.price ?? 990 + Math.floor(random() * 20_000);
  const num = input.num ?? 1 + Math.floor(random() * 3);
  return {
    oid: count === 1 ? tid : String(BigInt(tid) + BigInt(index + 1)),
    numIid: input.numIid ?? String(620_000_000_000 + article),
    skuId: input.skuId === undefined ? String(4_800_000_000_000 + article) : input.skuId,
    outerIid: input.outerIid === undefined ? `ITEM-${article}` : input.outerIid,
    outerSkuId: input.outerSkuId === undefined ? `SKU-${article}` : input.outerSkuId,
    title: input.title ?? `测试商品 ${article}`,
    num,
    price,
    discount: input.discount ?? (random() < 0.7 ? 0 : Math.floor((random() * price * num) / 4)),
    share: 0,
    status: status === 'SELLER_CONSIGNED_PART' || status === 'PAID_FORBID_CONSIGN' ? 'WAIT_SELLER_SEND_GOODS' : status,
    refundStatus: input.refundStatus ?? 'NO_REFUND',
    ...(input.raw ? { raw: input.raw } : {}),
  };
};

/** By the lines' prices, to the fen: the last line takes what is left. */
const spread = (discount: number, lines: TradeLine[]): void => {
  let goodsLeft = lines.reduce((sum, line) => sum + line.price * line.num - line.discount, 0);
  let left = discount;
  for (const line of lines) {
    const net = line.price * line.num - line.discount;
    line.share = goodsLeft === 0 ? 0 : Math.round((left * net) / goodsLeft);
    left -= line.share;
    goodsLeft -= net;
  }
};

const whole = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Math.floor(Date.parse(time) / 1000) * 1000;

/** A small generator of the mulberry kind: tests and restarts meet the same trade under the same id. */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};
