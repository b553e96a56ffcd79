import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, isLoopback, loadConfig } from '../../runtime/config.ts';

const SERVERS = { TEMPORAL_ADDRESS: '127.0.0.1:7233', MONGODB_URI: 'mongodb://127.0.0.1:27017/orderhub' };

const refusal = (env: Record<string, string>): ConfigError => {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error;
  }
  return assert.fail('was accepted');
};

test('with nothing but the servers everything has its default', () => {
  const config = loadConfig(SERVERS);
  assert.equal(config.port, 8080);
  assert.equal(config.host, '127.0.0.1');
  assert.equal(config.logLevel, 'error');
  assert.equal(config.demo, true);
  assert.equal(config.allowPrivateUrls, true);
  assert.equal(config.temporal.namespace, 'default');
  assert.equal(config.temporal.tls, undefined);
  assert.deepEqual(config.roles, ['api', 'worker', 'relay', 'simulators']);
  assert.ok(isAbsolute(config.dataDir) && config.dataDir.endsWith('.orderhub'));
  assert.equal(config.keys, undefined);
});

test('one error names every wrong variable and what is expected, and shows no value', () => {
  const error = refusal({
    ORDERHUB_PORT: '80800',
    ORDERHUB_LOG_LEVEL: 'loud',
    ORDERHUB_DEMO: 'maybe',
    ORDERHUB_ADMIN_PASSWORD: 'planted1'.repeat(100),
    ORDERHUB_METRICS_TOKEN: 'planted2'.repeat(100),
    ORDERHUB_ROLES: 'api,cook',
    MONGODB_URI: 'postgres://planted3@host/db',
  });
  assert.deepEqual(error.problems.map((problem) => problem.variable).toSorted(), [
    'MONGODB_URI',
    'ORDERHUB_ADMIN_PASSWORD',
    'ORDERHUB_DEMO',
    'ORDERHUB_LOG_LEVEL',
    'ORDERHUB_METRICS_TOKEN',
    'ORDERHUB_PORT',
    'ORDERHUB_ROLES',
    'TEMPORAL_ADDRESS',
  ]);
  assert.match(error.message, /ORDERHUB_PORT: a whole number from 0 to 65535/);
  assert.match(error.message, /ORDERHUB_LOG_LEVEL: one of error, warn, info, http, verbose, debug, silly/);
  assert.match(error.message, /TEMPORAL_ADDRESS: needed, but not set/);
  assert.doesNotMatch(error.message + JSON.stringify(error.problems), /planted|80800|loud|maybe|cook/);
});

test('variables that need each other are named with the rest', () => {
  const error = refusal({
    TEMPORAL_TLS_CERT: '/nowhere/cert.pem',
    ORDERHUB_OIDC_ISSUER: 'https://issuer.example',
    ORDERHUB_KEYS_PAYLOAD: `k1:${randomBytes(32).toString('base64')}`,
  });
  assert.deepEqual(error.problems.map((problem) => problem.variable).toSorted(), [
    'MONGODB_URI',
    'ORDERHUB_KEYS_ASSERTION',
    'ORDERHUB_KEYS_INDEX',
    'ORDERHUB_KEYS_SEALING',
    'ORDERHUB_KEYS_TOKEN',
    'ORDERHUB_OIDC_AUDIENCE',
    'TEMPORAL_ADDRESS',
    'TEMPORAL_TLS_CERT',
    'TEMPORAL_TLS_KEY',
  ]);
});

test('false is false, however it is written, and an empty variable is an unset one', () => {
  for (const no of ['0', 'false', 'FALSE', 'no', 'off'])
    assert.equal(loadConfig({ ...SERVERS, ORDERHUB_DEMO: no }).demo, false);
  for (const yes of ['1', 'true', 'Yes', 'on', ''])
    assert.equal(loadConfig({ ...SERVERS, ORDERHUB_DEMO: yes }).demo, true);
  assert.equal(loadConfig({ ...SERVERS, ORDERHUB_PORT: '  ' }).port, 8080);
});

test('private addresses are allowed by default only while the API listens on this machine alone', () => {
  const allowed = (env: Record<string, string>) => loadConfig({ ...SERVERS, ...env }).allowPrivateUrls;
  assert.equal(allowed({ ORDERHUB_HOST: '::1' }), true);
  assert.equal(allowed({ ORDERHUB_HOST: '0.0.0.0' }), false);
  assert.equal(allowed({ ORDERHUB_HOST: '::' }), false);
  assert.equal(allowed({ ORDERHUB_HOST: '0.0.0.0', ORDERHUB_ALLOW_PRIVATE_URLS: '1' }), true);
  assert.equal(allowed({ ORDERHUB_ALLOW_PRIVATE_URLS: '0' }), false);
  assert.equal(isLoopback('127.evil.example'), false);
});

test('flags win over variables', () => {
  const config = loadConfig({ ...SERVERS, ORDERHUB_DEMO: '1', ORDERHUB_ROLES: 'relay' }, [
    '--no-demo',
    '--roles',
    'api,worker',
  ]);
  assert.equal(config.demo, false);
  assert.deepEqual(config.roles, ['api', 'worker']);
});

test('a secret may come from a mounted file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'orderhub-config-'));
  try {
    writeFileSync(join(dir, 'password'), 'correct horse battery\n');
    const env = { ...SERVERS, ORDERHUB_ADMIN_PASSWORD_FILE: join(dir, 'password') };
    assert.equal(loadConfig(env).adminPassword, 'correct horse battery');
    assert.match(
      refusal({ ...env, ORDERHUB_ADMIN_PASSWORD_FILE: join(dir, 'none') }).message,
      /PASSWORD_FILE: .*ENOENT/,
    );
    assert.match(refusal({ ...env, ORDERHUB_ADMIN_PASSWORD: 'twice given it is' }).message, /not together with/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('keys for clusters are read with their ids, the current one first', () => {
  const secret = () => randomBytes(32).toString('base64');
  const signing = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const env = {
    ...SERVERS,
    ORDERHUB_KEYS_PAYLOAD: `new:${secret()},old:${secret()}`,
    ORDERHUB_KEYS_SEALING: `s1:${secret()}`,
    ORDERHUB_KEYS_INDEX: `i1:${secret()}`,
    ORDERHUB_KEYS_TOKEN: `t1:${signing}`,
    ORDERHUB_KEYS_ASSERTION: `a1:${signing}`,
  };
  assert.deepEqual(
    loadConfig(env).keys?.payload.map((key) => key.id),
    ['new', 'old'],
  );
  assert.match(
    refusal({ ...env, ORDERHUB_KEYS_INDEX: 'i1:c2hvcnQ=' }).message,
    /ORDERHUB_KEYS_INDEX: keys as id:base64/,
  );
  assert.match(refusal({ ...env, ORDERHUB_KEYS_INDEX: `i1:${secret()},i1:${secret()}` }).message, /ids that differ/);
});

test('an API key means TLS unless it is switched off', () => {
  assert.ok(loadConfig({ ...SERVERS, TEMPORAL_API_KEY: 'k' }).temporal.tls);
  assert.equal(loadConfig({ ...SERVERS, TEMPORAL_API_KEY: 'k', TEMPORAL_TLS: 'false' }).temporal.tls, undefined);
});

test('misspelt variables are reported, those that Kubernetes sets for a service are not', () => {
  const config = loadConfig({
    ...SERVERS,
    ORDERHUB_PROT: '1',
    ORDERHUB_API_SERVICE_HOST: '10.0.0.1',
    ORDERHUB_API_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
  });
  assert.deepEqual(config.unknownVariables, ['ORDERHUB_PROT']);
});
