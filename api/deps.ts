import type { Client } from '@temporalio/client';
import type { Connection } from 'mongoose';
import { CONFIG_DEFAULTS } from '../config/documents.ts';
import type { ConfigContents } from '../config/documents.ts';
import { ApiKeyStore } from '../models/api-keys.ts';
import { AuditLog } from '../models/audit-log.ts';
import { ConfigVersions } from '../models/config-versions.ts';
import { IdempotencyStore } from '../models/idempotency.ts';
import { NoticeStore } from '../models/notices.ts';
import { SessionStore } from '../models/refresh-tokens.ts';
import { UserStore } from '../models/users.ts';
import type { Keyring } from '../runtime/keyring.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { EncryptionCodec } from '../runtime/payload-codec.ts';
import { Sealer } from '../runtime/sealing.ts';
import { AccessTokens } from './auth/access-tokens.ts';
import { Authenticator } from './auth/authenticator.ts';
import { OidcVerifier } from './auth/oidc.ts';
import { Passwords } from './auth/passwords.ts';
import { RefusalLog } from './auth/refusal-log.ts';
import { UserDirectory } from './auth/user-directory.ts';
import { Readiness } from './readiness.ts';
import type { ReadinessCheck } from './readiness.ts';

export interface ApiSettings {
  /** Where callers reach the API; absent: as it listens. */
  readonly publicUrl?: string | undefined;
  /** Where the Temporal UI's pages come from: they alone may call the codec endpoint from a browser. */
  readonly uiOrigins: readonly string[];
  readonly trustProxy?: string | undefined;
  /** Whether base and callback URLs may be on loopback or private addresses. */
  readonly allowPrivateUrls: boolean;
  readonly metricsToken?: string | undefined;
  readonly accessTtlSec: number;
  readonly refreshTtlSec: number;
  readonly oidc?:
    | {
        readonly issuer: string;
        readonly audience: string;
        readonly jwksUri?: string | undefined;
        readonly rolesClaim: string;
      }
    | undefined;
  /** Requests a minute of one principal, of one address that is not signed in, and sign-ins of one address. */
  readonly limits: { readonly perPrincipal: number; readonly perAddress: number; readonly logins: number };
}

export const DEFAULT_SETTINGS: ApiSettings = {
  uiOrigins: [],
  allowPrivateUrls: false,
  accessTtlSec: 900,
  refreshTtlSec: 14 * 86_400,
  limits: { perPrincipal: 60_000, perAddress: 6000, logins: 300 },
};

/** What the composition root has to give. */
export interface ApiBase {
  readonly connection: Connection;
  readonly temporal: Client;
  readonly keyring: Keyring;
  readonly codec: EncryptionCodec;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly settings: ApiSettings;
}

/** What every route may use. Resources with stores of their own take them beside it. */
export interface ApiDeps extends ApiBase {
  readonly sealer: Sealer;
  readonly audit: AuditLog;
  readonly refusals: RefusalLog;
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly apiKeys: ApiKeyStore;
  readonly notices: NoticeStore;
  readonly configVersions: ConfigVersions<ConfigContents>;
  readonly idempotency: IdempotencyStore;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
  readonly directory: UserDirectory;
  readonly authenticator: Authenticator;
  readonly readiness: Readiness;
}

/** Registers the models of this part on the connection; indexes are made by `ensureIndexes` afterwards. */
export function createApiDeps(base: ApiBase): ApiDeps {
  const { connection, keyring, logger, settings } = base;
  const audit = new AuditLog(connection);
  const users = new UserStore(connection);
  const sessions = new SessionStore(connection, settings.refreshTtlSec);
  const apiKeys = new ApiKeyStore(connection);
  const refusals = new RefusalLog(audit, logger);
  const tokens = new AccessTokens(keyring, settings.accessTtlSec);
  const directory = new UserDirectory({ users, sessions, apiKeys });
  const oidc = settings.oidc && new OidcVerifier(settings.oidc, { users, audit, directory });
  return {
    ...base,
    sealer: new Sealer(keyring),
    audit,
    refusals,
    users,
    sessions,
    apiKeys,
    notices: new NoticeStore(connection),
    configVersions: new ConfigVersions(connection, CONFIG_DEFAULTS),
    idempotency: new IdempotencyStore(connection),
    passwords: new Passwords(),
    tokens,
    directory,
    authenticator: new Authenticator({ tokens, directory, refusals, oidc }),
    readiness: new Readiness(base.checks, base.metrics),
  };
}
