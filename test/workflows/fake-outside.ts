import { ApplicationFailure } from '@temporalio/common';
import type { FulfilmentActivities, HandOverInput, StopDeliveryInput } from '../../activities/fulfilment-activities.ts';
import type { TellPlatformInput } from '../../activities/channel-activities.ts';
import type { TellAnswer } from '../../adapters/channels/channel-port.ts';
import type { WmsAnswer } from '../../adapters/wms/wms-port.ts';
import { orderIdOf } from '../../domain/ids.ts';

export type OutsideCall = 'handOver' | 'stopDelivery' | 'tellPlatform';

/** What goes wrong with a call: it fails before or after its effect. */
export interface OutsideFault {
  at: 'before' | 'after';
  times?: number;
  /** Asked again, it would fail again. */
  isFinal?: boolean;
}

export interface FakeDelivery {
  warehouseId: string;
  /** `line×quantity` */
  goods: string;
  district: string;
  state: 'taken' | 'packed' | 'stopped';
}

/** The systems of the warehouses and the platform of a test's order. Whatever is asked twice is done once. */
export class FakeOutside {
  /** By the delivery's number in the order, `D1`. */
  readonly deliveries = new Map<string, FakeDelivery>();
  /** `waybill: lines` of each parcel as the platform knows it. */
  readonly told: string[] = [];
  /** Every call, also those that failed: `handOver D1`, `tellPlatform T1`. */
  readonly calls: string[] = [];
  readonly #faults = new Map<OutsideCall, Required<OutsideFault>>();
  readonly #refusals = new Map<OutsideCall, { detail: string; when: (key: string) => boolean }>();
  readonly #gates = new Map<OutsideCall, { key: string | undefined; isOpen: Promise<void>; open: () => void }>();

  fail(call: OutsideCall, { at, times = 1, isFinal = false }: OutsideFault): void {
    this.#faults.set(call, { at, times, isFinal });
  }

  recover(): void {
    this.#faults.clear();
    this.#refusals.clear();
  }

  refuse(call: OutsideCall, detail = 'no', when: (key: string) => boolean = () => true): void {
    this.#refusals.set(call, { detail, when });
  }

  /** Calls of this kind take effect, and are answered, only when the function that comes back is called. */
  hold(call: OutsideCall, key?: string): () => void {
    let open = (): void => undefined;
    const isOpen = new Promise<void>((resolve) => (open = resolve));
    this.#gates.set(call, { key, isOpen, open });
    return () => {
      this.#gates.delete(call);
      open();
    };
  }

  /** Every call that is held goes on. */
  open(): void {
    for (const { open } of this.#gates.values()) open();
    this.#gates.clear();
  }

  /** From now on it is too late to stop it. */
  pack(code: string): void {
    const delivery = this.deliveries.get(code);
    if (delivery?.state !== 'taken') throw new Error(`${code} is ${delivery?.state ?? 'not there'}`);
    delivery.state = 'packed';
  }

  /** `D1 taken, D2 stopped` */
  get book(): string {
    return [...this.deliveries]
      .map(([code, { state }]) => `${code} ${state}`)
      .toSorted()
      .join(', ');
  }

  handOver({ code, warehouseId, lines, snapshot }: HandOverInput): Promise<WmsAnswer> {
    const key = numberOf(code);
    return this.#carryOut('handOver', key, () => {
      if (this.deliveries.has(key)) return;
      const goods = lines.map(({ lineId, quantity }) => `${lineId}×${quantity}`).join(' ');
      this.deliveries.set(key, { warehouseId, goods, district: snapshot.receiver.district, state: 'taken' });
    });
  }

  stopDelivery({ code }: StopDeliveryInput): Promise<WmsAnswer> {
    const key = numberOf(code);
    const isPacked = this.deliveries.get(key)?.state === 'packed';
    if (isPacked) this.refuse('stopDelivery', 'it is packed', (other) => other === key);
    return this.#carryOut('stopDelivery', key, () => {
      const delivery = this.deliveries.get(key);
      if (delivery) delivery.state = 'stopped';
    });
  }

  async tellPlatform({ trackingNo, lineIds, isPartial }: TellPlatformInput): Promise<TellAnswer> {
    const parcel = `${trackingNo}: ${lineIds.join()}${isPartial ? ' in part' : ''}`;
    const answer = await this.#carryOut('tellPlatform', trackingNo, () => {
      if (!this.told.includes(parcel)) this.told.push(parcel);
    });
    return answer.state === 'done' ? { state: 'told' } : answer;
  }

  async #carryOut(call: OutsideCall, key: string, effect: () => void): Promise<WmsAnswer> {
    this.calls.push(`${call} ${key}`);
    const gate = this.#gates.get(call);
    if (gate?.key === undefined || gate.key === key) await gate?.isOpen;
    const fault = this.#faults.get(call);
    const isHit = fault !== undefined && fault.times > 0;
    if (isHit) fault.times -= 1;
    if (isHit && fault.at === 'before') throw failure(fault);
    const refusal = this.#refusals.get(call);
    if (refusal?.when(key)) return { state: 'refused', detail: refusal.detail };
    effect();
    if (isHit) throw failure(fault);
    return { state: 'done' };
  }
}

const numberOf = (code: string): string => code.slice(code.lastIndexOf('.') + 1);

const failure = ({ isFinal }: Required<OutsideFault>): ApplicationFailure =>
  isFinal
    ? ApplicationFailure.nonRetryable('wms: it does not take us', 'unauthorised')
    : ApplicationFailure.retryable('wms: no answer', 'unavailable');

/** The activities of both queues, for the orders of many tests. */
export const outsideActivities = (
  outsideOf: (orderId: string) => FakeOutside,
): FulfilmentActivities & { tellPlatform(input: TellPlatformInput): Promise<TellAnswer> } => ({
  handOver: (input) => outsideOf(input.snapshot.orderId).handOver(input),
  stopDelivery: (input) => outsideOf(input.code).stopDelivery(input),
  tellPlatform: (input) => outsideOf(orderIdOf(input.shopId, input.platformOrderId)).tellPlatform(input),
});
