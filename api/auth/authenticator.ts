import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from '../errors.ts';
import type { AuditFrom } from '../../models/audit-log.ts';
import type { AccessTokens, Audience } from './access-tokens.ts';
import { parseApiKey } from './api-key-format.ts';
import type { OidcVerifier } from './oidc.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { Identity, UserDirectory } from './user-directory.ts';

interface AuthenticatorParts {
  tokens: AccessTokens;
  directory: UserDirectory;
  refusals: RefusalLog;
  oidc: OidcVerifier | undefined;
}

/** Who a bearer credential belongs to: a token of ours, of the external issuer, or a key of a service. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /** Throws 401. */
  async identify(credential: string, from: AuditFrom): Promise<Identity & { sid?: string }> {
    const apiKey = parseApiKey(credential);
    if (apiKey) return this.#byApiKey(apiKey, from);
    const { oidc } = this.#parts;
    if (oidc?.isOurs(credential)) return this.#active(await oidc.verify(credential, from), from);
    return this.byToken(credential, from, 'orderhub-api');
  }

  async byToken(token: string, from: AuditFrom, audience: Audience): Promise<Identity & { sid: string }> {
    const { tokens, directory } = this.#parts;
    const { username, sid } = await tokens.verify(token, audience);
    if (!(await directory.isSessionOpen(sid)))
      throw new Problem('unauthenticated', { detail: 'The session has ended' });
    return { ...(await this.#active(username, from)), sid };
  }

  async #active(username: string, from: AuditFrom): Promise<Identity> {
    const { directory, refusals } = this.#parts;
    const user = await directory.user(username);
    if (user.state === 'active') return user.identity;
    if (user.state === 'disabled')
      await refusals.record({ kind: 'user', id: username }, from, 'auth.refused', { reason: 'disabled' });
    throw new Problem('unauthenticated', { detail: 'The user is disabled or gone' });
  }

  async #byApiKey({ keyId, secret }: { keyId: string; secret: string }, from: AuditFrom): Promise<Identity> {
    const { directory, refusals } = this.#parts;
    const known = await directory.apiKey(keyId);
    const hash = createHash('sha256').update(secret).digest('base64url');
    if (!known || !timingSafeEqual(Buffer.from(hash), Buffer.from(known.key.secretHash)))
      throw new Problem('unauthenticated', { detail: 'The API key is not valid' });
    const { key, identity } = known;
    const reason = key.revokedAt !== null ? 'revoked' : isPast(key.expiresAt) ? 'expired' : undefined;
    if (reason === undefined) return identity;
    await refusals.record({ kind: 'service', id: keyId, name: key.name }, from, 'auth.refused', { reason });
    throw new Problem('unauthenticated', { detail: `The API key is ${reason}` });
  }
}

const isPast = (time: Date | null): boolean => time !== null && time.getTime() <= Date.now();
