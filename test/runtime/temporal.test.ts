import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { loadConfig } from '../../runtime/config.ts';
import { loadKeyring } from '../../runtime/keyring.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EncryptionCodec } from '../../runtime/payload-codec.ts';
import { SEARCH_ATTRIBUTES } from '../../runtime/search-attributes.ts';
import { connectTemporal, ensureNamespace, ensureSearchAttributes } from '../../runtime/temporal.ts';
import type { TemporalLink } from '../../runtime/temporal.ts';
import { temporalAddress } from '../support/servers.ts';

const logger = createLogger({ stream: new PassThrough().resume() });
const dir = mkdtempSync(join(tmpdir(), 'orderhub-temporal-'));
const namespace = `runtime-${randomUUID()}`;
let codec: EncryptionCodec;
let link: TemporalLink;

const configFor = (address: string, env: Record<string, string> = {}) =>
  loadConfig({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, MONGODB_URI: 'mongodb://unused', ...env });

before(async () => {
  codec = new EncryptionCodec(await loadKeyring(dir));
  link = await connectTemporal(configFor(await temporalAddress()), codec, logger);
  await ensureNamespace(link.connection, namespace, logger);
});
after(async () => {
  await link.close();
  rmSync(dir, { recursive: true, force: true });
});

test('a missing namespace is registered for 30 days, and a shorter retention is lengthened', async () => {
  const retentionDays = async () => {
    const { config } = await link.connection.workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400;
  };
  assert.equal(await retentionDays(), 30);
  await ensureNamespace(link.connection, namespace, logger, 40);
  assert.equal(await retentionDays(), 40);
  await ensureNamespace(link.connection, namespace, logger);
  assert.equal(await retentionDays(), 40, 'never shortened');
});

test('search attributes are added by several processes at once and again without harm', async () => {
  await Promise.all([1, 2, 3].map(() => ensureSearchAttributes(link.connection, namespace, logger)));
  await ensureSearchAttributes(link.connection, namespace, logger);
  const { customAttributes } = await link.connection.operatorService.listSearchAttributes({ namespace });
  assert.deepEqual(
    Object.keys(SEARCH_ATTRIBUTES).filter((name) => customAttributes[name] === undefined),
    [],
  );
});

test('a search attribute of another type stops the start by name', async () => {
  const other = `runtime-${randomUUID()}`;
  await ensureNamespace(link.connection, other, logger);
  const { INDEXED_VALUE_TYPE_INT } = proto.temporal.api.enums.v1.IndexedValueType;
  for (;;)
    try {
      const searchAttributes = { ShopId: INDEXED_VALUE_TYPE_INT };
      await link.connection.operatorService.addSearchAttributes({ namespace: other, searchAttributes });
      break;
    } catch (error) {
      if (!/not found/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  await assert.rejects(ensureSearchAttributes(link.connection, other, logger), /ShopId must be Keyword, it is .*INT/);
});

test('inputs and failures of a real workflow are unreadable on the server and clear to us', async () => {
  const taskQueue = `runtime-${randomUUID()}`;
  const worker = await Worker.create({
    connection: link.connection,
    namespace,
    taskQueue,
    dataConverter: link.dataConverter,
    workflowsPath: fileURLToPath(new URL('./fixtures/failing-workflow.ts', import.meta.url)),
  });
  const workflowId = randomUUID();
  await worker.runUntil(async () => {
    const handle = await link.client.workflow.start('failingWorkflow', {
      workflowId,
      taskQueue,
      args: [{ planted: 'planted value' }],
    });
    await assert.rejects(
      handle.result(),
      (error: unknown) =>
        error instanceof WorkflowFailedError && /workflow failed for planted value/.test(String(error.cause)),
    );
  });
  const { history } = await link.connection.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId },
  });
  const bytes = Buffer.from(proto.temporal.api.history.v1.History.encode(history ?? {}).finish());
  assert.ok(bytes.includes('binary/encrypted'));
  for (const clear of ['planted', 'workflow failed', 'failing-workflow.ts']) assert.ok(!bytes.includes(clear), clear);
});

test('a server that does not answer is waited for and then named', async () => {
  const config = configFor('127.0.0.1:1', { ORDERHUB_CONNECT_TIMEOUT_MS: '1000' });
  await assert.rejects(
    connectTemporal(config, codec, logger),
    /Temporal does not answer at 127\.0\.0\.1:1 after \d tries in 1 s/,
  );
});
