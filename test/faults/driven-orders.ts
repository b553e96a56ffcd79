import { setTimeout as sleep } from 'node:timers/promises';
import type { Needle } from './haystack.ts';
import type { Expected } from './order-proofs.ts';
import { BOTH, ORDER_PATHS, type OrderPath } from './order-paths.ts';
import { OrderStory, type Cast } from './order-story.ts';
import { plant } from './planted.ts';
import { Claim, type Proof } from './proof.ts';
import { seeded, shuffled, type Random } from './seeded.ts';

interface Driven {
  path: OrderPath;
  story: OrderStory;
  afterMs: number;
  state: 'open' | 'done' | 'failed';
  failure?: unknown;
}

/** Orders whose personal data is searched for: a few stand for all, because each costs time. */
const SEARCHED = 4;

/** The orders of a run, each with the callers that take it along its path. */
export class DrivenOrders {
  readonly #orders: Driven[] = [];
  readonly #random: Random;
  readonly #cast: Cast;
  readonly #signal: AbortSignal;

  constructor({ seed, cast, signal }: { seed: number; cast: Cast; signal: AbortSignal }) {
    this.#random = seeded(seed);
    this.#cast = cast;
    this.#signal = signal;
  }

  /** Begins `count` orders of all paths, spread over the time; ends when all are where they should be, or failed. */
  async drive(count: number, spreadMs: number): Promise<void> {
    const paths = choosePaths(count, this.#random);
    const begun = paths.map((path, index) =>
      // What is slow by its nature begins at once.
      this.#add(`O${index + 1}`, path, path.isSlow ? 0 : (spreadMs * index) / paths.length),
    );
    await Promise.all(begun.map((order) => this.#run(order)));
  }

  /** The body of one more order, which the caller posts itself; `driveRest` posts it again and waits for it to be done. */
  extra(): unknown {
    const number = `P${this.#orders.length + 1}`;
    const path = ORDER_PATHS.find(({ name }) => name === 'left to be sent');
    if (!path) throw new Error('there is no such path');
    const order = this.#add(number, path, 0);
    const body = order.story.body(BOTH);
    order.path = {
      ...path,
      run: async (story) => {
        await this.#cast.service.post('/v1/orders', body);
        await story.untilStatus('awaiting_shipment');
      },
    };
    return body;
  }

  async driveRest(): Promise<void> {
    await Promise.all(
      this.#orders.filter(({ story }) => story.orderId.includes('.P')).map((order) => this.#run(order)),
    );
  }

  get done(): number {
    return this.#orders.filter(({ state }) => state === 'done').length;
  }

  get count(): number {
    return this.#orders.length;
  }

  get expected(): Expected[] {
    return this.#orders.map(({ story, path }) => ({ orderId: story.orderId, path }));
  }

  get byPath(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { path } of this.#orders) counts[path.name] = (counts[path.name] ?? 0) + 1;
    return counts;
  }

  /** Personal data of some of them, that of an address change among it. */
  get planted(): Needle[] {
    const changed = this.#orders.filter(({ path }) => path.name === 'address changed').slice(0, 1);
    return [...changed, ...this.#orders.slice(0, SEARCHED)].flatMap(({ story: { orderId, planted, elsewhere } }) =>
      [planted, elsewhere].flatMap((person) =>
        Object.entries(person).map(([field, value]) => ({ what: `${field} of ${orderId}`, value: String(value) })),
      ),
    );
  }

  /** What has not come to its end, and what its caller was about. */
  get open(): { orderId: string; path: string; doing: string }[] {
    return this.#orders
      .filter(({ state }) => state === 'open')
      .map(({ story, path }) => ({ orderId: story.orderId, path: path.name, doing: story.doing }));
  }

  prove(): Proof {
    const claim = new Claim('every caller could take its order to the end of its path');
    claim.examined = this.#orders.length;
    for (const { story, path, failure } of this.#orders)
      if (failure)
        claim.problems.push(`${story.orderId} (${path.name}) while ${story.doing}: ${(failure as Error).message}`);
    return claim;
  }

  #add(number: string, path: OrderPath, afterMs: number): Driven {
    const receivers = [plant(this.#random), plant(this.#random)] as const;
    const story = new OrderStory({ number, cast: this.#cast, receivers, signal: this.#signal });
    const order: Driven = { path, story, afterMs, state: 'open' };
    this.#orders.push(order);
    return order;
  }

  async #run(order: Driven): Promise<void> {
    try {
      await sleep(order.afterMs, undefined, { signal: this.#signal });
      await order.path.run(order.story);
      order.state = 'done';
    } catch (error) {
      this.#signal.throwIfAborted();
      order.state = 'failed';
      order.failure = error;
    }
  }
}

/** Each path at least once while there is room, the rest by their shares, in a random order. */
const choosePaths = (count: number, random: Random): OrderPath[] => {
  const byShare = ORDER_PATHS.flatMap((path) => Array.from({ length: path.share }, () => path));
  const more = shuffled(random, Array.from({ length: Math.ceil(count / byShare.length) }, () => byShare).flat());
  return shuffled(random, [...ORDER_PATHS, ...more].slice(0, count));
};
