import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { QimenClient } from '../../adapters/wms/qimen/qimen-client.ts';
import { createQimenRoutes } from '../../api/qimen/qimen-routes.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { stockCollection } from '../../models/stock-records.ts';
import { warehouseCollection, warehouseEntity } from '../../models/warehouse-records.ts';
import { startWmsSimulator } from '../../simulators/wms/wms-simulator.ts';
import { orderBody, startOrderApp } from './order-app.ts';
import { deliveryOrder } from '../adapters/wms/qimen-set-up.ts';
import { eventually } from './api-harness.ts';

const app = await startOrderApp({ moreRoutes: createQimenRoutes });
const { connection, sealer } = app.deps;
const account = { appKey: 'k1', secret: 's1', customerId: 'c1', warehouseId: 'qm1' };
const wms = await startWmsSimulator({
  accounts: [{ ...account, callbackUrl: `${app.url}/v1/qimen/qm1` }],
  life: { pickAfterMs: null, packAfterMs: null, shipAfterMs: null, progress: ['PACKAGE'] },
  retry: { firstMs: 50, longestMs: 200 },
});
after(() => wms.stop());
const { control } = wms;
await warehouseCollection(connection).deleteMany({});
await warehouseCollection(connection).insertOne({
  _id: 'qm1',
  name: 'East',
  province: '浙江省',
  city: '杭州市',
  wms: {
    type: 'qimen',
    baseUrl: wms.url,
    appKey: 'k1',
    secretSealed: sealer.seal({ secret: 's1' }, warehouseEntity('qm1')),
    customerId: 'c1',
  },
  revision: 1,
  updatedAt: new Date(),
});
await app.receive('qm1', 'TEE-M', 100);

/** An order of two units that the warehouse has taken. */
const handedOver = async (platformOrderId: string) => {
  await app.post('/v1/orders', orderBody(platformOrderId));
  const orderId = `own1.${platformOrderId}`;
  await app.until(orderId, ({ status }) => status === 'awaiting_shipment');
  return { orderId, code: `${orderId}.D1` };
};
const parcel = (expressCode: string, quantity: number) => ({
  logisticsCode: 'SF',
  expressCode,
  items: [{ lineNo: '1', itemCode: 'TEE-M', quantity }],
});
const reportOf = (code: string, number: string, times = 1) =>
  eventually(() => {
    const report = control.books().orders[code]?.reports.find((entry) => entry.number === number);
    if (!report || report.answers.length < times) throw new Error(`${number} of ${code} was not answered`);
    return report;
  });
const shippedUnits = async (orderId: string) => (await app.stored(orderId)).lines[0]?.shipped;
const onHand = async () => (await stockCollection(connection).findOne({ _id: 'qm1/TEE-M' }))?.onHand ?? 0;

test('two parcels in two reports: partly shipped, then shipped, the goods leave the stock once', async () => {
  const before = await onHand();
  const { orderId, code } = await handedOver('Q1');
  assert.equal(control.books().orders[code]?.creates, 1);
  assert.equal(control.books().orders[code]?.receiver['name'], '张三丰');
  control.pack(code);
  control.ship(code, { parcels: [parcel('W1', 1)], isFinal: false, number: 'r1' });
  await app.until(orderId, ({ status }) => status === 'partially_shipped');
  control.ship(code, { parcels: [parcel('W2', 1)], isFinal: true, number: 'r2' });
  const order = await app.until(orderId, ({ status }) => status === 'shipped');
  assert.deepEqual(
    order.shipments.map(({ courier, trackingNo, lines }) => [courier, trackingNo, lines[0]?.quantity]),
    [
      ['SF', 'W1', 1],
      ['SF', 'W2', 1],
    ],
  );
  assert.equal(await onHand(), before - 2);
  assert.equal(await control.repeat(code, 'r1'), 'success');
  assert.equal(await control.repeat(code, 'r2'), 'success');
  assert.equal(await onHand(), before - 2);
  assert.equal((await app.stored(orderId)).shipments.length, 2);
});

test('quantities that exceed are refused and recorded, and nothing changes', async () => {
  const { orderId, code } = await handedOver('Q2');
  const { revision } = await app.stored(orderId);
  control.ship(code, { parcels: [parcel('W3', 3)], isFinal: true, number: 'r3' });
  const report = await reportOf(code, 'r3');
  assert.match(report.answers[0] ?? '', /^rule_violation: 1: 2 left to send, not 3/);
  assert.equal((await app.stored(orderId)).revision, revision);
  assert.equal(await shippedUnits(orderId), 0);
  const entry = await auditCollection(connection).findOne({ action: 'wms.refused' }, { sort: { _id: -1 } });
  assert.equal(entry?.detail['deliveryOrderCode'], code);
});

test('a report that is doubled on the way is booked once', async () => {
  const before = await onHand();
  const { orderId, code } = await handedOver('Q3');
  control.faults.add({ kind: 'duplicate-report', code, times: 1 });
  control.ship(code, { parcels: [parcel('W4', 2)], isFinal: true, number: 'r4' });
  await app.until(orderId, ({ status }) => status === 'shipped');
  assert.deepEqual((await reportOf(code, 'r4', 2)).answers, ['success', 'success']);
  assert.equal(await onHand(), before - 2);
});

test('a delivery that nobody has asked for is refused', async () => {
  await handedOver('Q4');
  const stranger = new QimenClient({ ...account, baseUrl: wms.url });
  for (const other of ['own1.Q4.D9', 'own1.none.D1', 'nonsense']) {
    await stranger.create(deliveryOrder(other, { warehouseId: 'qm1' }));
    control.ship(other, { parcels: [parcel(`X${other.length}`, 1)], isFinal: true, number: `n-${other}` });
    assert.match((await reportOf(other, `n-${other}`)).answers[0] ?? '', /^not_found/);
  }
  assert.equal(await shippedUnits('own1.Q4'), 0);
});

test('while the engine is away a report waits at the warehouse, and is booked when it is back', async () => {
  const { orderId, code } = await handedOver('Q5');
  await app.stopWorker();
  control.ship(code, { parcels: [parcel('W5', 2)], isFinal: true, number: 'r5' });
  await app.startWorker();
  await app.until(orderId, ({ status }) => status === 'shipped', 30_000);
});

test('a cancel stops the warehouse, unless it has packed: then it is refused and the order goes on', async () => {
  const early = await handedOver('Q6');
  assert.equal((await app.post(`/v1/orders/${early.orderId}/cancel`, { reason: 'changed_mind' })).status, 200);
  assert.equal(control.books().orders[early.code]?.state, 'stopped');
  assert.equal((await app.stored(early.orderId)).status, 'cancelled');
  const late = await handedOver('Q7');
  control.pack(late.code);
  const refused = await app.post(`/v1/orders/${late.orderId}/cancel`, { reason: 'changed_mind' });
  assert.equal(refused.status, 409, refused.text);
  control.ship(late.code);
  await app.until(late.orderId, ({ status }) => status === 'shipped');
});

test('a hand-over whose answer is lost makes one delivery', async () => {
  control.faults.add({ kind: 'lost-answer', method: 'deliveryorder.create', times: 1 });
  const { code } = await handedOver('Q8');
  assert.equal(control.books().orders[code]?.creates, 2);
  assert.deepEqual(
    Object.keys(control.books().orders).filter((known) => known.startsWith('own1.Q8.')),
    [code],
  );
});
