import { createHash } from 'node:crypto';
import { orderIdOf } from '../../domain/ids.ts';
import type { Origin } from '../../domain/order-messages.ts';
import type { OrderSnapshot, Payment } from '../../domain/order-model.ts';
import { orderLineOf } from '../../domain/order-lines.ts';
import { newOrderFields } from '../../domain/new-order-fields.ts';
import { canonicalJson } from '../../models/audit-log.ts';
import type { OrderRecord } from '../../models/order-records.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import type { Sealer } from '../../runtime/sealing.ts';
import { assertPriced, payableOfOrder } from './order-prices.ts';
import type { NewOrder, NewPayment } from './order-schemas.ts';
import { receiverRecordOf } from '../../domain/receiver-record.ts';

/** Binds a sealed bank account to its payment, so that it opens nowhere else. */
export const accountContext = (orderId: string, paymentId: string): string => `order/${orderId}/payment/${paymentId}`;

/** Keyed, because a plain hash of a body that is known but for a phone number would give the number away. */
const contentDigest = (body: NewOrder): string => createHash('sha256').update(canonicalJson(body)).digest('hex');

/** Whether `body` is what a record was made of, under whichever key it was hashed then. */
export const isSameContent = (body: NewOrder, contentHash: string, sealer: Pick<Sealer, 'blindIndexes'>): boolean =>
  sealer.blindIndexes('order-content', contentDigest(body)).includes(contentHash);

export interface IntakeInput {
  body: NewOrder;
  shop: Pick<ShopRecord, 'shopId' | 'channel'>;
  /** Our SKUs by the platform's. */
  skuCodes: ReadonlyMap<string, string>;
  origin: Origin;
  sealer: Pick<Sealer, 'seal' | 'blindIndex'>;
  /** RFC 3339, UTC. */
  now: string;
}

/** The order as it is stored before any workflow has looked at it, revision 0. Throws 422 when its sums do not fit. */
export const intakeRecord = (input: IntakeInput): OrderRecord => {
  const { body, origin, sealer, now } = input;
  assertPriced(body);
  const snapshot = snapshotOf(input);
  return {
    _id: snapshot.orderId,
    ...newOrderFields(snapshot, now),
    snapshot,
    contentHash: sealer.blindIndex('order-content', contentDigest(body)),
    origin,
    runId: null,
    lastStep: null,
    final: null,
  };
};

const snapshotOf = ({ body, shop, skuCodes, sealer, now }: IntakeInput): OrderSnapshot => {
  const { platformOrderId, type, placedAt, currency, buyer, orderDiscount, freight, presale } = body;
  const orderId = orderIdOf(shop.shopId, platformOrderId);
  return {
    orderId,
    shopId: shop.shopId,
    channel: shop.channel,
    platformOrderId,
    type,
    placedAt,
    receivedAt: now,
    currency,
    buyer,
    receiver: receiverRecordOf(body.receiver, sealer),
    lines: body.lines.map((line) => orderLineOf({ ...line, merchantCode: line.skuCode }, platformOrderId, skuCodes)),
    orderDiscount,
    freight,
    payable: payableOfOrder(body),
    ...(presale ? { presale } : {}),
    payments: body.payments.map((payment) => paymentOf(payment, orderId, sealer)),
  };
};

export const paymentOf = (payment: NewPayment, orderId: string, sealer: Pick<Sealer, 'seal'>): Payment => {
  const { paymentId, method, transactionId, amount, paidAt, settlement, account } = payment;
  return {
    paymentId,
    method,
    ...(transactionId === undefined ? {} : { transactionId }),
    amount,
    paidAt,
    ...(settlement ? { settlement } : {}),
    ...(account ? { accountSealed: sealer.seal(account, accountContext(orderId, paymentId)) } : {}),
  };
};
