import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from '../../runtime/temporal.ts';
import { quietRuntime, workflowBundle } from '../support/temporal.ts';
import { twinOf, type History } from './history-twin.ts';
import { OUTSIDE_STORIES } from './outside-stories.ts';
import { SHOP_STORIES } from './shop-stories.ts';
import { STORIES } from './stories.ts';

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const stories = { ...STORIES, ...OUTSIDE_STORIES, ...SHOP_STORIES };
const names = Object.keys(stories);
const recorded = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.history.json`), 'utf8'));

/** The name of each history, and what it breaks at, if it does. */
const replay = async (bundle: { code: string }, histories: Record<string, History>): Promise<Map<string, string>> => {
  quietRuntime();
  const options = { workflowBundle: bundle, dataConverter: { failureConverterPath: FAILURE_CONVERTER_PATH } };
  const given = Object.entries(histories).map(([workflowId, history]) => ({ workflowId, history }));
  const results = new Map<string, string>();
  for await (const { workflowId, error } of Worker.runReplayHistories(options, given))
    results.set(workflowId, error ? `${error.name}: ${error.message}` : 'replays');
  return results;
};

const all = (make: (name: string) => History): Record<string, History> =>
  Object.fromEntries(names.map((name) => [name, make(name)]));

const replayed = (async () =>
  replay(
    await workflowBundle(),
    all((name) => historyFromJSON(recorded(name))),
  ))();
const twins = replayed.then(async () =>
  replay(
    await workflowBundle(),
    all((name) => twinOf(recorded(name), stories[name]?.twin ?? assert.fail(name))),
  ),
);

test('every story has its history, and every history its story', () => {
  const files = readdirSync(folder).map((file) => file.replace('.history.json', ''));
  assert.deepEqual(files.toSorted(), names.toSorted());
});

for (const name of names) {
  test(`what is under way goes on with the workflow as it is now: ${name}`, async () => {
    assert.equal((await replayed).get(name), 'replays');
  });
  test(`the check can fail: ${name}, with ${stories[name]?.twin.of} otherwise, does not replay`, async () => {
    assert.match((await twins).get(name) ?? '', /Nondeterminism|TMPRL1100|Determinism/i);
  });
}

/** As the engine does with a task that has served an update: stamped later than the worker was told. */
const stampedLater = (json: unknown, byMs: number): History => {
  const { events } = json as { events: { eventType: string; eventTime: string }[] };
  const later = events.map((event) =>
    event.eventType === 'EVENT_TYPE_WORKFLOW_TASK_STARTED'
      ? { ...event, eventTime: new Date(Date.parse(event.eventTime) + byMs).toISOString() }
      : event,
  );
  return historyFromJSON({ events: later });
};

// A task lasts ten seconds at most.
for (const byMs of [900, 9000])
  test(`no history hangs on the clock: with every task stamped ${byMs} ms later all replay`, async () => {
    const results = await replay(
      await workflowBundle(),
      all((name) => stampedLater(recorded(name), byMs)),
    );
    assert.deepEqual(
      [...results].filter(([, result]) => result !== 'replays'),
      [],
    );
  });

test('the check can fail: with a step more in the workflow no history replays', async () => {
  const changed = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./changed-workflow.ts', import.meta.url)),
    failureConverterPath: FAILURE_CONVERTER_PATH,
    logger: new DefaultLogger('ERROR'),
  });
  const results = await replay(
    changed,
    all((name) => historyFromJSON(recorded(name))),
  );
  assert.deepEqual(
    [...results].filter(([, result]) => !/Nondeterminism|TMPRL1100|Determinism/i.test(result)),
    [],
  );
});

/** TypeScript files of a folder that goes into the bundle. */
const sources = (name: string): [string, string][] =>
  readdirSync(join(root, name)).map((file) => [join(name, file), readFileSync(join(root, name, file), 'utf8')]);

test('nothing that decides knows a clock, chance or the machine of its own', () => {
  const wrong =
    /\bMath\.random|\bnew Date\(\)|\bperformance\b|\bprocess\.|\bcrypto\b|\bsetTimeout|\bsetInterval|\bfetch\(|\bimport\(|\bIntl\.|toLocale/;
  for (const [file, text] of [...sources('domain'), ...sources('workflows')]) assert.doesNotMatch(text, wrong, file);
  // The workflow alone tells the time, and gives it to the rules.
  for (const [file, text] of sources('domain')) assert.doesNotMatch(text, /Date\.now/, file);
});

test('the histories are the baseline: neither they nor the workflows have a patch yet', () => {
  for (const name of names) assert.doesNotMatch(JSON.stringify(recorded(name)), /core_patch/, name);
  for (const [file, text] of sources('workflows')) assert.doesNotMatch(text, /\b(patched|deprecatePatch)\(/, file);
});

test('no history names the machine that it was recorded on', () => {
  for (const name of names) {
    const text = JSON.stringify(recorded(name)).replace(/"data":"([^"]*)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    assert.doesNotMatch(text, /\d+@|file:\/\/|node_modules|\/home|\/root|\/tmp/, name);
    assert.ok(text.length < 60_000, `${name} is long`);
  }
});
