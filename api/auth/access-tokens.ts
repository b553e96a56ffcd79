import { createHash } from 'node:crypto';
import { SignJWT, errors, exportJWK, jwtVerify } from 'jose';
import type { JWK, JWTPayload } from 'jose';
import { Problem } from '../errors.ts';
import type { Keyring } from '../../runtime/keyring.ts';

export const TOKEN_ISSUER = 'orderhub';

/** What a token is good for: the API, or only the codec endpoint. */
export type Audience = 'orderhub-api' | 'orderhub-codec';

export interface AccessClaims {
  readonly username: string;
  /** The session; when it is revoked, the token is worthless. */
  readonly sid: string;
  readonly expiresAtMs: number;
}

const MAX_CACHED = 10_000;

/** Short-lived EdDSA tokens. Roles are not in them: those are read from the user, so that a change counts at once. */
export class AccessTokens {
  readonly ttlSec: number;
  readonly #keyring: Keyring;
  /** Checking a signature costs more than the rest of a request's handling, so a good token is checked once. */
  readonly #verified = new Map<string, AccessClaims>();

  constructor(keyring: Keyring, ttlSec: number) {
    this.#keyring = keyring;
    this.ttlSec = ttlSec;
  }

  async issue(
    username: string,
    sid: string,
    audience: Audience = 'orderhub-api',
    ttlSec = this.ttlSec,
  ): Promise<string> {
    const key = this.#keyring.current('token');
    return new SignJWT({ sid })
      .setProtectedHeader({ alg: 'EdDSA', kid: key.id, typ: 'at+jwt' })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(audience)
      .setSubject(username)
      .setIssuedAt()
      .setExpirationTime(`${ttlSec}s`)
      .sign(key.privateKey);
  }

  /** Throws 401 for anything but a token of ours, unexpired and for this audience. */
  async verify(token: string, audience: Audience = 'orderhub-api'): Promise<AccessClaims> {
    const cacheKey = createHash('sha256').update(audience).update(token).digest('base64');
    const known = this.#verified.get(cacheKey);
    if (known) {
      if (known.expiresAtMs > Date.now()) return known;
      this.#verified.delete(cacheKey);
    }
    const claims = claimsOf(await this.#check(token, audience));
    this.#verified.set(cacheKey, claims);
    if (this.#verified.size > MAX_CACHED) {
      const oldest = this.#verified.keys().next();
      if (!oldest.done) this.#verified.delete(oldest.value);
    }
    return claims;
  }

  /** The public keys, the current one and those before, as a JWK set. */
  async jwks(): Promise<{ keys: JWK[] }> {
    const keys = this.#keyring.all('token').map(async ({ id, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid: id,
      alg: 'EdDSA',
      use: 'sig',
    }));
    return { keys: await Promise.all(keys) };
  }

  async #check(token: string, audience: Audience): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#publicKey(kid), {
        algorithms: ['EdDSA'],
        issuer: TOKEN_ISSUER,
        audience,
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub', 'sid'],
      });
      return payload;
    } catch (error) {
      const isExpired = error instanceof errors.JWTExpired;
      throw new Problem('unauthenticated', {
        detail: isExpired ? 'The access token has expired' : 'The access token is not valid',
      });
    }
  }

  #publicKey(kid: string | undefined) {
    const key = kid === undefined ? undefined : this.#keyring.find('token', kid);
    if (!key) throw new Error('unknown key');
    return key.publicKey;
  }
}

const claimsOf = ({ sub, exp, ...rest }: JWTPayload): AccessClaims => ({
  username: sub ?? '',
  sid: String(rest['sid']),
  expiresAtMs: (exp ?? 0) * 1000,
});
