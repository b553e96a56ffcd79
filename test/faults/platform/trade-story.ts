import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderAnswer } from '../../../api/orders/read/order-answer.ts';
import { deliveryCodeOf } from '../../../domain/delivery-orders.ts';
import { orderIdOf } from '../../../domain/ids.ts';
import type { TradeEntry } from '../../../simulators/channels/taobao/control.ts';
import type { LineInput, TradeInput } from '../../../simulators/channels/taobao/new-trade.ts';
import type { BookedLine, BookedParcel, Delivery } from '../../../simulators/wms/delivery-book.ts';
import { Refused } from '../careful-caller.ts';
import type { Cast } from '../order-story.ts';
import type { Planted } from '../planted.ts';
import type { OutsideCaller } from './outside-caller.ts';

export const TAOBAO_SHOP = 'faults-tb';
const POLL_MS = 400;
const COURIER = 'SF';

interface TradeStoryOptions {
  tid: string;
  cast: Cast;
  outside: OutsideCaller;
  /** Said in clear by the platform, where platforms usually mask. */
  planted: Planted | null;
  signal: AbortSignal;
}

/** One trade, taken through its life by its buyer, the warehouse's people and ours. */
export class TradeStory {
  readonly tid: string;
  readonly orderId: string;
  readonly planted: Planted | null;
  /** Statuses of the trade that the order is known to have heard of. */
  readonly heard = new Set<string>();
  readonly #cast: Cast;
  readonly #outside: OutsideCaller;
  readonly #signal: AbortSignal;
  #doing = 'not begun';
  #parcels = 0;

  constructor({ tid, cast, outside, planted, signal }: TradeStoryOptions) {
    this.tid = tid;
    this.orderId = orderIdOf(TAOBAO_SHOP, tid);
    this.planted = planted;
    this.#cast = cast;
    this.#outside = outside;
    this.#signal = signal;
  }

  /** What it is about now, for the report of a run that does not end. */
  get doing(): string {
    return this.#doing;
  }

  async order(lines: LineInput[], more: TradeInput = {}): Promise<void> {
    this.#doing = 'being ordered';
    const raw = this.planted ? { raw: inClear(this.planted) } : {};
    const usual = { isLeftAlone: true, discount: 300, postFee: 800 };
    await this.#outside.order({ ...usual, lines, ...raw, ...more, tid: this.tid });
  }

  /** Something that the buyer or the platform does. */
  async change(verb: string, body: unknown, isDone: (trade: TradeEntry) => boolean): Promise<void> {
    this.#doing = `being changed on the platform: ${verb}`;
    await this.#outside.change(this.tid, verb, body, isDone);
  }

  async status(verb: string, status: string, body: unknown = {}): Promise<void> {
    await this.change(verb, body, (trade) => trade.status === status);
  }

  /** What the platform told in a way that nobody understands it tells as it should. */
  async mend(): Promise<void> {
    this.#doing = 'being mended on the platform';
    await this.#outside.repeat(this.tid, 'raw', { raw: {} });
  }

  async refundLine(index: number, status: string): Promise<void> {
    const oid = (await this.trade()).lines[index]?.oid;
    await this.change('line-refund', { oid, status }, ({ lines }) => lines[index]?.refundStatus === status);
  }

  async changeAddress(): Promise<void> {
    const before = (await this.trade()).oaid;
    await this.change('address', {}, ({ oaid }) => oaid !== before);
  }

  async trade(): Promise<TradeEntry> {
    const trade = await this.#outside.trade(this.tid);
    if (!trade) throw new Error(`the platform has no trade ${this.tid}`);
    return trade;
  }

  async until(what: string, isSo: (view: OrderAnswer) => boolean): Promise<OrderAnswer> {
    return this.#wait(`until ${what}`, async () => {
      const found = await this.#view();
      return found && isSo(found) ? found : undefined;
    });
  }

  untilStatus(...statuses: OrderAnswer['status'][]): Promise<OrderAnswer> {
    return this.until(`it is ${statuses.join(' or ')}`, ({ status }) => statuses.includes(status));
  }

  /** It is what it can only be by having heard the platform as it is now. */
  async untilHeard(status: OrderAnswer['status'], hold?: string): Promise<void> {
    const isSo = (view: OrderAnswer) =>
      view.status === status && (hold === undefined || view.holds.some(({ code }) => code === hold));
    await this.until(hold === undefined ? `it is ${status}` : `it is held by ${hold}`, isSo);
    this.heard.add((await this.trade()).status);
  }

  untilHeld(code: string): Promise<void> {
    return this.untilHeard('on_hold', code);
  }

  async untilCase(code: string, state: 'open' | 'resolved'): Promise<void> {
    const path = `/v1/cases?state=${state}&code=${code}&orderId=${this.orderId}`;
    await this.#wait(`until its case ${code} is ${state}`, async () => {
      const { items } = await this.#cast.finance.get<{ items: unknown[] }>(path);
      return items[0];
    });
  }

  /** The warehouse has been asked for the n-th time. */
  delivery(number: number): Promise<Delivery> {
    const code = deliveryCodeOf(this.orderId, number);
    return this.#wait(`for the warehouse to have ${code}`, () => this.#outside.delivery(code));
  }

  async untilStopped(number: number): Promise<void> {
    await this.#wait(`for delivery ${number} to be stopped`, async () => {
      const { state } = await this.delivery(number);
      return state === 'stopped' || undefined;
    });
  }

  async untilStopRefused(number: number): Promise<void> {
    await this.#wait(`for the stop of delivery ${number} to be refused`, async () => {
      const { stops } = await this.delivery(number);
      return stops.includes('refused') || undefined;
    });
  }

  async pack(number = 1): Promise<void> {
    const { code } = await this.delivery(number);
    this.#doing = `being packed as ${code}`;
    await this.#outside.pack(code);
  }

  /** One report with a parcel for each group of goods; without any, everything in one parcel. */
  async send(number: number, groups?: BookedLine[][], isFinal = true): Promise<void> {
    const delivery = await this.delivery(number);
    this.#doing = `being sent as ${delivery.code}`;
    const parcels = (groups ?? [delivery.lines]).map((items): BookedParcel => {
      this.#parcels += 1;
      return { logisticsCode: COURIER, expressCode: `W${this.tid.slice(-9)}-${this.#parcels}`, items };
    });
    await this.#outside.ship(delivery.code, { number: `C${this.#parcels}`, parcels, isFinal });
  }

  /** Units of the n-th line of a delivery's list, by its SKU. */
  async goods(number: number, skuCode: string, quantity: number): Promise<BookedLine> {
    const { lines } = await this.delivery(number);
    const line = lines.find(({ itemCode }) => itemCode === skuCode);
    if (!line) throw new Error(`${this.orderId}: delivery ${number} has no ${skuCode}`);
    return { ...line, quantity };
  }

  async untilTold(parcels: number): Promise<void> {
    await this.#wait(`for the platform to know of ${parcels} parcels`, async () => {
      const { consigns } = await this.trade();
      return consigns.length >= parcels || undefined;
    });
  }

  /** The buyer has got everything. */
  async finish(): Promise<void> {
    await this.status('finish', 'TRADE_FINISHED');
    await this.untilHeard('completed');
  }

  /** Packed and sent as one parcel, told and received. */
  async fulfil(number = 1): Promise<void> {
    await this.pack(number);
    await this.send(number);
    await this.untilTold(1);
    await this.finish();
  }

  /** From a warehouse without a system. */
  async sendByHand(warehouseId: string): Promise<void> {
    const { allocations } = await this.untilStatus('awaiting_shipment', 'partially_shipped');
    const lines = allocations.find((allocation) => allocation.warehouseId === warehouseId)?.lines ?? [];
    const trackingNo = `H${this.tid.slice(-9)}`;
    const isDone = (view: OrderAnswer) => view.shipments.some((parcel) => parcel.trackingNo === trackingNo);
    const body = { warehouseId, courier: COURIER, trackingNo, lines };
    await this.#command('service', 'shipments', body, isDone);
  }

  async cancel(): Promise<void> {
    await this.#command('operations', 'cancel', { reason: 'asked by phone' }, ({ status }) => status === 'cancelled');
  }

  /** Asks for a cancel that comes too late. */
  async cancelInVain(): Promise<void> {
    this.#doing = 'being cancelled in vain';
    for (;;)
      try {
        await this.#cast.operations.post(`${this.#path}/cancel`, { reason: 'asked by phone' });
        throw new Error(`${this.orderId} was cancelled although it was packed`);
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 409) throw error;
        if (/packed/.test(error.problem.detail ?? '')) return;
        await sleep(POLL_MS, undefined, { signal: this.#signal });
      }
  }

  async mapSku(platformSku: string, skuCode: string): Promise<void> {
    this.#doing = `mapping ${platformSku}`;
    await this.#cast.operations.put(`/v1/sku-mappings/${TAOBAO_SHOP}/${platformSku}`, { skuCode });
  }

  /** Finance agrees with the platform's sum. */
  async acceptSum(): Promise<void> {
    const isDone = ({ holds }: OrderAnswer) => holds.every(({ code }) => code !== 'amount_mismatch');
    await this.#command('finance', 'release', { code: 'amount_mismatch' }, isDone);
  }

  get #path(): string {
    return `/v1/orders/${this.orderId}`;
  }

  async #view(): Promise<OrderAnswer | undefined> {
    try {
      return await this.#cast.service.get<OrderAnswer>(this.#path);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  async #command(by: keyof Cast, word: string, body: unknown, isDone: (view: OrderAnswer) => boolean): Promise<void> {
    this.#doing = `being asked for ${word}`;
    await this.#cast[by].command<OrderAnswer>(`${this.#path}/${word}`, body, { resource: this.#path, isDone });
  }

  async #wait<T>(what: string, find: () => Promise<T | undefined>): Promise<T> {
    this.#doing = `waiting ${what}`;
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      await sleep(POLL_MS * (0.5 + Math.random()), undefined, { signal: this.#signal });
    }
  }
}

const inClear = ({ name, phone, address }: Planted) => ({
  receiver_name: name,
  receiver_mobile: phone,
  receiver_address: address,
});
