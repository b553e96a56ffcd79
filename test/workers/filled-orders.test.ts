import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { tellFilledOrders } from '../../workers/filled-orders.ts';

/** An engine that answers each try with the next of `outcomes`, then takes everything. */
const engine = (...outcomes: Error[]) => {
  const tries: unknown[] = [];
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
