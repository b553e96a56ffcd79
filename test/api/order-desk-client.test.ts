import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { KeyedLimit } from '../../api/orders/keyed-limit.ts';
import { isEnded, isNotNow, refusalOf } from '../../api/orders/update-failures.ts';
import { maskName, maskPhone } from '../../domain/receiver-record.ts';

const grpc = (code: number) =>
  new ServiceError('Workflow Update failed', {
    cause: Object.assign(new Error('grpc'), { code, details: '', metadata: {} }),
  });
const failed = (type: string, ...details: unknown[]) =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.nonRetryable('no', type, ...details));

test('what the engine cannot take now is asked again; what it refuses for good is not', () => {
  for (const code of [1, 2, 4, 8, 9, 10, 14]) assert.equal(isNotNow(grpc(code)), true, `gRPC ${code}`);
  for (const code of [3, 7, 12, 16]) assert.equal(isNotNow(grpc(code)), false, `gRPC ${code}`);
  assert.equal(isNotNow(new WorkflowUpdateRPCTimeoutOrCancelledError('late')), true);
  assert.equal(isNotNow(failed('UnprocessedUpdate')), true);
  assert.equal(isNotNow(failed('invalid_request')), false);
  assert.equal(isNotNow(new TypeError('a mistake of ours')), false);
});

test('a refusal comes with what the order said, an ended workflow is told apart', () => {
  const refusal = { code: 'action_not_allowed', detail: 'no', allowedActions: ['hold'] };
  assert.deepEqual(refusalOf(failed('action_not_allowed', refusal)), { refusal });
  assert.equal(refusalOf(failed('UnprocessedUpdate')), undefined);
  assert.equal(refusalOf(grpc(14)), undefined);
  assert.equal(isEnded(new WorkflowNotFoundError('gone', 'order/own1.W1', undefined)), true);
  assert.equal(isEnded(failed('AcceptedUpdateCompletedWorkflow')), true);
  assert.equal(isEnded(grpc(14)), false);
});

test('at most so many run at once per key, in the order they came, also when some fail', async () => {
  const limit = new KeyedLimit(3);
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const work = (i: number) => async () => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    done.push(i);
    if (i % 4 === 0) throw new Error('failed');
  };
  await Promise.allSettled(Array.from({ length: 20 }, (_, i) => limit.run('a', work(i))));
  assert.deepEqual(
    done,
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.equal(most, 3);
  await Promise.all([limit.run('a', work(1)), limit.run('b', work(2))]);
});

test('names and phones are masked so that at least half stays hidden', () => {
  assert.deepEqual(['张三', '欧阳修', '王', '', 'John Smith'].map(maskName), ['张*', '欧*', '*', '', 'J*']);
  assert.deepEqual(['13812348000', '+86 138 1234 8000', '0571-88881234', '88881234', '110', ''].map(maskPhone), [
    '138****8000',
    '138****8000',
    '057****1234',
    '****34',
    '****',
    '',
  ]);
});
