import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { after } from 'node:test';
import type { Client } from '@temporalio/client';
import { createApp } from '../../api/app.ts';
import type { Role } from '../../api/auth/policy.ts';
import { DEFAULT_SETTINGS, createApiDeps } from '../../api/deps.ts';
import type { ApiDeps, ApiSettings } from '../../api/deps.ts';
import type { Route } from '../../api/route.ts';
import { createRoutes } from '../../api/routes.ts';
import type { ReadinessCheck } from '../../api/readiness.ts';
import { KEY_KINDS, Keyring } from '../../runtime/keyring.ts';
import type { KeyKind } from '../../runtime/keyring.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { connectMongo, ensureIndexes } from '../../runtime/mongo.ts';
import { EncryptionCodec } from '../../runtime/payload-codec.ts';
import { mongoUri } from '../support/servers.ts';

export const PASSWORD = 'correct horse battery';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // Tests look into bodies of every form.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

export interface Call {
  token?: string | undefined;
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
}

export interface TestApi {
  url: string;
  deps: ApiDeps;
  /** Everything logged so far. */
  log: () => string;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Makes the user if need be and signs in. */
  as(username: string, roles: Role[], shopIds?: string[]): Promise<string>;
}

export interface ApiHarnessOptions {
  settings?: Partial<ApiSettings>;
  checks?: Record<string, ReadinessCheck>;
  /** In place of all resources. */
  routes?: (deps: ApiDeps) => Route[];
  temporal?: Client;
  /** In place of the shared server. */
  mongoUri?: string;
}

export const testKeyring = (): Keyring =>
  new Keyring(
    Object.fromEntries(KEY_KINDS.map((kind) => [kind, [{ id: `${kind}1`, bytes: keyBytes(kind) }]])) as never,
  );

const keyBytes = (kind: KeyKind): Buffer =>
  kind === 'token' || kind === 'assertion'
    ? generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' })
    : randomBytes(32);

/** The whole API over HTTP on a free port, with a database of its own, until the file's tests are done. Call it at the top of the file: hooks end what they begin. */
export async function startTestApi(options: ApiHarnessOptions = {}): Promise<TestApi> {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const logger = createLogger({ level: 'debug', format: 'json', stream });
  const keyring = testKeyring();
  const connection = await connectMongo(withDatabase(options.mongoUri ?? (await mongoUri())), logger);
  const deps = createApiDeps({
    connection,
    temporal: options.temporal ?? ({} as Client),
    keyring,
    codec: new EncryptionCodec(keyring),
    logger,
    metrics: createMetrics(),
    checks: options.checks ?? {},
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
  });
  const app = createApp(deps, (options.routes ?? createRoutes)(deps));
  await ensureIndexes(connection, logger);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await connection.dropDatabase();
    await connection.close();
  });

  const call: TestApi['call'] = async (method, path, { token, body, raw, headers = {} } = {}) => {
    const hasBody = raw !== undefined || body !== undefined;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(hasBody ? { 'Content-Type': 'application/json' } : {}),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(hasBody ? { body: raw ?? JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };

  const as: TestApi['as'] = async (username, roles, shopIds) => {
    if (!(await deps.users.find(username))) {
      const now = new Date();
      await deps.users.insert({
        username,
        displayName: username,
        passwordHash: await deps.passwords.hash(PASSWORD),
        roles,
        shopIds: shopIds ?? null,
        disabled: false,
        source: 'local',
        revision: 1,
        createdAt: now,
        updatedAt: now,
      });
    }
    const { session } = await deps.sessions.open(username);
    return deps.tokens.issue(username, session._id);
  };

  return { url, deps, log: () => lines.join(''), call, as };
}

function withDatabase(uri: string): string {
  const url = new URL(uri);
  url.pathname = `/api_${randomUUID().slice(0, 8)}`;
  return url.href;
}

/** Waits for what another part does in its own time. */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 5000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;)
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
