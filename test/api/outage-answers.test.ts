import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { Problem } from '../../api/errors.ts';
import { OrderDeskClient } from '../../api/orders/order-desk-client.ts';
import { toProblem } from '../../api/to-problem.ts';
import { snapshotOf, TIMERS } from '../support/stored-orders.ts';
import { orderBody, problemOf, startOrderApp } from './order-app.ts';

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
