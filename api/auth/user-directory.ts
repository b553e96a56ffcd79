import type { ApiKeyRecord, ApiKeyStore } from '../../models/api-keys.ts';
import type { SessionStore } from '../../models/refresh-tokens.ts';
import type { UserRecord, UserStore } from '../../models/users.ts';
import { ROLES, abilityOf } from './policy.ts';
import type { AppAbility, Principal, Role } from './policy.ts';
import { TtlCache } from './ttl-cache.ts';

/** What a request is checked against: the caller and their rules, made once per load. */
export interface Identity {
  readonly principal: Principal;
  readonly ability: AppAbility;
}

export type KnownUser =
  { readonly state: 'active'; readonly identity: Identity } | { readonly state: 'disabled' | 'unknown' };

/** Less than the five seconds after which a change of roles must count everywhere. */
const TTL_MS = 3000;
const MAX_CACHED = 5000;

/** Users, sessions and API keys as requests need them: read at most every three seconds, at once after a change of ours. */
export class UserDirectory {
  readonly #users: TtlCache<KnownUser>;
  readonly #sessions: TtlCache<boolean>;
  readonly #apiKeys: TtlCache<{ key: ApiKeyRecord; identity: Identity } | null>;

  constructor(stores: { users: UserStore; sessions: SessionStore; apiKeys: ApiKeyStore }) {
    this.#users = new TtlCache(async (username) => toKnownUser(await stores.users.find(username)), TTL_MS, MAX_CACHED);
    this.#sessions = new TtlCache(
      async (sid) => {
        const session = await stores.sessions.find(sid);
        return session !== null && session.revokedAt === null && session.expiresAt.getTime() > Date.now();
      },
      TTL_MS,
      MAX_CACHED,
    );
    this.#apiKeys = new TtlCache(
      async (keyId) => {
        const key = await stores.apiKeys.find(keyId);
        return key && { key, identity: identityOf(principalOfKey(key)) };
      },
      TTL_MS,
      MAX_CACHED,
    );
  }

  user(username: string): Promise<KnownUser> {
    return this.#users.get(username.toLowerCase());
  }

  isSessionOpen(sid: string): Promise<boolean> {
    return this.#sessions.get(sid);
  }

  apiKey(keyId: string): Promise<{ key: ApiKeyRecord; identity: Identity } | null> {
    return this.#apiKeys.get(keyId);
  }

  forgetUser(username: string): void {
    this.#users.delete(username.toLowerCase());
  }

  forgetSession(sid: string): void {
    this.#sessions.delete(sid);
  }

  forgetApiKey(keyId: string): void {
    this.#apiKeys.delete(keyId);
  }
}

const identityOf = (principal: Principal): Identity => ({ principal, ability: abilityOf(principal) });

const toKnownUser = (user: UserRecord | null): KnownUser => {
  if (!user) return { state: 'unknown' };
  return user.disabled ? { state: 'disabled' } : { state: 'active', identity: identityOf(principalOf(user)) };
};

export const principalOf = (user: UserRecord): Principal => ({
  kind: 'user',
  id: user.username,
  name: user.displayName,
  roles: knownRoles(user.roles),
  ...(user.shopIds ? { shopIds: user.shopIds } : {}),
});

const principalOfKey = (key: ApiKeyRecord): Principal => ({
  kind: 'service',
  id: key._id,
  name: key.name,
  roles: knownRoles(key.roles),
  ...(key.shopIds ? { shopIds: key.shopIds } : {}),
});

const knownRoles = (roles: readonly string[]): Role[] => ROLES.filter((role) => roles.includes(role));
