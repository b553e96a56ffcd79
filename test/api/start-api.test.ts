import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { startApi } from '../../api/main.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { startRelay } from '../../relay/main.ts';
import type { AppContext } from '../../runtime/app-context.ts';
import { loadConfig } from '../../runtime/config.ts';
import { loadKeyring } from '../../runtime/keyring.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { connectMongo } from '../../runtime/mongo.ts';
import { eventually } from './api-harness.ts';
import { mongoUri } from '../support/servers.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'orderhub-api-'));
const uri = new URL(await mongoUri());
uri.pathname = `/start_${randomUUID().slice(0, 8)}`;
const config = loadConfig({
  MONGODB_URI: uri.href,
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  ORDERHUB_DATA: dataDir,
  ORDERHUB_PORT: '0',
  ORDERHUB_ADMIN_PASSWORD: 'the first password',
});
const logger = createLogger({ stream: new Writable({ write: (_chunk, _encoding, done) => done() }) });
const mongo = await connectMongo(uri.href, logger);
after(async () => {
  await mongo.dropDatabase();
  await mongo.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const context = {
  config,
  logger,
  mongo,
  keyring: await loadKeyring(dataDir),
  metrics: createMetrics(),
  temporal: {
    client: {},
    connection: {
      withDeadline: async (_deadline: number, call: () => Promise<unknown>) => call(),
      workflowService: { getSystemInfo: async () => ({}) },
    },
  },
} as unknown as AppContext;

describe('startApi', () => {
  it('serves, makes the admin with the password given, and answers what is under way when it stops', async () => {
    const api = await startApi(context);
    assert.equal((await fetch(`${api.url}/readyz`)).status, 200);
    const login = (password: string) =>
      fetch(`${api.url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: 'admin', password }),
      });
    assert.equal((await login('the first password')).status, 200);

    const agent = new Agent({ keepAlive: true });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const req = request(`${api.url}/v1/auth/login`, {
        agent,
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Length': 60 },
      });
      req.on('response', (res) => res.resume().on('end', () => resolve(res.statusCode)));
      req.on('error', reject);
      req.write('{"username":"admin",');
      // The rest comes only after stopping has begun.
      setTimeout(() => req.end('"password":"the first password"}'.padEnd(40)), 400);
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopping = api.stop();
    await eventually(() => assert.rejects(fetch(`${api.url}/healthz`)));
    assert.equal(await answered, 200);
    await stopping;
    agent.destroy();
  });

  it('names the port that is taken', async () => {
    const api = await startApi(context);
    await assert.rejects(startApi({ ...context, config: { ...config, port: api.port } }), /ORDERHUB_PORT/);
    await api.stop();
  });
});

describe('npm run audit:verify', () => {
  const run = () =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/audit-verify.ts'], {
        env: { ...process.env, MONGODB_URI: uri.href, ORDERHUB_DATA: dataDir },
      });
      let output = '';
      child.stdout.on('data', (chunk) => (output += String(chunk)));
      child.stderr.on('data', (chunk) => (output += String(chunk)));
      child.on('close', (code) => resolve({ code, output }));
    });

  it('says what it checked, and finds what was changed', async () => {
    const relay = await startRelay(context);
    const api = await startApi(context);
    await eventually(async () => {
      const { sealed } = { sealed: await mongo.collection('audit_seals').countDocuments() };
      assert.ok(sealed > 0);
    });
    await relay.stop();
    await api.stop();
    const whole = await run();
    assert.equal(whole.code, 0, whole.output);
    assert.match(whole.output, /entries of \d+ entities.*\n.*whole/s);
    await auditCollection(mongo).updateOne({ entity: 'user/admin', seq: 1 }, { $set: { action: 'nothing' } });
    const broken = await run();
    assert.equal(broken.code, 1);
    assert.match(broken.output, /BROKEN: user\/admin#1/);
  });
});
