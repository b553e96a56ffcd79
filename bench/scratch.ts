import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { connectMongo, ensureIndexes } from '../runtime/mongo.ts';
import { createLogger } from '../runtime/logger.ts';
import { loadKeyring } from '../runtime/keyring.ts';
import { EncryptionCodec } from '../runtime/payload-codec.ts';
import { createDataConverter, ensureSearchAttributes, FAILURE_CONVERTER_PATH } from '../runtime/temporal.ts';
import { createOrderActivities } from '../activities/order-activities.ts';
import { commitHubOf } from '../models/commit-hub.ts';
import { CaseStore } from '../models/case-store.ts';
import { chainEntry } from '../models/audit-log.ts';
import { warehouseCollection } from '../models/warehouse-records.ts';
import { orderCollection } from '../models/order-records.ts';
import { stockCollection } from '../models/stock-records.ts';
import { commandUpdates, ORDERS_QUEUE, searchAttributes } from '../workflows/contract.ts';
import { orderViewOf } from '../domain/order-view.ts';
import { initialState } from '../domain/order-life.ts';

const logger = createLogger({ level: 'info' });
const mongo = await connectMongo(process.env.MONGODB_URI!, logger);
commitHubOf(mongo); orderCollection(mongo); stockCollection(mongo); warehouseCollection(mongo);
const kr = await loadKeyring('/tmp/w/keys');
const conn = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS! });
await ensureSearchAttributes(conn, 'default', logger);
const dataConverter = createDataConverter(new EncryptionCodec(kr));
const client = new Client({ connection: conn, dataConverter });
const hub = commitHubOf(mongo);
console.time('bundle');
const bundle = await bundleWorkflowCode({ workflowsPath: new URL('../workflows/index.ts', import.meta.url).pathname, failureConverterPath: FAILURE_CONVERTER_PATH } as never);
console.timeEnd('bundle');
hub.onBatch((size, path, ms) => { stats[path] ??= { n: 0, s: 0, ms: 0 }; stats[path].n++; stats[path].s += size; stats[path].ms += ms; });
const stats: Record<string, { n: number; s: number; ms: number }> = {};
const worker = await Worker.create({ workflowBundle: bundle, connection: conn, dataConverter, taskQueue: ORDERS_QUEUE, activities: createOrderActivities({ committer: hub.committer, cases: new CaseStore(mongo), chainEntry }), reuseV8Context: true, maxCachedWorkflows: 2000 , maxConcurrentWorkflowTaskExecutions: 100});
const running = worker.run();
await warehouseCollection(mongo).updateOne({ _id: 'w1' }, { $set: { name: 'w', province: '浙江省', city: '杭州市', wms: null, revision: 1, updatedAt: new Date() } }, { upsert: true });
await ensureIndexes(mongo, logger).catch((e) => console.log(String(e)));
const run = Date.now().toString(36);
for (const sku of ['A', 'B', 'C']) await hub.committer.commit({ kind: 'stockChange', id: run + sku, movement: 'receipt', lines: [{ warehouseId: 'w1', skuCode: sku, quantity: 100000 }], actor: { kind: 'system', id: 't' }, at: new Date(), reason: null });
const timers = { paymentTimeoutMs: 1800000, autoCompleteMs: 0 };
async function one(i: number) {
  const id = `own1.${run}-${i}`;
  const now = new Date().toISOString();
  const snapshot: any = { orderId: id, shopId: 'own1', channel: 'own', platformOrderId: `${run}-${i}`, type: 'normal', placedAt: now, receivedAt: now, currency: 'CNY', buyer: { id: 'u1', firstOrder: false },
    receiver: { province: '浙江省', city: '杭州市', district: '西湖区', pickupStation: false, masked: { name: '张*', phone: '138****8000', address: '浙江省杭州市西湖区' }, sealed: 'v1.k.'.padEnd(200, 'x'), phoneIndex: 'abc', addressIndex: 'def', missing: [] },
    lines: ['A', 'B', 'C'].map((skuCode, n) => ({ lineId: String(n + 1), skuCode, title: 'a fine thing', quantity: 1, unitPrice: 10000, discount: 0 })), orderDiscount: 3000, freight: 1000, payable: 28000,
    payments: [{ paymentId: 'p1', method: 'alipay', transactionId: 'T1', amount: 28000, paidAt: now }] };
  const { buyerId, ...view } = orderViewOf(initialState(snapshot), now);
  await orderCollection(mongo).insertOne({ ...view, buyerId, _id: id, snapshot, contentHash: 'x', origin: { actor: { kind: 'system', id: 't' } }, runId: null, lastStep: null, final: null, holdCodes: [], skuCodes: [], warehouseIds: [], waybills: [], phoneIndex: 'abc' } as never);
  const h = await client.workflow.start('orderWorkflow', { workflowId: `order/${id}`, taskQueue: ORDERS_QUEUE, args: [{ snapshot, timers, timersVersion: 1, origin: { actor: { kind: 'system', id: 't' } }, opening: 'opened' }], requestEagerStart: true, staticSummary: id, typedSearchAttributes: [{ key: searchAttributes.orderStatus, value: 'processing' }, { key: searchAttributes.shopId, value: 'own1' }, { key: searchAttributes.channel, value: 'own' }] } as never);
  for (;;) { const d = await orderCollection(mongo).findOne({ _id: id }); if (d && d.revision > 0) break; await new Promise((r) => setTimeout(r, 20)); }
  const origin = { actor: { kind: 'service' as const, id: 'wh' } };
  const a = await h.executeUpdate(commandUpdates.ship, { args: [{ command: { type: 'ship', warehouseId: 'w1', courier: 'SF', trackingNo: `T${id}`, lines: ['1', '2', '3'].map((lineId) => ({ lineId, quantity: 1 })) }, origin }] });
  if (!('revision' in a)) throw new Error(JSON.stringify(a));
  const b = await h.executeUpdate(commandUpdates.deliver, { args: [{ command: { type: 'deliver', shipmentId: 'S1' }, origin }] });
  if (!('revision' in b)) throw new Error(JSON.stringify(b));
  return h;
}
const N = Number(process.env.N ?? 1), C = Number(process.env.C ?? 1);
let next = 0; let last: any;
const cu0=process.cpuUsage();
const t0 = Date.now();
await Promise.all(Array.from({ length: C }, async () => { while (next < N) { last = await one(next++); } }));
console.log(await last.result());
const cu=process.cpuUsage(cu0); console.log('cpu ms/order', (cu.user+cu.system)/1000/N);
console.log('rate', (N / (Date.now() - t0)) * 1000, stats);
const hist = await last.fetchHistory();
for (const e of hist.events) console.log(Number(e.eventId), Object.keys(e).find((k) => k.endsWith('Attributes')));
const d = await last.describe();
console.log({ transitions: String(d.raw.workflowExecutionInfo.stateTransitionCount), size: String(d.raw.workflowExecutionInfo.historySizeBytes) });
worker.shutdown(); await running; process.exit(0);
