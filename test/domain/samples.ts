import { decide } from '../../domain/order-decide.ts';
import { initialState } from '../../domain/order-life.ts';
import { withOutcome, type Decision, type ReservationOutcome, type Step } from '../../domain/order-step.ts';
import { payableOf } from '../../domain/paid-share.ts';
import { statusOf } from '../../domain/order-status.ts';
import type { OrderCommand, OrderMessage } from '../../domain/order-messages.ts';
import type {
  Allocation,
  OrderLine,
  OrderSnapshot,
  OrderState,
  Payment,
  ReceiverRecord,
} from '../../domain/order-model.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';

export const NOON = '2026-11-22T04:00:00.000Z';
export const TIMERS: OrderTimers = { paymentTimeoutMs: 1_800_000, autoCompleteMs: 864_000_000 };

export const later = (ms: number, from: string = NOON): string => new Date(Date.parse(from) + ms).toISOString();

export const RECEIVER: ReceiverRecord = {
  province: '浙江省',
  city: '杭州市',
  district: '西湖区',
  pickupStation: false,
  masked: { name: '张*', phone: '138****8000', address: '浙江省杭州市西湖区' },
  sealed: 'v1.key.sealed',
  phoneIndex: 'phone-index',
  addressIndex: 'address-index',
  missing: [],
};

export const lineOf = (lineId: string, quantity: number, rest: Partial<OrderLine> = {}): OrderLine => ({
  lineId,
  skuCode: `SKU-${lineId}`,
  title: `Goods ${lineId}`,
  quantity,
  unitPrice: 1000,
  discount: 0,
  ...rest,
});

export const payment = (paymentId: string, amount: number, rest: Partial<Payment> = {}): Payment => ({
  paymentId,
  method: 'alipay',
  amount,
  paidAt: NOON,
  ...rest,
});

/** An order placed and taken in at noon: one line of 2 at 1000, nothing paid, unless said otherwise. */
export const snapshotOf = (rest: Partial<OrderSnapshot> = {}): OrderSnapshot => {
  const { orderId = 'own1.W1', lines = [lineOf('1', 2)], orderDiscount = 0, freight = 0 } = rest;
  return {
    orderId,
    shopId: 'own1',
    channel: 'own',
    platformOrderId: orderId.split('.')[1] ?? orderId,
    type: 'normal',
    placedAt: NOON,
    receivedAt: NOON,
    currency: 'CNY',
    buyer: { id: 'u1', firstOrder: false },
    receiver: RECEIVER,
    lines,
    orderDiscount,
    freight,
    payable: payableOf(lines, orderDiscount, freight),
    payments: [],
    ...rest,
  };
};

export const paidSnapshot = (rest: Partial<OrderSnapshot> = {}): OrderSnapshot => {
  const snapshot = snapshotOf(rest);
  return { ...snapshot, payments: [payment('p1', snapshot.payable)] };
};

export const presaleSnapshot = (rest: Partial<OrderSnapshot> = {}): OrderSnapshot =>
  snapshotOf({
    type: 'presale',
    presale: { deposit: 500, balanceDueAt: later(7 * 86_400_000), promisedShipAt: later(20 * 86_400_000) },
    ...rest,
  });

/** Everything from one warehouse that is worked through REST. */
export const reservedFrom =
  (...warehouseIds: string[]) =>
  ({ next }: Step): ReservationOutcome => {
    const intents = next.snapshot.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
    const parts = warehouseIds.map((warehouseId, index): Allocation => {
      // The last warehouse gives what the others, a unit a line each, have left.
      const lines = intents.map(({ lineId, quantity }) => ({
        lineId,
        quantity: index < warehouseIds.length - 1 ? 1 : quantity - (warehouseIds.length - 1),
      }));
      return { warehouseId, courier: null, lines: lines.filter((line) => line.quantity > 0) };
    });
    return { state: 'reserved', allocations: parts, handedOver: warehouseIds };
  };

export const outOfStock = (): ReservationOutcome => ({ state: 'backordered' });

/** One order and its rules, with a ledger that answers as the test says. */
export class Play {
  state: OrderState;
  now = NOON;
  readonly timers: OrderTimers;
  ledger: (step: Step) => ReservationOutcome = reservedFrom('w1');
  last: Decision = { kind: 'unchanged' };

  constructor(snapshot: OrderSnapshot, timers: OrderTimers = TIMERS) {
    this.state = initialState(snapshot);
    this.timers = timers;
  }

  /** Opened, with the ledger that is given. */
  static opened(snapshot: OrderSnapshot, ledger?: Play['ledger'], timers?: OrderTimers): Play {
    const play = new Play(snapshot, timers);
    if (ledger) play.ledger = ledger;
    play.tell({ type: 'opened' });
    return play;
  }

  /** What the order says: its new status, `unchanged`, or the code of the refusal. */
  tell(message: OrderMessage): string {
    const decision = decide(this.state, message, { now: this.now, timers: this.timers });
    this.last = decision;
    if (decision.kind === 'refused') return decision.refusal.code;
    if (decision.kind === 'unchanged') return 'unchanged';
    const isAsked = decision.step.stock.some(({ kind }) => kind === 'reserve');
    const outcome = isAsked ? this.ledger(decision.step) : undefined;
    if (outcome?.state === 'short') return 'short';
    this.state = withOutcome(decision.step, outcome).next;
    return statusOf(this.state);
  }

  at(time: string): this {
    this.now = time;
    return this;
  }

  get step(): Step {
    if (this.last.kind !== 'step') throw new Error(`the last message was ${JSON.stringify(this.last)}`);
    return this.last.step;
  }

  /** What the last step asks of the stock ledger. */
  get asked(): string {
    return this.step.stock.map(({ kind }) => kind).join(' ');
  }

  get holds(): string[] {
    return this.state.holds.map(({ code }) => code);
  }

  get cases(): string[] {
    return this.state.cases.map(({ code }) => code);
  }
}

export const ship = (trackingNo: string, lines: Record<string, number>, warehouseId = 'w1'): OrderCommand => ({
  type: 'ship',
  warehouseId,
  courier: 'SF',
  trackingNo,
  lines: Object.entries(lines).map(([lineId, quantity]) => ({ lineId, quantity })),
});

export const deliver = (shipmentId: string, deliveredAt?: string): OrderCommand => ({
  type: 'deliver',
  shipmentId,
  ...(deliveredAt === undefined ? {} : { deliveredAt }),
});

export const pay = (paymentId: string, amount: number, rest: Partial<Payment> = {}): OrderCommand => ({
  type: 'addPayment',
  payment: payment(paymentId, amount, rest),
});

export const hold = (
  code: 'manual' | 'phone_confirmation' | 'risk_review' | 'address_incomplete',
  until?: string,
): OrderCommand => ({
  type: 'hold',
  code,
  detail: 'a reason',
  ...(until === undefined ? {} : { until }),
});

export const release = (
  code: Extract<OrderCommand, { type: 'release' }>['code'],
  ...roles: string[]
): OrderCommand => ({
  type: 'release',
  code,
  roles,
});

export const CANCEL: OrderCommand = { type: 'cancel', reason: 'the buyer changed their mind' };
