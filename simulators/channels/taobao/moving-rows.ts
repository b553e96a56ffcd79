import type { Platform } from './platform.ts';
import type { Trade } from './trade.ts';

/** Trades that somebody touches while others page through them. */
export interface Movement {
  /** How many trades at a time. */
  count: number;
  /** By the clock. */
  everyMs?: number | undefined;
  /** After each page of changed trades that is served. */
  isPerPage?: boolean | undefined;
}

/** Touches trades at random: each leaves the window that somebody pages through and turns up in a later one. */
export class MovingRows {
  readonly #platform: Platform;
  #movement: Movement | undefined;
  #timer: NodeJS.Timeout | undefined;
  #touched = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  get touched(): number {
    return this.#touched;
  }

  start(movement: Movement): void {
    this.stop();
    this.#movement = movement;
    if (movement.everyMs === undefined) return;
    this.#timer = setInterval(() => this.touch(movement.count), movement.everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#movement = undefined;
  }

  pageServed(): void {
    if (this.#movement?.isPerPage) this.touch(this.#movement.count);
  }

  /** Another flag of the seller's: nothing that an order is made of. Returns the ids of the trades. */
  touch(count: number, tids?: readonly string[]): string[] {
    const touched = tids ?? pickSome([...this.#platform.trades.all()], count).map(({ tid }) => tid);
    for (const tid of touched)
      this.#platform.change(tid, ({ flag }) => ({
        patch: { flag: (flag + 1) % 6 },
        topics: ['taobao_trade_TradeMemoModified'],
      }));
    this.#touched += touched.length;
    return [...touched];
  }
}

const pickSome = (trades: readonly Trade[], count: number): Trade[] =>
  Array.from(
    { length: Math.min(count, trades.length) },
    () => trades[Math.floor(Math.random() * trades.length)] as Trade,
  );
