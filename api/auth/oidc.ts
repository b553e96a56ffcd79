import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { Problem } from '../errors.ts';
import { userEntity } from '../../models/users.ts';
import type { AuditFrom, AuditLog } from '../../models/audit-log.ts';
import type { UserRecord, UserStore } from '../../models/users.ts';
import type { ApiSettings } from '../deps.ts';
import { usernameSchema } from '../schemas.ts';
import { ROLES } from './policy.ts';
import { TtlCache } from './ttl-cache.ts';
import type { UserDirectory } from './user-directory.ts';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const CHECK_AGAIN_MS = 30_000;

interface OidcParts {
  users: UserStore;
  audit: AuditLog;
  directory: UserDirectory;
}

/**
 * Tokens of an external OpenID Connect issuer. Who signs in there becomes a user here, with the roles that the token's
 * claim names; only a user of that source, so that nobody takes a local name over.
 */
export class OidcVerifier {
  readonly #settings: NonNullable<ApiSettings['oidc']>;
  readonly #parts: OidcParts;
  #keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;
  readonly #verified: TtlCache<JWTPayload>;

  constructor(settings: NonNullable<ApiSettings['oidc']>, parts: OidcParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#verified = new TtlCache((token) => this.#check(token), CHECK_AGAIN_MS, 10_000);
  }

  /** Whether the token names this issuer; nothing is verified yet. */
  isOurs(token: string): boolean {
    try {
      return decodeJwt(token).iss === this.#settings.issuer;
    } catch {
      return false;
    }
  }

  /** Returns the user name; throws 401. */
  async verify(token: string, from: AuditFrom): Promise<string> {
    const claims = await this.#verified.get(token);
    if ((claims.exp ?? 0) * 1000 <= Date.now())
      throw new Problem('unauthenticated', { detail: 'The token has expired' });
    const username = usernameSchema.safeParse(claims['preferred_username'] ?? claims.sub);
    if (!username.success) throw new Problem('unauthenticated', { detail: 'The token names no usable user name' });
    await this.#keepUser(username.data, claims, from);
    return username.data;
  }

  async #check(token: string): Promise<JWTPayload> {
    try {
      const { issuer, audience } = this.#settings;
      const options = { issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'], clockTolerance: 5 };
      return (await jwtVerify(token, await this.#keySet(), options)).payload;
    } catch (error) {
      if (isOutage(error))
        throw new Problem('unavailable', { detail: 'The sign-in service does not answer', cause: error });
      throw new Problem('unauthenticated', { detail: 'The token is not valid' });
    }
  }

  /** Asked for when the first token comes, and again after a failure. */
  #keySet() {
    const keys = (this.#keys ??= findKeys(this.#settings));
    keys.catch(() => {
      if (this.#keys === keys) this.#keys = undefined;
    });
    return keys;
  }

  async #keepUser(username: string, claims: JWTPayload, from: AuditFrom): Promise<void> {
    const { users, audit, directory } = this.#parts;
    const roles = rolesOf(memberAt(claims, this.#settings.rolesClaim));
    const known = await directory.user(username);
    if (known.state === 'disabled') return;
    if (known.state === 'active' && known.identity.principal.roles.join() === roles.join()) return;
    const actor = { kind: 'system', id: 'oidc' } as const;
    const entity = userEntity(username);
    await audit.record(entity, async (session) => {
      const now = new Date();
      const user = await users.find(username, session);
      if (user && user.source !== 'oidc')
        throw new Problem('unauthenticated', { detail: 'A local user has that name' });
      if (user && user.roles.join() === roles.join()) return { draft: null, result: undefined };
      const next = user
        ? await users.update(user, { roles }, now, session)
        : await users.insert(newUser(username, claims, roles, now), session);
      const action = user ? 'user.updated' : 'user.created';
      return {
        draft: { at: now, actor, from, action, before: user && { roles: user.roles }, after: { roles: next?.roles } },
        result: undefined,
      };
    });
    directory.forgetUser(username);
  }
}

class IssuerUnavailable extends Error {}

const isOutage = (error: unknown): boolean =>
  error instanceof IssuerUnavailable ||
  error instanceof TypeError ||
  (error as { code?: string }).code === 'ERR_JWKS_TIMEOUT';

async function findKeys({ issuer, jwksUri }: NonNullable<ApiSettings['oidc']>) {
  if (jwksUri !== undefined) return createRemoteJWKSet(new URL(jwksUri));
  try {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const found = (await response.json()) as { issuer?: string; jwks_uri?: string };
    if (found.issuer !== issuer || found.jwks_uri === undefined)
      throw new Error('the issuer describes itself otherwise');
    return createRemoteJWKSet(new URL(found.jwks_uri));
  } catch (error) {
    throw new IssuerUnavailable('The external issuer cannot be asked for its keys', { cause: error });
  }
}

/** The claim may be nested, as in `realm_access.roles`; a name with dots of its own goes first. */
function memberAt(claims: JWTPayload, path: string): unknown {
  if (path in claims) return claims[path];
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      claims,
    );
}

/** The claim is a list or words separated by spaces; what is no role of ours is left out. */
function rolesOf(claim: unknown): string[] {
  const words = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(/[\s,]+/) : [];
  return ROLES.filter((role) => words.includes(role));
}

const newUser = (username: string, claims: JWTPayload, roles: string[], now: Date): Omit<UserRecord, '_id'> => ({
  username,
  displayName: typeof claims['name'] === 'string' ? claims['name'].slice(0, 100) : username,
  passwordHash: null,
  roles,
  shopIds: null,
  disabled: false,
  source: 'oidc',
  revision: 1,
  createdAt: now,
  updatedAt: now,
});
