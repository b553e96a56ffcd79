import { ID_PATTERN, orderIdOf } from './ids.ts';
import { isAmountMinor } from './money.ts';
import { orderLineOf } from './order-lines.ts';
import type { Channel, OrderSnapshot, ReceiverRecord } from './order-model.ts';
import { payableOf } from './paid-share.ts';
import type { PlatformOrderContent, PlatformWord } from './platform-order.ts';

export interface SnapshotShop {
  shopId: string;
  channel: Channel;
  currency: string;
}

/** A snapshot whose receiver is still to be sealed. */
export type OpenSnapshot = Omit<OrderSnapshot, 'receiver'> & { receiver: Pick<ReceiverRecord, 'identity'> };

export interface PlatformSnapshotInput {
  shop: SnapshotShop;
  platformOrderId: string;
  content: PlatformOrderContent;
  /** Our SKUs by the platform's. */
  skuCodes: ReadonlyMap<string, string>;
  /** Of the receiver. */
  identity: string;
  /** When intake first stored the order, RFC 3339, UTC. */
  receivedAt: string;
}

/** What cannot be an order whatever the platform means by it; null when all is well. Says nothing personal. */
export const contentProblem = (content: PlatformOrderContent, currency: string): string | null => {
  const { lines, orderDiscount, freight, payable, platform, payments } = content;
  const lineIds = new Set(lines.map(({ lineId }) => lineId));
  const amounts = [orderDiscount, freight, payable, platform.paid, ...payments.map(({ amount }) => amount)];
  if (lines.length === 0) return 'it has no lines';
  if (lineIds.size < lines.length) return 'two of its lines have one id';
  if (![...lineIds].every((lineId) => ID_PATTERN.test(lineId))) return 'a line has no usable id';
  if (content.currency !== currency) return `it is in ${content.currency}, the shop sells in ${currency}`;
  if (!lines.every(({ quantity }) => Number.isSafeInteger(quantity) && quantity >= 1)) return 'a quantity is no number';
  if (!lines.every(({ unitPrice, discount }) => isAmountMinor(unitPrice) && isAmountMinor(discount)))
    return 'an amount of a line is no amount';
  if (lines.some(({ quantity, unitPrice, discount }) => discount > unitPrice * quantity))
    return 'the discount of a line is above its price';
  if (!amounts.every(isAmountMinor)) return 'an amount is no amount';
  if (payable !== payableOf(lines, orderDiscount, freight)) return 'its amounts do not add up';
  return payable < freight ? 'the discount is above the goods' : null;
};

/** The unified order of a platform's. Throws what `contentProblem` would have told, or for a time that is none. */
export const platformSnapshotOf = (input: PlatformSnapshotInput): OpenSnapshot => {
  const { shop, platformOrderId, content, skuCodes, identity, receivedAt } = input;
  const { type, placedAt, currency, buyer, lines, orderDiscount, freight, payable, presale, payments } = content;
  return {
    orderId: orderIdOf(shop.shopId, platformOrderId),
    shopId: shop.shopId,
    channel: shop.channel,
    platformOrderId,
    type,
    placedAt: timeOf(placedAt),
    receivedAt,
    currency,
    buyer,
    receiver: { identity },
    lines: lines.map((line) => orderLineOf(line, platformOrderId, skuCodes)),
    orderDiscount,
    freight,
    payable,
    ...(presale ? { presale } : {}),
    payments: payments.map((payment) => ({ ...payment, paidAt: timeOf(payment.paidAt) })),
    platform: wordOf(content.platform),
  };
};

/** An order of which nothing is known but that it is there. */
export const unmappedSnapshotOf = (
  shop: SnapshotShop,
  { platformOrderId, reason, receivedAt }: { platformOrderId: string; reason: string; receivedAt: string },
): OpenSnapshot => ({
  orderId: orderIdOf(shop.shopId, platformOrderId),
  shopId: shop.shopId,
  channel: shop.channel,
  platformOrderId,
  type: 'normal',
  placedAt: receivedAt,
  receivedAt,
  currency: shop.currency,
  buyer: { id: '', firstOrder: false },
  receiver: {},
  lines: [],
  orderDiscount: 0,
  freight: 0,
  payable: 0,
  payments: [],
  unmapped: reason,
});

const wordOf = (word: PlatformWord): PlatformWord => ({
  ...word,
  modifiedAt: timeOf(word.modifiedAt),
  ...(word.endedAt === undefined ? {} : { endedAt: timeOf(word.endedAt) }),
});

/** One form of every time, because times are compared and sorted as texts. */
const timeOf = (text: string): string => new Date(text).toISOString();
