import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderAnswer } from '../../api/orders/read/order-answer.ts';
import type { CarefulCaller } from './careful-caller.ts';
import { receiverOf, type Planted } from './planted.ts';

/** Who acts, each with their own rights. */
export interface Cast {
  service: CarefulCaller;
  operations: CarefulCaller;
  finance: CarefulCaller;
}

export interface StoryLine {
  skuCode?: string;
  platformSku?: string;
  quantity: number;
}

type Quantities = { lineId: string; quantity: number }[];

export const SHOP = 'faults';
export const UNIT_PRICE = 5000;
export const FREIGHT = 800;
const POLL_MS = 250;

export const payableOf = (lines: readonly StoryLine[]): number =>
  lines.reduce((sum, { quantity }) => sum + quantity * UNIT_PRICE, 0) + FREIGHT;

/** One order, taken through its life by its callers; each call is repeated until it is answered. */
export class OrderStory {
  readonly orderId: string;
  readonly cast: Cast;
  readonly planted: Planted;
  /** Where the buyer wants it sent instead. */
  readonly elsewhere: Planted;
  readonly #platformOrderId: string;
  readonly #signal: AbortSignal;
  #parcels = 0;
  /** What it is about now, for the report of a run that does not end. */
  doing = 'not begun';

  constructor({
    number,
    cast,
    receivers,
    signal,
  }: {
    number: string;
    cast: Cast;
    receivers: readonly [Planted, Planted];
    signal: AbortSignal;
  }) {
    this.#platformOrderId = number;
    this.orderId = `${SHOP}.${number}`;
    this.cast = cast;
    [this.planted, this.elsewhere] = receivers;
    this.#signal = signal;
  }

  get path(): string {
    return `/v1/orders/${this.orderId}`;
  }

  read(): Promise<OrderAnswer> {
    return this.cast.service.get<OrderAnswer>(this.path);
  }

  /** What is posted to take the order in; `paid` is how much is paid at once. */
  body(lines: readonly StoryLine[], paid: number = payableOf(lines), more: Record<string, unknown> = {}) {
    return {
      shopId: SHOP,
      platformOrderId: this.#platformOrderId,
      type: 'normal',
      placedAt: new Date().toISOString(),
      currency: 'CNY',
      buyer: { id: `buyer-${this.#platformOrderId}`, firstOrder: false },
      receiver: receiverOf(this.planted),
      lines: lines.map((line, index) => ({
        lineId: String(index + 1),
        title: `Article ${line.skuCode ?? line.platformSku ?? ''}`,
        unitPrice: UNIT_PRICE,
        discount: 0,
        ...line,
      })),
      orderDiscount: 0,
      freight: FREIGHT,
      payable: payableOf(lines),
      payments: paid > 0 ? [this.payment('p1', paid)] : [],
      ...more,
    };
  }

  async place(...content: Parameters<OrderStory['body']>): Promise<void> {
    this.doing = 'being posted';
    await this.cast.service.post('/v1/orders', this.body(...content));
  }

  payment(paymentId: string, amount: number) {
    const transactionId = `T-${this.#platformOrderId}-${paymentId}`;
    return { paymentId, method: 'alipay', transactionId, amount, paidAt: new Date().toISOString() };
  }

  async pay(paymentId: string, amount: number): Promise<void> {
    const body = this.payment(paymentId, amount);
    await this.#command('service', 'payments', body, (view) =>
      view.payments.some((known) => known.paymentId === paymentId),
    );
  }

  async until(what: string, isSo: (view: OrderAnswer) => boolean): Promise<OrderAnswer> {
    this.doing = `waiting until ${what}`;
    for (;;) {
      const view = await this.read();
      if (isSo(view)) return view;
      await sleep(POLL_MS * (0.5 + Math.random()), undefined, { signal: this.#signal });
    }
  }

  untilStatus(...statuses: OrderAnswer['status'][]): Promise<OrderAnswer> {
    return this.until(`it is ${statuses.join(' or ')}`, ({ status }) => statuses.includes(status));
  }

  pause(seconds: number): Promise<void> {
    return sleep(seconds * 1000, undefined, { signal: this.#signal });
  }

  async hold(code: string, more: { until?: string } = {}): Promise<void> {
    const body = { code, detail: 'to be looked at', ...more };
    await this.#command('operations', 'hold', body, (view) => view.holds.some((hold) => hold.code === code));
  }

  async release(code: string): Promise<void> {
    await this.#command('operations', 'release', { code }, (view) => !view.holds.some((hold) => hold.code === code));
  }

  async cancel(): Promise<void> {
    const isDone = (view: OrderAnswer) => view.status === 'cancelled' || view.lines.some((line) => line.cancelled > 0);
    await this.#command('operations', 'cancel', { reason: 'the buyer changed their mind' }, isDone);
  }

  async changeAddress(to: Planted): Promise<void> {
    // A view shows a masked number: enough to see that it is the new one.
    const last = to.phone.slice(-4);
    await this.#command('operations', 'address', { receiver: receiverOf(to) }, (view) =>
      view.receiver.phone.endsWith(last),
    );
  }

  async confirmByPhone(outcome: 'confirmed' | 'refused'): Promise<void> {
    const isDone = (view: OrderAnswer) =>
      outcome === 'confirmed' && view.holds.every(({ code }) => code !== 'phone_confirmation');
    await this.#command('operations', 'phone-confirmation', { outcome, note: '' }, isDone);
  }

  async allocate(warehouseId: string): Promise<void> {
    const isDone = (view: OrderAnswer) =>
      view.allocations.every((allocation) => allocation.warehouseId === warehouseId);
    await this.#command('operations', 'allocate', { warehouseId }, isDone);
  }

  async split(groups: { lines: Quantities }[]): Promise<void> {
    await this.#command('operations', 'split', { groups }, (view) => view.allocations.length === groups.length);
  }

  /** Sends one parcel. */
  async ship(warehouseId: string, lines: Quantities): Promise<void> {
    const trackingNo = `SF-${this.#platformOrderId}-${(this.#parcels += 1)}`;
    const isDone = (view: OrderAnswer) => view.shipments.some((shipment) => shipment.trackingNo === trackingNo);
    await this.#command('service', 'shipments', { warehouseId, courier: 'SF', trackingNo, lines }, isDone);
  }

  /** Sends all that is allocated, a parcel for each allocation. */
  async shipAll(): Promise<void> {
    const { allocations } = await this.untilStatus('awaiting_shipment');
    for (const { warehouseId, lines } of allocations) await this.ship(warehouseId, lines);
  }

  /** Reports every parcel as delivered, `secondsAgo`; with a few seconds the order completes in the same step. */
  async deliverAll(secondsAgo = 0): Promise<void> {
    const { shipments } = await this.read();
    const deliveredAt = new Date(Date.now() - secondsAgo * 1000).toISOString();
    for (const { shipmentId } of shipments) {
      const isDone = (view: OrderAnswer) =>
        view.shipments.some((known) => known.shipmentId === shipmentId && known.status === 'delivered');
      await this.#command('service', 'deliveries', { shipmentId, deliveredAt }, isDone);
    }
  }

  async fulfil(secondsAgo = 0): Promise<void> {
    await this.shipAll();
    await this.deliverAll(secondsAgo);
    await this.untilStatus('completed');
  }

  async receive(warehouseId: string, skuCode: string, quantity: number): Promise<void> {
    this.doing = `receiving ${skuCode}`;
    await this.cast.service.post('/v1/stock/receipts', { warehouseId, lines: [{ skuCode, quantity }] });
  }

  async mapSku(platformSku: string, skuCode: string): Promise<void> {
    this.doing = `mapping ${platformSku}`;
    await this.cast.operations.put(`/v1/sku-mappings/${SHOP}/${platformSku}`, { skuCode });
  }

  /** Settles an open case of this order by one of its actions. */
  async resolveCase(code: string, action: string, by: keyof Cast = 'operations'): Promise<void> {
    this.doing = `resolving ${code}`;
    for (;;) {
      const { items } = await this.cast[by].get<{ items: { caseId: string }[] }>(
        `/v1/cases?state=open&code=${code}&orderId=${this.orderId}`,
      );
      const [first] = items;
      if (first) {
        const resource = `/v1/cases/${first.caseId}`;
        const isDone = (found: { state: string }) => found.state === 'resolved';
        await this.cast[by].command(`${resource}/resolve`, { note: 'agreed', action }, { resource, isDone });
        return;
      }
      await this.pause(0.3);
    }
  }

  async #command(by: keyof Cast, word: string, body: unknown, isDone: (view: OrderAnswer) => boolean): Promise<void> {
    this.doing = `being asked for ${word}`;
    await this.cast[by].command<OrderAnswer>(`${this.path}/${word}`, body, { resource: this.path, isDone });
  }
}
