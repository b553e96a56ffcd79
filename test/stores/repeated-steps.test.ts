import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StepCommitter } from '../../models/step-committer.ts';
import { runTransaction } from '../../models/transaction.ts';
import { PlayedOrder, addWarehouses, openDatabase, receive } from '../support/stored-orders.ts';

const batches: string[] = [];
const connection = await openDatabase((opened) => void new StepCommitter(opened, { onFilled: () => {} }));
const committer = new StepCommitter(connection, {
  onFilled: () => {},
  onBatch: (size, path) => void batches.push(`${path} ${size}`),
});
await addWarehouses(connection, 'WH1');
await receive(committer, 'WH1', 'TEE', 100);

const hold = (detail: string) => ({ type: 'hold', code: 'manual', detail }) as const;

test('after an outage, steps that are asked for again do not take the plain way from the others', async () => {
  const orders = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      new PlayedOrder({ orderId: `own1.R${i}`, units: { TEE: 1 } }).store(connection),
    ),
  );
  await Promise.all(orders.map((order) => order.apply(committer, { type: 'opened' })));
  // Of three orders the step is written, and the answer lost.
  const steps = orders.map((order) => order.request(hold('to be looked at')));
  const first = await Promise.all(steps.slice(0, 3).map(({ request }) => committer.commit(request)));
  batches.length = 0;
  const answers = await Promise.all(steps.map(({ request }) => committer.commit(request)));
  assert.deepEqual(batches, ['fast 7']);
  assert.deepEqual(
    answers.map(({ isRepeat }) => isRepeat),
    [true, true, true, ...Array.from({ length: 7 }, () => false)],
  );
  assert.deepEqual(
    answers.slice(0, 3).map(({ auditHash }) => auditHash),
    first.map(({ auditHash }) => auditHash),
  );
});

test('a step that several ask for at once is carried out once, for all of them', async () => {
  const order = await new PlayedOrder({ orderId: 'own1.S1', units: { TEE: 1 } }).store(connection);
  const ask = (at = '2026-11-22T02:00:00.000Z') => committer.commit(order.request({ type: 'opened' }, at).request);
  batches.length = 0;
  const answers = await Promise.all([ask(), ask(), ask('2026-11-22T02:00:09.000Z'), ask()]);
  assert.deepEqual(batches, ['fast 1']);
  assert.deepEqual(
    answers.map(({ isRepeat }) => isRepeat),
    [false, true, true, true],
  );
  assert.equal(new Set(answers.map(({ auditHash, outcome }) => JSON.stringify([auditHash, outcome]))).size, 1);
});

test('an outage is told at once: nobody waits behind a transaction that is tried again and again', async () => {
  let tries = 0;
  const away = Object.assign(new Error('connect ECONNREFUSED'), {
    name: 'MongoServerSelectionError',
    hasErrorLabel: (label: string) => label === 'TransientTransactionError',
  });
  const work = async () => {
    tries += 1;
    throw away;
  };
  await assert.rejects(runTransaction(connection, work), { name: 'MongoServerSelectionError' });
  assert.equal(tries, 1);
});
