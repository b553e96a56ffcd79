import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchTimeout, GroupCommit } from '../../models/group-commit.ts';
import { isOutage } from '../../models/transaction.ts';

test('a batch that is never answered fails those who asked, and the next one is carried out', async () => {
  let calls = 0;
  const group = new GroupCommit<string, string>(
    (requests) => {
      calls += 1;
      return calls === 1 ? new Promise(() => undefined) : Promise.resolve(requests.map((one) => `${one}!`));
    },
    { withinMs: 30 },
  );
  const stuck = group.submit('a');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const behind = group.submit('b');
  await assert.rejects(stuck, (error) => error instanceof BatchTimeout && isOutage(error));
  assert.equal(await behind, 'b!');
  assert.equal(await group.submit('a'), 'a!');
});

test('one answer that fails is told to whoever asked for it alone', async () => {
  const group = new GroupCommit<string, string>(async (requests) =>
    requests.map((one) => (one === 'bad' ? new Error('no') : one)),
  );
  const [good, bad] = await Promise.allSettled([group.submit('good'), group.submit('bad')]);
  assert.deepEqual([good.status, bad.status], ['fulfilled', 'rejected']);
});
