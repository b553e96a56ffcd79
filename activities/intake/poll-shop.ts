import type { TimeWindow } from '../../adapters/channels/channel-port.ts';
import { windowsOf } from '../../domain/time-windows.ts';
import type { Channel } from '../../domain/order-model.ts';
import type { ShopCursorStore } from '../../models/shop-cursor-store.ts';
import type { ChannelSettings, Clock, IntakeLog, IntakeMetrics } from './ports.ts';
import type { ShopSessions } from './shop-sessions.ts';

export interface PollDeps {
  sessions: Pick<ShopSessions, 'shop'>;
  cursors: Pick<
    ShopCursorStore,
    'ensure' | 'notePoll' | 'advance' | 'succeed' | 'noteFailure' | 'countFailure' | 'claimAlert'
  >;
  settings: Pick<ChannelSettings, 'failingAlertMs'>;
  metrics: IntakeMetrics;
  log: IntakeLog;
  now: Clock;
}

export interface PollPlan {
  channel: Channel;
  /** Oldest first; the rest is planned when these are done. */
  windows: TimeWindow[];
  isLast: boolean;
}

export interface FinishPollInput {
  shopId: string;
  /** Everything before it is collected. */
  collectedTo: string;
  /** Nothing is left to be collected for now. */
  isLast: boolean;
}

export interface FailPollInput {
  shopId: string;
  /** The poll's run: its failure counts once. */
  pollId: string;
  error: string;
  /** Everything before it is collected, although not all that was planned. */
  collectedTo: string | null;
}

/** A new shop's orders are collected from so long ago; what is older is a backfill. */
const FIRST_LOOK_BACK_MS = 86_400_000;
const MOST_WINDOWS = 24;

/** How far shops are collected, and how it goes. */
export class ShopPolls {
  readonly #deps: PollDeps;

  constructor(deps: PollDeps) {
    this.#deps = deps;
  }

  async plan(shopId: string): Promise<PollPlan> {
    const { sessions, cursors, now } = this.#deps;
    const { shop, can } = await sessions.shop(shopId);
    const { watermark, pausedAt } = await cursors.ensure(shopId);
    // The schedule may not know of the pause yet, and a long catching up stops between its parts.
    if (pausedAt) return { channel: shop.channel, windows: [], isLast: true };
    const at = now();
    await cursors.notePoll(shopId, at);
    const from = watermark
      ? watermark.getTime() - shop.polling.overlapSec * 1000
      : at.getTime() - can.lagMs - FIRST_LOOK_BACK_MS;
    const span = { from: new Date(from).toISOString(), to: new Date(at.getTime() - can.lagMs).toISOString() };
    const windows = windowsOf(span, can.windowMs, MOST_WINDOWS);
    return { channel: shop.channel, windows, isLast: (windows.at(-1)?.to ?? span.to) === span.to };
  }

  async finish({ shopId, collectedTo, isLast }: FinishPollInput): Promise<void> {
    const { cursors, log, now } = this.#deps;
    await cursors.advance(shopId, new Date(collectedTo));
    if (!isLast) return;
    const before = await cursors.succeed(shopId, now());
    if (before?.failingSince) log.info('A shop is collected again', { shopId, failedSince: before.failingSince });
  }

  async fail({ shopId, pollId, error, collectedTo }: FailPollInput): Promise<void> {
    const { cursors } = this.#deps;
    if (collectedTo !== null) await cursors.advance(shopId, new Date(collectedTo));
    await cursors.countFailure(shopId, pollId);
    const { failingSince } = await cursors.ensure(shopId);
    if (!failingSince) await cursors.noteFailure(shopId, { at: this.#deps.now(), error });
    await this.#alertWhenDue(shopId);
  }

  /** A single try has failed; it is tried again. */
  async noteFailure(shopId: string, error: string): Promise<void> {
    await this.#deps.cursors.noteFailure(shopId, { at: this.#deps.now(), error });
    await this.#alertWhenDue(shopId);
  }

  /** Once for each time that a shop fails for long, in whichever process. */
  async #alertWhenDue(shopId: string): Promise<void> {
    const { cursors, settings, metrics, log, now, sessions } = this.#deps;
    const since = new Date(now().getTime() - (await settings.failingAlertMs()));
    if (!(await cursors.claimAlert(shopId, since, now()))) return;
    const { failingSince, lastError } = await cursors.ensure(shopId);
    const channel = await sessions.shop(shopId).then(
      ({ shop }) => shop.channel,
      () => 'unknown',
    );
    metrics.shopAlert(channel);
    log.error('A shop cannot be collected', { shopId, channel, failingSince, lastError });
  }
}
