import { setTimeout as sleep } from 'node:timers/promises';
import type { TradeEntry } from '../../../simulators/channels/taobao/control.ts';
import type { Needle } from '../haystack.ts';
import type { Expected } from '../order-proofs.ts';
import type { Cast } from '../order-story.ts';
import { plant } from '../planted.ts';
import { Claim, type Proof } from '../proof.ts';
import { seeded, shuffled, type Random } from '../seeded.ts';
import type { OutsideCaller } from './outside-caller.ts';
import { TRADE_PATHS, type TradePath } from './trade-paths.ts';
import { TradeStory } from './trade-story.ts';

export interface DrivenTrade {
  path: TradePath;
  story: TradeStory;
  afterMs: number;
  state: 'open' | 'done' | 'failed';
  failure?: unknown;
}

export interface DrivenTradesOptions {
  seed: number;
  cast: Cast;
  outside: OutsideCaller;
  signal: AbortSignal;
  /** Only paths whose name has this. */
  only?: string | undefined;
}

/** Trades of which the platform says the receiver in clear, so that it can be searched for. */
const SEARCHED = 4;
const FIRST_TID = 4_123_456_780_000_000_007n;
/** As on the platform, whose ids no double can tell apart; lines' ids lie in between. */
const STEP = 100n;

/** The trades of a run, each with those who take it along its path. */
export class DrivenTrades {
  readonly #trades: DrivenTrade[] = [];
  readonly #options: DrivenTradesOptions;
  readonly #random: Random;

  constructor(options: DrivenTradesOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  /** Begins `count` trades of all paths, spread over the time; ends when all are where they should be, or failed. */
  async drive(count: number, spreadMs: number): Promise<void> {
    const paths = choosePaths(count, this.#random, this.#options.only);
    paths.forEach((path, index) => this.#add(path, index, (spreadMs * index) / paths.length));
    await Promise.all(this.#trades.map((trade) => this.#run(trade)));
  }

  get all(): readonly DrivenTrade[] {
    return this.#trades;
  }

  get count(): number {
    return this.#trades.length;
  }

  get done(): number {
    return this.#trades.filter(({ state }) => state === 'done').length;
  }

  get byPath(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { path } of this.#trades) counts[path.name] = (counts[path.name] ?? 0) + 1;
    return counts;
  }

  get planted(): Needle[] {
    return this.#trades.flatMap(({ story: { orderId, planted } }) =>
      Object.entries(planted ?? {}).map(([field, value]) => ({ what: `${field} of ${orderId}`, value: String(value) })),
    );
  }

  /** How the orders must stand; the platform's books say what was paid. */
  expected(trades: ReadonlyMap<string, TradeEntry>): Expected[] {
    return this.#trades.map(({ story: { orderId, tid }, path: { name, end } }) => {
      const payments: Record<string, number> = end.isPaid ? { [`${tid}-p`]: trades.get(tid)?.payment ?? NaN } : {};
      return { orderId, path: { name, end: { ...end, payments } } };
    });
  }

  /** What has not come to its end, and what is waited for. */
  get open(): { orderId: string; path: string; doing: string }[] {
    return this.#trades
      .filter(({ state }) => state === 'open')
      .map(({ story, path }) => ({ orderId: story.orderId, path: path.name, doing: story.doing }));
  }

  prove(): Proof {
    const claim = new Claim('every trade could be taken to the end of its path');
    claim.examined = this.#trades.length;
    for (const { story, path, failure } of this.#trades)
      if (failure)
        claim.problems.push(`${story.orderId} (${path.name}) while ${story.doing}: ${(failure as Error).message}`);
    return claim;
  }

  #add(path: TradePath, index: number, afterMs: number): void {
    const { cast, outside, signal } = this.#options;
    const tid = String(FIRST_TID + BigInt(index) * STEP);
    const planted = index < SEARCHED ? plant(this.#random) : null;
    const story = new TradeStory({ tid, cast, outside, planted, signal });
    this.#trades.push({ path, story, afterMs, state: 'open' });
  }

  async #run(trade: DrivenTrade): Promise<void> {
    const { signal } = this.#options;
    try {
      await sleep(trade.afterMs, undefined, { signal });
      await trade.path.run(trade.story);
      trade.state = 'done';
    } catch (error) {
      signal.throwIfAborted();
      trade.state = 'failed';
      trade.failure = error;
    }
  }
}

/** Each path at least once while there is room, the rest by their shares, in a random order. */
const choosePaths = (count: number, random: Random, only = ''): TradePath[] => {
  const chosen = TRADE_PATHS.filter(({ name }) => name.includes(only));
  const byShare = chosen.flatMap((path) => Array.from({ length: path.share }, () => path));
  if (byShare.length === 0) throw new Error(`there is no path ${only}`);
  const more = shuffled(random, Array.from({ length: Math.ceil(count / byShare.length) }, () => byShare).flat());
  return shuffled(random, [...chosen, ...more].slice(0, count));
};
