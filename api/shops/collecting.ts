import type { Connection } from 'mongoose';
import { BackfillDesk } from '../../models/backfill-desk.ts';
import { CaseDesk } from '../../models/case-desk.ts';
import { shopEntity, ShopStore, type ShopRecord } from '../../models/shop-records.ts';
import { isTokenDead, ShopSyncStore } from '../../models/shop-sync-store.ts';
import { pollScheduleId } from '../../workflows/channel-contract.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import type { RouteContext } from '../route.ts';
import { BackfillClient } from './backfill-client.ts';
import { ShopSchedules } from './shop-schedules.ts';

export type CollectingDeps = Pick<ApiDeps, 'connection' | 'temporal' | 'audit' | 'logger'>;
type Caller = Pick<RouteContext, 'actor' | 'from'>;

const MOST_CASES = 50;

/** What the routes that steer collecting share with the sweep behind them. */
export class Collecting {
  readonly shops: ShopStore;
  readonly sync: ShopSyncStore;
  readonly backfills: BackfillDesk;
  readonly schedules: ShopSchedules;
  readonly backfillClient: BackfillClient;
  readonly #cases: CaseDesk;
  readonly #deps: CollectingDeps;
  /** One at a time per shop: two that overlap could leave the older record's schedules. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: CollectingDeps) {
    const { connection, temporal } = deps;
    this.#deps = deps;
    this.shops = new ShopStore(connection);
    this.sync = new ShopSyncStore(connection);
    this.backfills = new BackfillDesk(connection);
    this.schedules = new ShopSchedules(temporal);
    this.backfillClient = new BackfillClient(temporal);
    this.#cases = new CaseDesk(connection);
  }

  /** Makes the shop's schedules as its record, read now, says. */
  async schedule(shopId: string): Promise<void> {
    const turn = (this.#turns.get(shopId) ?? Promise.resolve()).then(async () => {
      const shop = await this.shops.byId(shopId);
      if (shop) await this.schedules.apply(shop, (await this.sync.cursor(shopId)).pausedAt !== null);
    });
    const settled = turn.catch(() => undefined);
    this.#turns.set(shopId, settled);
    void settled.then(() => this.#turns.get(shopId) === settled && this.#turns.delete(shopId));
    return turn;
  }

  /** Polls now, or as soon as the poll under way is done. Refused while paused and while the platform takes no token. */
  async poll({ shopId, revision }: ShopRecord): Promise<void> {
    const cursor = await this.sync.cursor(shopId);
    if (cursor.pausedAt) throw notWhilePaused('poll');
    if (isTokenDead(cursor, revision))
      throw new Problem('action_not_allowed', {
        detail: "The platform takes no token of the shop any more: renew the shop's credentials first",
        allowedActions: ['pause'],
      });
    if (await this.schedules.trigger(pollScheduleId(shopId))) return;
    await this.schedule(shopId);
    if (!(await this.schedules.trigger(pollScheduleId(shopId))))
      throw new Problem('unavailable', { detail: "The shop's schedule is not there yet" });
  }

  /** The platform says that something has changed: the next poll comes at once, unless the shop is not collected now. */
  async hintReceived({ shopId }: ShopRecord): Promise<void> {
    if ((await this.sync.cursor(shopId)).pausedAt === null) await this.schedules.trigger(pollScheduleId(shopId));
  }

  /** Stops or resumes what collects the shop's orders; again changes nothing. Temporal may be away: the sweep tells it. */
  async setPaused({ shopId }: ShopRecord, isPaused: boolean, { actor, from }: Caller): Promise<void> {
    await this.sync.ensure(shopId);
    await this.#deps.audit.record(shopEntity(shopId), async (session) => {
      const { pausedAt } = await this.sync.cursor(shopId, session);
      if ((pausedAt !== null) === isPaused) return { draft: null, result: undefined };
      const at = new Date();
      await this.sync.setPaused(shopId, isPaused ? at : null, session);
      const action = isPaused ? 'shop.paused' : 'shop.resumed';
      const change = { before: { paused: !isPaused }, after: { paused: isPaused } };
      return { draft: { at, actor, from, action, ...change }, result: undefined };
    });
    await this.#orLater('A shop could not be paused or resumed at once', shopId, async () => {
      await this.schedule(shopId);
      await this.tellBackfills(shopId, isPaused);
    });
  }

  /** Tells the shop's backfills that do not know yet. */
  async tellBackfills(shopId: string, isPaused: boolean): Promise<void> {
    for (const backfillId of await this.backfills.idsIn(shopId, isPaused ? 'running' : 'paused'))
      await this.backfillClient.tellPaused(shopId, backfillId, isPaused);
  }

  /** After a shop was written: nothing in here fails the write. */
  async shopWritten(shop: ShopRecord, { isTokenRevived }: { isTokenRevived: boolean }, caller: Caller): Promise<void> {
    const { shopId } = shop;
    await this.#orLater('The case of a dead token could not be closed', shopId, () => this.#closeCases(shop, caller));
    await this.#orLater("A shop's schedules could not be made at once", shopId, async () => {
      await this.schedule(shopId);
      const isRunning = shop.polling.enabled && (await this.sync.cursor(shopId)).pausedAt === null;
      if (isTokenRevived && isRunning) await this.schedules.trigger(pollScheduleId(shopId));
    });
  }

  async #closeCases(shop: ShopRecord, { actor, from }: Caller): Promise<void> {
    const { shopId, revision } = shop;
    const filter = { state: 'open', code: 'shop_token_dead', shopId, scope: {}, limit: MOST_CASES } as const;
    const open = await this.#cases.list(filter);
    if (open.length === 0 || isTokenDead(await this.sync.cursor(shopId), revision)) return;
    for (const { _id: caseId } of open)
      await this.#deps.audit.record(`case/${caseId}`, async (session) => {
        const current = await this.#cases.byId(caseId, session);
        if (current?.state !== 'open') return { draft: null, result: undefined };
        const at = new Date();
        const note = 'The shop was written again: its token is tried once more';
        await this.#cases.settle(current, { resolvedBy: actor.id, note, at }, session);
        const change = { before: { state: 'open' }, after: { state: 'resolved', note } };
        return { draft: { at, actor, from, action: 'case.resolved', ...change }, result: undefined };
      });
  }

  async #orLater(message: string, shopId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.logger.warn(message, { shopId, error });
    }
  }
}

export const notWhilePaused = (action: string): Problem =>
  new Problem('action_not_allowed', {
    detail: `The shop is paused: resume it before the ${action}`,
    allowedActions: ['resume'],
  });

const known = new WeakMap<Connection, Collecting>();

/** The one of a process. The first call registers its models on the connection, so it comes before the indexes are made. */
export const collectingOf = (deps: CollectingDeps): Collecting => {
  let collecting = known.get(deps.connection);
  if (!collecting) known.set(deps.connection, (collecting = new Collecting(deps)));
  return collecting;
};
