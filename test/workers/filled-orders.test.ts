import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { backorderCollection } from '../../models/stock-records.ts';
import { tellFilledOrders, watchForgottenOrders } from '../../workers/filled-orders.ts';
import { openDatabase } from '../support/stored-orders.ts';

/** An engine that answers each try with the next of `outcomes`, then takes everything. */
const engine = (...outcomes: Error[]) => {
  const tries: [workflowId: string, round: number][] = [];
  const getHandle = (workflowId: string) => ({
    signal: async (_: unknown, { round }: { round: number }) => {
      tries.push([workflowId, round]);
      const failure = outcomes.shift();
      if (failure) throw failure;
    },
  });
  return { tries, client: { workflow: { getHandle } } as unknown as Pick<Client, 'workflow'> };
};
const logger = { warn: () => undefined } as unknown as Parameters<typeof tellFilledOrders>[1];

test('an order is told of its goods again when the engine was away', async () => {
  const { client, tries } = engine(new Error('14 UNAVAILABLE'), new Error('14 UNAVAILABLE'));
  tellFilledOrders(client, logger, { firstPauseMs: 1 })([{ orderId: 'own1.W1', round: 2 }]);
  for (let waited = 0; tries.length < 3 && waited < 200; waited += 1) await sleep(5);
  assert.deepEqual(
    tries,
    Array.from({ length: 3 }, () => ['order/own1.W1', 2]),
  );
});

test('an order that has ended is not told again', async () => {
  const { client, tries } = engine(new WorkflowNotFoundError('gone', 'order/own1.W1', undefined));
  tellFilledOrders(client, logger, { firstPauseMs: 1 })([{ orderId: 'own1.W1', round: 1 }]);
  await sleep(50);
  assert.equal(tries.length, 1);
});

test('who was served by a process that could not say so is told at the start, and later whenever nobody has', async () => {
  const connection = await openDatabase((opened) => void backorderCollection(opened));
  const serve = async (orderId: string) => {
    const rest = { paidAt: '', lines: [], skuCodes: [], province: '', city: '', allocations: [], handedOver: [] };
    await backorderCollection(connection).insertOne({ _id: orderId, round: 1, state: 'filled', ...rest });
  };
  await serve('own1.W1');
  await backorderCollection(connection).updateOne({ _id: 'own1.W0' }, { $set: { state: 'waiting' } }, { upsert: true });
  const { client, tries } = engine();
  const watch = watchForgottenOrders(connection, tellFilledOrders(client, logger), logger, { everyMs: 100 });
  const told = async (orderId: string) => {
    for (let waited = 0; waited < 400; waited += 1) {
      if (tries.some(([workflowId]) => workflowId === `order/${orderId}`)) return;
      await sleep(10);
    }
    assert.fail(`${orderId} was not told`);
  };
  await told('own1.W1');
  await serve('own1.W2');
  await told('own1.W2');
  await backorderCollection(connection).deleteMany({});
  await sleep(250);
  const before = tries.length;
  await sleep(250);
  assert.equal(tries.length, before);
  await watch.stop();
});
