import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OrderWatch } from '../../models/order-watch.ts';

test('a wait ends with the word that its revision is reached, not with an earlier one', async () => {
  const watch = new OrderWatch(async () => 0);
  const wait = watch.waitFor('own1.W1', 2, 2000);
  const startedAt = Date.now();
  watch.notify('own1.W1', 1);
  watch.notify('own1.W2', 5);
  setTimeout(() => watch.notify('own1.W1', 3), 60);
  assert.equal(await wait, true);
  assert.ok(Date.now() - startedAt >= 50);
});

test('without a word the record is looked at, soon and again', async () => {
  const looks: number[] = [];
  const startedAt = Date.now();
  const watch = new OrderWatch(async () => {
    looks.push(Date.now() - startedAt);
    return looks.length < 4 ? 0 : 1;
  });
  assert.equal(await watch.waitFor('own1.W1', 1, 2000), true);
  assert.equal(looks.length, 4);
  assert.ok((looks[0] ?? 0) < 60 && (looks[3] ?? 0) < 600, looks.join(' '));
});

test('where words come, the record is looked at rarely', async () => {
  let looks = 0;
  const watch = new OrderWatch(async () => (looks += 1) && 0);
  for (let i = 0; i < 2; i += 1) {
    const wait = watch.waitFor('own1.W1', 1, 2000);
    if (i === 1) await new Promise((resolve) => setTimeout(resolve, 200));
    watch.notify('own1.W1', 1);
    assert.equal(await wait, true);
  }
  assert.equal(looks, 0);
});

test('a wait ends when its time is over, also while the record cannot be read', async () => {
  const watch = new OrderWatch(() => Promise.reject(new Error('away')));
  const startedAt = Date.now();
  assert.equal(await watch.waitFor('own1.W1', 1, 150), false);
  assert.ok(Date.now() - startedAt < 600);
});
