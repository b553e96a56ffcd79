import { randomBytes } from 'node:crypto';

export interface AppOptions {
  appKey: string;
  appSecret: string;
  sellers: SellerOptions[];
}

export interface SellerOptions {
  nick: string;
  sessionKey: string;
  refreshToken?: string | undefined;
  /** From the start on; without it the session does not end by itself. */
  expiresInSec?: number | undefined;
  /** Whose messages are read under this group only; without it, under any. */
  groupName?: string | undefined;
}

/** What changes of a seller's access and must outlive a restart. */
export interface Access {
  nick: string;
  sessionKey: string;
  expiresAt: number | null;
  refreshToken: string | null;
  /** Taken as well until the new session was used: the answer that carried it may have been lost. */
  lastRefreshToken: string | null;
  /** Topics that are sent; null before messages were permitted. */
  topics: string[] | 'all' | null;
}

export interface Seller extends Access {
  app: AppOptions;
  userId: string;
  groupName: string | undefined;
}

const REFRESHED_FOR_SEC = 86_400;

/** Apps, the sellers that have given them access, and the sessions by which they call. */
export class Accounts {
  readonly #apps: ReadonlyMap<string, AppOptions>;
  readonly #sellers: Seller[];

  constructor(apps: readonly AppOptions[], now: number) {
    this.#apps = new Map(apps.map((app) => [app.appKey, app]));
    this.#sellers = apps.flatMap((app) => app.sellers.map((seller) => newSeller(app, seller, now)));
    this.#sellers.forEach((seller, index) => (seller.userId = String(2_200_000_000_001 + index)));
  }

  app(appKey: string): AppOptions | undefined {
    return this.#apps.get(appKey);
  }

  sellers(): readonly Seller[] {
    return this.#sellers;
  }

  byNick(nick: string): Seller | undefined {
    return this.#sellers.find((seller) => seller.nick === nick);
  }

  bySession(app: AppOptions, sessionKey: string): Seller | undefined {
    return this.#sellers.find((seller) => seller.app === app && seller.sessionKey === sessionKey);
  }

  /** Sellers of the app whose messages are read under this group. */
  inGroup(app: AppOptions, groupName: string): Seller[] {
    return this.#sellers.filter(
      (seller) => seller.app === app && (seller.groupName === undefined || seller.groupName === groupName),
    );
  }

  /** What the seller's access becomes by a refresh; undefined for a token that is not or no longer taken. */
  refreshed(app: AppOptions, refreshToken: string, now: number): Access | undefined {
    const seller = this.#sellers.find(
      ({ app: own, refreshToken: token, lastRefreshToken: last }) =>
        own === app && (token === refreshToken || last === refreshToken),
    );
    if (!seller) return undefined;
    return {
      ...accessOf(seller),
      sessionKey: `6${randomBytes(24).toString('hex')}`,
      expiresAt: now + REFRESHED_FOR_SEC * 1000,
      refreshToken: `6${randomBytes(24).toString('hex')}`,
      lastRefreshToken: refreshToken,
    };
  }

  set(access: Access): void {
    const seller = this.byNick(access.nick);
    if (seller) Object.assign(seller, access);
  }
}

export const accessOf = (seller: Access): Access => {
  const { nick, sessionKey, expiresAt, refreshToken, lastRefreshToken, topics } = seller;
  return { nick, sessionKey, expiresAt, refreshToken, lastRefreshToken, topics };
};

const newSeller = (app: AppOptions, options: SellerOptions, now: number): Seller => ({
  app,
  userId: '',
  nick: options.nick,
  groupName: options.groupName,
  sessionKey: options.sessionKey,
  refreshToken: options.refreshToken ?? null,
  lastRefreshToken: null,
  expiresAt: options.expiresInSec === undefined ? null : now + options.expiresInSec * 1000,
  topics: null,
});
