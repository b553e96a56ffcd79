import { setTimeout as sleep } from 'node:timers/promises';
import { SteeringRefused, type Outside, type Steering } from '../../../bench/simulator-process.ts';
import type { TradeEntry } from '../../../simulators/channels/taobao/control.ts';
import type { TradeInput } from '../../../simulators/channels/taobao/new-trade.ts';
import type { BookedParcel, Delivery } from '../../../simulators/wms/delivery-book.ts';

const PAUSE_MS = 200;

/**
 * What buyers and the people of a warehouse do. The process that they do it in is killed at times: each deed is asked for
 * again until it is seen to be done, and no deed is done twice.
 */
export class OutsideCaller {
  readonly #outside: Pick<Outside, 'taobao' | 'wms'>;
  readonly #signal: AbortSignal;

  constructor(outside: Pick<Outside, 'taobao' | 'wms'>, signal: AbortSignal) {
    this.#outside = outside;
    this.#signal = signal;
  }

  trade(tid: string): Promise<TradeEntry | undefined> {
    return this.#find<TradeEntry>(this.#outside.taobao, `/trades/${tid}`);
  }

  delivery(code: string): Promise<Delivery | undefined> {
    return this.#find<Delivery>(this.#outside.wms, `/orders/${code}`);
  }

  async order(input: TradeInput & { tid: string }): Promise<TradeEntry> {
    const found = () => this.trade(input.tid);
    return this.#insist(this.#outside.taobao, '/trades', input, found);
  }

  /** `isDone` tells from the trade whether it was done before. */
  async change(tid: string, verb: string, body: unknown, isDone: (trade: TradeEntry) => boolean): Promise<TradeEntry> {
    const found = async () => {
      const trade = await this.trade(tid);
      return trade && isDone(trade) ? trade : undefined;
    };
    return this.#insist(this.#outside.taobao, `/trades/${tid}/${verb}`, body, found);
  }

  /** For what may be done twice without harm. */
  async repeat(tid: string, verb: string, body: unknown): Promise<void> {
    for (;;)
      try {
        await this.#outside.taobao.post(`/trades/${tid}/${verb}`, body);
        return;
      } catch (error) {
        if (error instanceof SteeringRefused) throw error;
        await sleep(PAUSE_MS, undefined, { signal: this.#signal });
      }
  }

  async pack(code: string): Promise<void> {
    const isPacked = ({ state }: Delivery) => state !== 'new' && state !== 'picking';
    await this.#work(code, 'pack', {}, isPacked);
  }

  async ship(code: string, report: { number: string; parcels: BookedParcel[]; isFinal: boolean }): Promise<void> {
    const isSaid = ({ reports, state }: Delivery) =>
      reports.some(({ number }) => number === report.number) && state === (report.isFinal ? 'shipped' : 'part_shipped');
    await this.#work(code, 'ship', report, isSaid);
  }

  async #work(code: string, verb: string, body: unknown, isDone: (delivery: Delivery) => boolean): Promise<void> {
    const found = async () => {
      const delivery = await this.delivery(code);
      return delivery && isDone(delivery) ? delivery : undefined;
    };
    await this.#insist(this.#outside.wms, `/orders/${code}/${verb}`, body, found);
  }

  async #insist<T>(steering: Steering, path: string, body: unknown, found: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const done = await found();
      if (done !== undefined) return done;
      const refusal = await steering.post(path, body).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal instanceof SteeringRefused && (await found()) === undefined) throw refusal;
      if (refusal !== undefined) await sleep(PAUSE_MS, undefined, { signal: this.#signal });
    }
  }

  /** Undefined when it is not there; waits while nobody answers. */
  async #find<T>(steering: Steering, path: string): Promise<T | undefined> {
    for (;;)
      try {
        return await steering.get<T>(path);
      } catch (error) {
        if (error instanceof SteeringRefused && error.status === 404) return undefined;
        await sleep(PAUSE_MS, undefined, { signal: this.#signal });
      }
  }
}
