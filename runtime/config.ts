import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { bool, integer, keyList, list, text, url } from './config-fields.ts';

export const ROLES = ['api', 'worker', 'relay', 'simulators'] as const;
export type Role = (typeof ROLES)[number];

/** Winston's own, from quiet to loud. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every variable that OrderHub reads. Durations carry their unit in the name. */
const VARIABLES = {
  ORDERHUB_ROLES: list(ROLES).optional(),
  ORDERHUB_HOST: text(1, 255).default('127.0.0.1'),
  ORDERHUB_PORT: integer(0, 65535).default(8080),
  ORDERHUB_DATA: text(1, 4096).default('.orderhub'),
  ORDERHUB_LOG_LEVEL: z.enum(LOG_LEVELS).default('error'),
  ORDERHUB_LOG_FORMAT: z.enum(['auto', 'json', 'text']).default('auto'),
  ORDERHUB_DEMO: bool().default(true),
  ORDERHUB_ADMIN_PASSWORD: text(1, 256).optional(),
  ORDERHUB_ALLOW_PRIVATE_URLS: bool().optional(),
  ORDERHUB_TRUST_PROXY: text(1, 500).optional(),
  ORDERHUB_PUBLIC_URL: url('http:', 'https:').optional(),
  ORDERHUB_UI_URL: url('http:', 'https:').optional(),
  ORDERHUB_UI_PORT: integer(1, 65535).optional(),
  ORDERHUB_TEMPORAL_PORT: integer(1, 65535).optional(),
  ORDERHUB_MONGO_PORT: integer(1, 65535).optional(),
  ORDERHUB_METRICS_TOKEN: text(1, 512).optional(),
  ORDERHUB_WORKFLOW_BUNDLE: text(1, 4096).optional(),
  ORDERHUB_SHUTDOWN_TIMEOUT_MS: integer(1000, 600_000).default(15_000),
  ORDERHUB_CONNECT_TIMEOUT_MS: integer(1000, 600_000).default(60_000),
  ORDERHUB_ACCESS_TOKEN_TTL_SEC: integer(30, 86_400).default(900),
  ORDERHUB_REFRESH_TOKEN_TTL_SEC: integer(300, 90 * 86_400).default(14 * 86_400),
  ORDERHUB_OIDC_ISSUER: url('http:', 'https:').optional(),
  ORDERHUB_OIDC_AUDIENCE: text(1, 500).optional(),
  ORDERHUB_OIDC_JWKS_URI: url('http:', 'https:').optional(),
  ORDERHUB_OIDC_ROLES_CLAIM: text(1, 200).default('roles'),
  ORDERHUB_KEYS_PAYLOAD: keyList().optional(),
  ORDERHUB_KEYS_SEALING: keyList().optional(),
  ORDERHUB_KEYS_INDEX: keyList().optional(),
  ORDERHUB_KEYS_TOKEN: keyList().optional(),
  ORDERHUB_KEYS_ASSERTION: keyList().optional(),
  MONGODB_URI: url('mongodb:', 'mongodb+srv:'),
  MONGODB_POOL_SIZE: integer(1, 1000).default(32),
  AMQP_URL: url('amqp:', 'amqps:').optional(),
  TEMPORAL_ADDRESS: text(1, 300).regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/, 'host:port'),
  TEMPORAL_NAMESPACE: text(1, 255).default('default'),
  TEMPORAL_API_KEY: text(1, 8192).optional(),
  TEMPORAL_TLS: bool().optional(),
  TEMPORAL_TLS_CERT: text(1, 4096).optional(),
  TEMPORAL_TLS_KEY: text(1, 4096).optional(),
  TEMPORAL_TLS_CA: text(1, 4096).optional(),
  TEMPORAL_TLS_SERVER_NAME: text(1, 255).optional(),
} as const;

const ENV = z.object(VARIABLES);
const KEY_VARIABLES = Object.keys(VARIABLES).filter((name) => name.startsWith('ORDERHUB_KEYS_'));

/** Names every wrong variable and what is expected; never holds a value. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(
      `The configuration is wrong:\n${problems.map((p) => `  ${p.variable}: ${p.expected}`).join('\n')}\nSee .env.example for every variable.`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Config = ReturnType<typeof loadConfig>;

/**
 * Reads and checks everything at once; throws `ConfigError`. `NAME_FILE` may name a file that holds the value of `NAME`
 * (mounted secrets). Flags: `--roles api,worker` and `--no-demo` win over their variables.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  argv: readonly string[] = [],
) {
  const problems: Problem[] = [];
  const values = { ...readVariables(env, problems), ...readFlags(argv) };
  const pem = {
    crt: readPem('TEMPORAL_TLS_CERT', values, problems),
    key: readPem('TEMPORAL_TLS_KEY', values, problems),
    ca: readPem('TEMPORAL_TLS_CA', values, problems),
  };
  requireCompanions(values, problems);
  const parsed = ENV.safeParse(values);
  for (const issue of parsed.error?.issues ?? [])
    problems.push({ variable: String(issue.path[0]), expected: expectation(issue, values) });
  if (problems.length > 0 || !parsed.success) throw new ConfigError(onePerVariable(problems));
  const v = parsed.data;
  const withTls = v.TEMPORAL_TLS ?? Boolean(v.TEMPORAL_API_KEY || pem.crt || pem.ca || v.TEMPORAL_TLS_SERVER_NAME);
  return {
    roles: v.ORDERHUB_ROLES ?? [...ROLES],
    host: v.ORDERHUB_HOST,
    port: v.ORDERHUB_PORT,
    dataDir: resolve(v.ORDERHUB_DATA),
    logLevel: v.ORDERHUB_LOG_LEVEL,
    logFormat: v.ORDERHUB_LOG_FORMAT,
    demo: v.ORDERHUB_DEMO,
    adminPassword: v.ORDERHUB_ADMIN_PASSWORD,
    allowPrivateUrls: v.ORDERHUB_ALLOW_PRIVATE_URLS ?? isLoopback(v.ORDERHUB_HOST),
    /** Express `trust proxy`: addresses of the proxies in front, or their number. */
    trustProxy: v.ORDERHUB_TRUST_PROXY,
    /** Where callers reach the API, without a trailing slash; undefined: as it listens. */
    publicUrl: v.ORDERHUB_PUBLIC_URL?.replace(/\/+$/, ''),
    /** The Temporal UI: shown in the board and allowed by CORS at the codec endpoint. */
    uiUrl: v.ORDERHUB_UI_URL?.replace(/\/+$/, ''),
    metricsToken: v.ORDERHUB_METRICS_TOKEN,
    workflowBundle: v.ORDERHUB_WORKFLOW_BUNDLE === undefined ? undefined : resolve(v.ORDERHUB_WORKFLOW_BUNDLE),
    shutdownTimeoutMs: v.ORDERHUB_SHUTDOWN_TIMEOUT_MS,
    connectTimeoutMs: v.ORDERHUB_CONNECT_TIMEOUT_MS,
    embedded: {
      uiPort: v.ORDERHUB_UI_PORT,
      temporalPort: v.ORDERHUB_TEMPORAL_PORT,
      mongoPort: v.ORDERHUB_MONGO_PORT,
    },
    tokens: { accessTtlSec: v.ORDERHUB_ACCESS_TOKEN_TTL_SEC, refreshTtlSec: v.ORDERHUB_REFRESH_TOKEN_TTL_SEC },
    oidc:
      v.ORDERHUB_OIDC_ISSUER === undefined
        ? undefined
        : {
            issuer: v.ORDERHUB_OIDC_ISSUER,
            audience: v.ORDERHUB_OIDC_AUDIENCE ?? '',
            jwksUri: v.ORDERHUB_OIDC_JWKS_URI,
            rolesClaim: v.ORDERHUB_OIDC_ROLES_CLAIM,
          },
    /** All five, or undefined: then they are files under `dataDir`. */
    keys:
      v.ORDERHUB_KEYS_PAYLOAD === undefined
        ? undefined
        : {
            payload: v.ORDERHUB_KEYS_PAYLOAD,
            sealing: v.ORDERHUB_KEYS_SEALING ?? [],
            index: v.ORDERHUB_KEYS_INDEX ?? [],
            token: v.ORDERHUB_KEYS_TOKEN ?? [],
            assertion: v.ORDERHUB_KEYS_ASSERTION ?? [],
          },
    mongo: { uri: v.MONGODB_URI, poolSize: v.MONGODB_POOL_SIZE },
    amqpUrl: v.AMQP_URL,
    temporal: {
      address: v.TEMPORAL_ADDRESS,
      namespace: v.TEMPORAL_NAMESPACE,
      apiKey: v.TEMPORAL_API_KEY,
      tls: withTls ? { ...pem, serverName: v.TEMPORAL_TLS_SERVER_NAME } : undefined,
    },
    /** `ORDERHUB_*` variables that nobody reads: most likely misspelt, worth a warning. */
    unknownVariables: unknownVariables(env),
  };
}

/** The folder of keys and embedded data, for commands that need no servers. */
export const loadDataDir = (env: Readonly<Record<string, string | undefined>> = process.env): string =>
  resolve(env['ORDERHUB_DATA']?.trim() || '.orderhub');

/** True for the addresses and name of this machine only; `0.0.0.0` and `::` are not. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1' || bare === '::ffff:127.0.0.1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

interface Problem {
  readonly variable: string;
  readonly expected: string;
}
type Values = Readonly<Record<string, string>>;

function readVariables(env: Readonly<Record<string, string | undefined>>, problems: Problem[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(VARIABLES)) {
    const value = env[name]?.trim();
    const file = env[`${name}_FILE`]?.trim();
    // Compose passes unset variables as empty strings.
    if (value) values[name] = value;
    if (!file) continue;
    if (value) problems.push({ variable: `${name}_FILE`, expected: `not together with ${name}` });
    try {
      const content = readFileSync(file, 'utf8').trim();
      if (content) values[name] = content;
    } catch (error) {
      problems.push({
        variable: `${name}_FILE`,
        expected: `the path of a readable file (${codeOf(error)})`,
      });
    }
  }
  return values;
}

function readFlags(argv: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  argv.forEach((word, i) => {
    if (word === '--no-demo') flags['ORDERHUB_DEMO'] = 'false';
    if (word === '--roles') flags['ORDERHUB_ROLES'] = argv[i + 1] ?? '';
    if (word.startsWith('--roles=')) flags['ORDERHUB_ROLES'] = word.slice('--roles='.length);
  });
  return flags;
}

function readPem(name: keyof typeof VARIABLES, values: Values, problems: Problem[]): Buffer | undefined {
  const path = values[name];
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    problems.push({ variable: name, expected: `the path of a readable PEM file (${codeOf(error)})` });
    return undefined;
  }
}

function requireCompanions(values: Values, problems: Problem[]): void {
  const needs = (name: string, because: string) => {
    if (values[name] === undefined) problems.push({ variable: name, expected: `needed, because ${because}` });
  };
  if (values['TEMPORAL_TLS_CERT']) needs('TEMPORAL_TLS_KEY', 'TEMPORAL_TLS_CERT is set');
  if (values['TEMPORAL_TLS_KEY']) needs('TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY is set');
  if (values['ORDERHUB_OIDC_ISSUER']) needs('ORDERHUB_OIDC_AUDIENCE', 'ORDERHUB_OIDC_ISSUER is set');
  // A cluster whose pods each made one missing kind of key themselves could not read each other's data.
  if (KEY_VARIABLES.some((name) => values[name] !== undefined))
    for (const name of KEY_VARIABLES) needs(name, 'other ORDERHUB_KEYS_* are set: give all of them or none');
}

const onePerVariable = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.toReversed().map((problem) => [problem.variable, problem])).values(),
];

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unreadable';

function expectation(issue: z.core.$ZodIssue, values: Values): string {
  const name = String(issue.path[0]);
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_type' && values[name] === undefined) return 'needed, but not set';
  if (issue.code === 'invalid_format') return `in the form ${issue.message}`;
  return issue.message;
}

const KUBERNETES_SERVICE_VARIABLE = /_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_.*)?)$/;

const unknownVariables = (env: Readonly<Record<string, string | undefined>>): string[] =>
  Object.keys(env).filter(
    (name) =>
      name.startsWith('ORDERHUB_') &&
      !(name in VARIABLES) &&
      !(name.replace(/_FILE$/, '') in VARIABLES) &&
      !KUBERNETES_SERVICE_VARIABLE.test(name),
  );
