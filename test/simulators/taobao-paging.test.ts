import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANGED, HEAD, MINUTE_MS, lastHour, setUp, tidsOf, type Page } from './taobao-set-up.ts';
import { gmt8, type TopCaller, type TopParams } from './top-caller.ts';

const pageThrough = async (
  caller: TopCaller,
  window: TopParams,
  order: 'forward' | 'backward',
): Promise<Set<string>> => {
  const query = { fields: HEAD, ...window, page_size: '50' };
  const { total_results: total = 0 } = await caller.ok<Page>(CHANGED, { ...query, page_size: '1' });
  const pages = Array.from({ length: Math.ceil(total / 50) }, (_, index) => String(index + 1));
  const seen = new Set<string>();
  for (const page_no of order === 'forward' ? pages : pages.toReversed())
    for (const tid of tidsOf(await caller.ok<Page>(CHANGED, { ...query, page_no }))) seen.add(tid);
  return seen;
};

test('rows that move while one pages are missed from the front and not from the back', async () => {
  const { alpha, control } = await setUp();
  const to = Date.now() - 5 * MINUTE_MS;
  const spread = { from: new Date(to - 20 * MINUTE_MS).toISOString(), to: new Date(to).toISOString() };
  const missedBy = async (order: 'forward' | 'backward') => {
    const tids = control.createTrades({ count: 2000, spread });
    const pinned = { start_modified: gmt8(to - 21 * MINUTE_MS), end_modified: gmt8(to) };
    control.startMoving({ count: 8, isPerPage: true });
    const seen = await pageThrough(alpha, pinned, order);
    control.stopMoving();
    const later = { start_modified: gmt8(to + 1000), end_modified: gmt8(Date.now() + 2000) };
    const next = await pageThrough(alpha, later, 'backward');
    const moved = tids.filter((tid) => next.has(tid));
    assert.ok(moved.length > 100, `${moved.length} rows moved into the next window`);
    const left = await pageThrough(alpha, pinned, 'backward');
    assert.ok(
      moved.every((tid) => !left.has(tid)),
      'a row that moved is no longer in its old window',
    );
    return tids.filter((tid) => !next.has(tid) && !seen.has(tid)).length;
  };
  assert.ok((await missedBy('forward')) > 0);
  assert.equal(await missedBy('backward'), 0);
});

test('holds 20,000 trades and cuts a page out of them within 50 ms', async () => {
  const { alpha, control } = await setUp();
  const before = performance.now();
  control.createTrades({ count: 20_000 });
  const creationMs = performance.now() - before;
  assert.ok(creationMs < 5000, `created in ${Math.round(creationMs)} ms`);
  const times: number[] = [];
  for (let turn = 0; turn < 8; turn += 1) {
    control.touch(20);
    const start = performance.now();
    const query = { fields: `${HEAD},payment,orders`, ...lastHour(), page_no: String(20 * turn + 1), page_size: '100' };
    const page = await alpha.ok<Page>(CHANGED, { ...query, end_modified: gmt8(Date.now() + 1000) });
    times.push(performance.now() - start);
    assert.deepEqual([tidsOf(page).length, page.total_results], [100, 20_000]);
  }
  assert.ok(Math.min(...times) < 50, `best page took ${Math.round(Math.min(...times))} ms`);
});
