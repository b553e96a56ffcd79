import { setTimeout as sleep } from 'node:timers/promises';
import type { RestClient } from '../simulators/rest-client.ts';
import { benchOrder } from './order-driver.ts';

/** Milliseconds of each call, begun in one phase of a run. */
export interface CallTimes {
  lists: number[];
  posts: number[];
  /** When the call was made, and how long after it the order's goods were reserved. */
  reservations: { at: number; ms: number }[];
}

const LIST_EVERY_MS = 500;
const POST_EVERY_MS = 500;
const LOOK_EVERY_MS = 20;
const WITHIN_MS = 60_000;
const LISTS = [
  '/v1/orders',
  '/v1/orders?status=awaiting_shipment',
  '/v1/orders?shopId=bench-tb&limit=100',
  '/v1/orders?channel=own',
];

/** People who look at lists and a service that posts orders, at their own pace however slow the answers are. */
export class InteractiveLoad {
  readonly #service: RestClient;
  #times: CallTimes = { lists: [], posts: [], reservations: [] };
  readonly #underWay = new Set<Promise<void>>();
  readonly #timers: NodeJS.Timeout[];
  #count = 0;
  failures = 0;

  constructor(service: RestClient) {
    this.#service = service;
    this.#timers = [
      setInterval(() => this.#begin(() => this.#list()), LIST_EVERY_MS),
      setInterval(() => this.#begin(() => this.#post()), POST_EVERY_MS),
    ];
  }

  /** Of the calls begun since it was last asked; those under way come with the next. */
  take(): CallTimes {
    const times = this.#times;
    this.#times = { lists: [], posts: [], reservations: [] };
    return times;
  }

  async stop(): Promise<void> {
    this.#timers.forEach((timer) => clearInterval(timer));
    await Promise.all(this.#underWay);
  }

  #begin(work: () => Promise<void>): void {
    const run = work()
      .catch(() => void (this.failures += 1))
      .finally(() => this.#underWay.delete(run));
    this.#underWay.add(run);
  }

  async #list(): Promise<void> {
    const { lists } = this.#times;
    const startedAt = performance.now();
    await this.#service.get(LISTS[(this.#count += 1) % LISTS.length] as string);
    lists.push(performance.now() - startedAt);
  }

  async #post(): Promise<void> {
    const { posts, reservations } = this.#times;
    const at = Date.now();
    const startedAt = performance.now();
    type Answer = { orderId: string; status: string };
    let order = await this.#service.post<Answer>('/v1/orders', benchOrder(`live-${(this.#count += 1)}`));
    posts.push(performance.now() - startedAt);
    while (order.status !== 'awaiting_shipment') {
      if (performance.now() - startedAt > WITHIN_MS) throw new Error(`${order.orderId} is ${order.status}`);
      await sleep(LOOK_EVERY_MS);
      order = await this.#service.get<Answer>(`/v1/orders/${order.orderId}`);
    }
    reservations.push({ at, ms: performance.now() - startedAt });
  }
}
