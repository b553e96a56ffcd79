import type { OrderCommand, ReportedLine } from '../../domain/order-messages.ts';
import type { OrderSnapshot, ReceiverRecord } from '../../domain/order-model.ts';
import type { PlatformPhase, PlatformWord } from '../../domain/platform-order.ts';
import { platformChangedSignal } from '../../workflows/contract.ts';
import { payment, RECEIVER, snapshotOf } from '../domain/samples.ts';
import type { Order } from './order-bench.ts';

const PAID: readonly PlatformPhase[] = ['paid', 'partly_shipped', 'shipped', 'finished', 'closed_refunded', 'unknown'];

/** To whom the platform says that goods go; another district is another receiver. */
export const receiverIn = (district: string): ReceiverRecord => ({ ...RECEIVER, district, identity: `in ${district}` });

/** A platform's order with what it says of it: paid in full, unless said otherwise. */
export const traded =
  (word: Partial<PlatformWord> = {}) =>
  (rest: Partial<OrderSnapshot> = {}): OrderSnapshot => {
    const order = snapshotOf({ channel: 'taobao', receiver: receiverIn('西湖区'), ...rest });
    const { phase = 'paid' } = word;
    const paid = word.paid ?? (PAID.includes(phase) ? order.payable : 0);
    return {
      ...order,
      payments: paid > 0 ? [payment(`${order.platformOrderId}-p`, paid, { method: 'platform' })] : [],
      platform: {
        status: phase,
        phase,
        lockedBy: null,
        modifiedAt: order.receivedAt,
        paid,
        refundOpen: [],
        refunded: [],
        parcels: [],
        ...word,
      },
    };
  };

/** The platform's side of an order: each word is newer than the one before. */
export class Trade {
  readonly #order: Order;
  #seconds = 0;
  #word: Partial<PlatformWord>;

  constructor(order: Order) {
    this.#order = order;
    this.#word = order.snapshot.platform ?? {};
  }

  /** What is not said is as before. */
  says(word: Partial<PlatformWord>, rest: Partial<OrderSnapshot> = {}): Promise<void> {
    this.#seconds += 10;
    const { status: _status, paid: _paid, ...before } = this.#word;
    this.#word = { ...before, ...word };
    return this.repeats(rest);
  }

  /** The newest word again. */
  repeats(rest: Partial<OrderSnapshot> = {}): Promise<void> {
    return this.#send({ ...this.#word, modifiedAt: this.#timeAt(this.#seconds) }, rest);
  }

  /** A word of before the order was taken in, that comes now. */
  saysLate(word: Partial<PlatformWord>, rest: Partial<OrderSnapshot> = {}): Promise<void> {
    return this.#send({ ...word, modifiedAt: this.#timeAt(-60) }, rest);
  }

  #timeAt(seconds: number): string {
    return new Date(Date.parse(this.#order.snapshot.receivedAt) + seconds * 1000).toISOString();
  }

  #send(word: Partial<PlatformWord>, rest: Partial<OrderSnapshot>): Promise<void> {
    const { payments: _payments, platform: _platform, unmapped: _unmapped, ...known } = this.#order.snapshot;
    const snapshot = traded(word)({ ...known, ...rest });
    return this.#order.newest.signal(platformChangedSignal, { snapshot });
  }
}

/** The first of the order's deliveries, unless said otherwise, has left: these units a line, in one parcel. */
export const report = (
  order: Order,
  trackingNo: string,
  lines: Record<string, number> | ReportedLine[],
  { delivery = 'D1', warehouseId = 'w1', outBizCode = `C-${trackingNo}`, isFinal = false } = {},
): OrderCommand => ({
  type: 'reportParcels',
  warehouseId,
  deliveryOrderCode: `${order.id}.${delivery}`,
  outBizCode,
  isFinal,
  parcels: [
    {
      courier: 'SF',
      trackingNo,
      lines: Array.isArray(lines) ? lines : Object.entries(lines).map(([lineId, quantity]) => ({ lineId, quantity })),
    },
  ],
});
