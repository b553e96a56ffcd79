import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Problem } from '../../api/errors.ts';
import { OrderDeskClient } from '../../api/orders/order-desk-client.ts';
import { toProblem } from '../../api/to-problem.ts';
import { snapshotOf, TIMERS } from '../support/stored-orders.ts';
import { orderBody, payment, problemOf, startOrderApp } from './order-app.ts';

const app = await startOrderApp();

test('a socket that the database has just ended is an outage, not an internal error', () => {
  const raw = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
  assert.equal(toProblem(raw).code, 'unavailable');
  assert.equal(toProblem(new Error('a step failed', { cause: raw })).code, 'unavailable');
  assert.equal(toProblem(Object.assign(new Error('no such file'), { code: 'ENOENT' })).code, 'internal_error');
});

test('a start that the engine never answers is given up in time', { timeout: 10_000 }, async () => {
  // As the native connection does while Temporal is away: it goes on trying, whatever its deadline.
  const silent = {
    withDeadline: (_deadline: number, call: () => unknown) => call(),
    workflow: { start: () => new Promise(() => {}) },
  };
  const desk = new OrderDeskClient(silent as unknown as Client);
  const snapshot = snapshotOf({ orderId: 'own1.W1', units: { TEE: 1 } });
  const input = {
    snapshot,
    timers: { ...TIMERS, version: 1 },
    origin: { actor: { kind: 'service' as const, id: 'tester' } },
  };
  const startedAt = Date.now();
  await assert.rejects(desk.start(input), (error) => error instanceof Problem && error.code === 'unavailable');
  assert.ok(Date.now() - startedAt < 5000);
});

test('the command that ended an order has its answer again under its key, though the first one was lost', async () => {
  await app.post('/v1/orders', orderBody('E1', { payments: [] }));
  const headers = { 'Idempotency-Key': 'cancel-E1' };
  const first = await app.post('/v1/orders/own1.E1/cancel', { reason: 'changed my mind' }, { headers });
  assert.deepEqual([first.status, first.body.status], [200, 'cancelled']);
  // As a process leaves it that dies before it could note the answer.
  await app.deps.connection.collection('idempotency_keys').deleteMany({});
  const again = await app.post('/v1/orders/own1.E1/cancel', { reason: 'changed my mind' }, { headers });
  assert.deepEqual([again.status, again.text], [200, first.text]);
  const other = await app.post('/v1/orders/own1.E1/cancel', { reason: 'changed my mind' });
  assert.equal(problemOf(other), '409 action_not_allowed');
});

/** Takes the newest command out of an order's history, as it is lost when a worker writes its step and then dies. */
const loseLastUpdate = async (orderId: string): Promise<void> => {
  const { client, connection } = app.temporal;
  const { namespace } = client.options;
  const workflowId = `order/${orderId}`;
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const accepted = events?.findLastIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes) ?? -1;
  await connection.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId },
    // The task in which it was accepted, and everything since.
    workflowTaskFinishEventId: events?.[accepted - 1]?.eventId ?? null,
    requestId: randomUUID(),
    reason: 'the step of the last command is to be unknown to the history',
    resetReapplyExcludeTypes: [
      proto.temporal.api.enums.v1.ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
      proto.temporal.api.enums.v1.ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
    ],
  });
};

test('O9: a command is judged by the record when the order does not know of a step that a dead worker wrote', async () => {
  await app.receive('wh1', 'TEE-M', 10);
  const path = '/v1/orders/own1.E2';
  await app.post('/v1/orders', orderBody('E2'));
  await app.post(`${path}/hold`, { code: 'manual', detail: 'to be looked at' });
  const released = await app.post(`${path}/release`, { code: 'manual' });
  assert.deepEqual([released.body.status, released.body.revision], ['awaiting_shipment', 3]);
  await loseLastUpdate('own1.E2');
  const parcel = { warehouseId: 'wh1', courier: 'SF', trackingNo: 'SFE2', lines: [{ lineId: '1', quantity: 2 }] };
  const shipped = await app.post(`${path}/shipments`, parcel);
  assert.deepEqual([shipped.status, shipped.body.status, shipped.body.revision], [200, 'shipped', 4], shipped.text);
  const entries = await app.deps.connection
    .collection('audit')
    .find({ entity: 'order/own1.E2' })
    .sort({ seq: 1 })
    .toArray();
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['order.opened', 'order.hold', 'order.release', 'order.ship'],
  );
});

test('O9: an order whose end a dead worker wrote ends for the engine too when somebody asks again', async () => {
  const path = '/v1/orders/own1.E3';
  await app.post('/v1/orders', orderBody('E3', { payments: [] }));
  assert.equal((await app.post(`${path}/cancel`, { reason: 'changed my mind' })).body.status, 'cancelled');
  await loseLastUpdate('own1.E3');
  const workflow = app.temporal.client.workflow.getHandle('order/own1.E3');
  assert.equal((await workflow.describe()).status.name, 'RUNNING');
  const paid = await app.post(`${path}/payments`, payment('p1', 20000));
  assert.deepEqual([paid.status, paid.body.status, paid.body.revision], [200, 'cancelled', 3], paid.text);
  assert.deepEqual(await workflow.result(), { status: 'cancelled', revision: 3 });
});
