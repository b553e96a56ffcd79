import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelCapabilities } from '../../adapters/channels/capabilities.ts';
import type { ChannelClient, CreateChannelClient } from '../../adapters/channels/channel-port.ts';
import { AdapterError } from '../../domain/failures.ts';
import type { CaseStore } from '../../models/case-store.ts';
import type { ShopCursorStore } from '../../models/shop-cursor-store.ts';
import type { ShopCursor } from '../../models/shop-cursors.ts';
import type { ShopRecord, ShopStore } from '../../models/shop-records.ts';
import type { ShopTokenStore } from '../../models/shop-tokens.ts';
import type { ChannelSettings, Clock, CredentialBox, IntakeLog } from './ports.ts';

export interface ShopSession {
  shop: ShopRecord;
  can: ChannelCapabilities;
  client: ChannelClient;
}

export interface ShopSessionDeps {
  shops: Pick<ShopStore, 'byId'>;
  tokens: Pick<ShopTokenStore, 'renew'>;
  cursors: Pick<ShopCursorStore, 'ensure' | 'noteToken' | 'noteTokenDead' | 'claimRefresh' | 'endRefresh'>;
  cases: Pick<CaseStore, 'open' | 'resolve'>;
  credentials: CredentialBox;
  settings: Pick<ChannelSettings, 'capabilitiesOf' | 'statusMappingOf'>;
  createClient: CreateChannelClient;
  log: IntakeLog;
  now: Clock;
}

/** A token that ends within this is renewed before it does. */
const RENEW_AHEAD_MS = 3_600_000;
/** What could not be renewed ahead of time is not asked for again at every call. */
const AHEAD_AGAIN_AFTER_MS = 600_000;
/** Longer than a call may take; after it, whoever was renewing is taken for dead. */
const REFRESH_LEASE_MS = 60_000;
const LOOK_AGAIN_MS = 500;

const tokenCaseId = (shopId: string, revision: number): string => `${shopId}.shop_token_dead.${revision}`;

/** Shops' platforms as they can be called now: with a token that lives, not before they allow it, not when it is in vain. */
export class ShopSessions {
  readonly #deps: ShopSessionDeps;
  readonly #refreshing = new Map<string, Promise<void>>();
  /** Until when a platform wants to hear nothing of one kind of work. */
  readonly #quietUntil = new Map<string, number>();
  readonly #aheadFailedAt = new Map<string, number>();

  constructor(deps: ShopSessionDeps) {
    this.#deps = deps;
  }

  /** The shop, when its orders are collected; throws `notFound` otherwise. */
  async shop(shopId: string): Promise<{ shop: ShopRecord; can: ChannelCapabilities }> {
    const shop = await this.#deps.shops.byId(shopId);
    if (!shop) throw new AdapterError('orderhub', 'notFound', `there is no shop ${shopId}`);
    const can = this.#deps.settings.capabilitiesOf(shop.channel);
    if (!can) throw new AdapterError(shop.channel, 'notFound', `orders of ${shop.channel} are not collected`);
    return { shop, can };
  }

  /** Runs `work`, and runs it again when the token was not taken and could be renewed. */
  async run<T>(shopId: string, purpose: string, work: (session: ShopSession) => Promise<T>): Promise<T> {
    const key = `${shopId}/${purpose}`;
    this.#assertAllowed(key);
    try {
      const session = await this.#open(shopId);
      try {
        return await work(session);
      } catch (error) {
        if (!isUnauthorised(error)) throw error;
        await this.#renew(session);
      }
      const renewed = await this.#open(shopId);
      try {
        return await work(renewed);
      } catch (error) {
        if (isUnauthorised(error)) await this.#bury(renewed.shop, (error as Error).message);
        throw error;
      }
    } catch (error) {
      if (error instanceof AdapterError && error.kind === 'throttled' && error.retryAfterMs !== undefined)
        this.#quietUntil.set(key, this.#deps.now().getTime() + error.retryAfterMs);
      throw error;
    }
  }

  #assertAllowed(key: string): void {
    const waitMs = (this.#quietUntil.get(key) ?? 0) - this.#deps.now().getTime();
    if (waitMs > 0) throw new AdapterError(key, 'throttled', 'the platform has asked to wait', waitMs);
    this.#quietUntil.delete(key);
  }

  async #open(shopId: string): Promise<ShopSession> {
    const [{ shop, can }, cursor] = await Promise.all([this.shop(shopId), this.#deps.cursors.ensure(shopId)]);
    if (isDead(cursor, shop))
      throw new AdapterError(shop.channel, 'unauthorised', 'no token is taken until the credentials are renewed');
    if (cursor.tokenDeadSince) await this.#revive(shop, cursor);
    const session = await this.#sessionOf(shop, can);
    if (!this.#isDueAhead(session, cursor)) return session;
    try {
      await this.#renew(session, false);
    } catch (error) {
      // It is still taken; when it is not any more, that will be seen.
      this.#aheadFailedAt.set(shopId, this.#deps.now().getTime());
      this.#deps.log.warn('A token could not be renewed ahead of its end', { shopId, error });
      return session;
    }
    return this.#sessionOf((await this.shop(shopId)).shop, can);
  }

  async #sessionOf(shop: ShopRecord, can: ChannelCapabilities): Promise<ShopSession> {
    const { shopId, channel, currency, baseUrl } = shop;
    const statusMapping = await this.#deps.settings.statusMappingOf(channel);
    const credentials = this.#deps.credentials.open(shop);
    const client = this.#deps.createClient({ shopId, channel, currency, baseUrl, credentials }, { statusMapping });
    return { shop, can, client };
  }

  #isDueAhead({ shop, can }: ShopSession, cursor: ShopCursor): boolean {
    if (!can.refreshesToken || !cursor.tokenExpiresAt) return false;
    const now = this.#deps.now().getTime();
    const failedAt = this.#aheadFailedAt.get(shop.shopId) ?? -Infinity;
    return cursor.tokenExpiresAt.getTime() - now < RENEW_AHEAD_MS && now - failedAt > AHEAD_AGAIN_AFTER_MS;
  }

  /** One at a time per shop; whoever comes meanwhile gets the same token. */
  async #renew(session: ShopSession, isNeeded = true): Promise<void> {
    const { shopId } = session.shop;
    const underWay = this.#refreshing.get(shopId);
    if (underWay) return underWay;
    const renewing = this.#renewAlone(session, isNeeded).finally(() => this.#refreshing.delete(shopId));
    this.#refreshing.set(shopId, renewing);
    return renewing;
  }

  /** Also among processes: a refresh token is often good for one use only. */
  async #renewAlone({ shop, can, client }: ShopSession, isNeeded: boolean): Promise<void> {
    const { cursors, now } = this.#deps;
    const { shopId } = shop;
    const giveUpAt = now().getTime() + REFRESH_LEASE_MS;
    while (!(await cursors.claimRefresh(shopId, now(), new Date(now().getTime() + REFRESH_LEASE_MS)))) {
      if (now().getTime() > giveUpAt) throw new AdapterError(shop.channel, 'unavailable', 'the token is being renewed');
      await sleep(LOOK_AGAIN_MS);
    }
    try {
      const current = await this.#deps.shops.byId(shopId);
      if (current?.credentialsSealed !== shop.credentialsSealed) return;
      if (!can.refreshesToken) throw new AdapterError(shop.channel, 'unauthorised', 'the token is not taken');
      await this.#refresh(shop, client);
    } catch (error) {
      if (isNeeded && isUnauthorised(error)) await this.#bury(shop, (error as Error).message);
      throw error;
    } finally {
      await cursors.endRefresh(shopId);
    }
  }

  async #refresh(shop: ShopRecord, client: ChannelClient): Promise<void> {
    const { credentials, tokens, cursors, log } = this.#deps;
    const { shopId } = shop;
    const renewed = await client.refreshToken();
    const sealed = credentials.seal(shopId, { ...credentials.open(shop), ...renewed.credentials });
    // When people have changed the shop meanwhile, theirs are the newer credentials.
    if (await tokens.renew(shop, sealed)) {
      await cursors.noteToken(shopId, renewed.expiresAt === undefined ? null : new Date(renewed.expiresAt));
      this.#aheadFailedAt.delete(shopId);
      log.info('The token of a shop was renewed', { shopId, expiresAt: renewed.expiresAt });
    }
  }

  /** From now on the platform is left alone, until somebody changes the shop. */
  async #bury({ shopId, revision, channel }: ShopRecord, why: string): Promise<void> {
    const { cases, cursors, log, now } = this.#deps;
    await cursors.noteTokenDead(shopId, revision, now());
    const detail = `${channel} takes no token of the shop: ${why}`.slice(0, 300);
    await cases.open({
      caseId: tokenCaseId(shopId, revision),
      code: 'shop_token_dead',
      orderId: null,
      shopId,
      detail,
    });
    log.error('The token of a shop is dead', { shopId, channel });
  }

  async #revive({ shopId }: ShopRecord, cursor: ShopCursor): Promise<void> {
    await this.#deps.cursors.noteToken(shopId, null);
    const caseId = tokenCaseId(shopId, cursor.tokenDeadRevision ?? 0);
    await this.#deps.cases.resolve(caseId, { resolvedBy: 'orderhub', note: 'the shop was changed' });
  }
}

const isUnauthorised = (error: unknown): boolean => error instanceof AdapterError && error.kind === 'unauthorised';

const isDead = (cursor: ShopCursor, { revision }: ShopRecord): boolean =>
  cursor.tokenDeadSince !== null && (cursor.tokenDeadRevision ?? revision) >= revision;
