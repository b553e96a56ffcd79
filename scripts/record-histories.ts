import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { temporalAddress } from '../test/support/servers.ts';
import { newQueue, startBench } from '../test/support/temporal.ts';
import { OrderBench, servingActivities, workOutside } from '../test/workflows/order-bench.ts';
import { OUTSIDE_STORIES } from '../test/replay/outside-stories.ts';
import { SHOP_STORIES, shopOf, type ShopStory } from '../test/replay/shop-stories.ts';
import { STORIES, type RecordedStory } from '../test/replay/stories.ts';

const usage = `Records the histories that the replay tests play again: npm run record:histories [-- name …]
Only when a workflow is meant to decide otherwise than before; a history that no longer replays is a running order that breaks.`;

const folder = fileURLToPath(new URL('../test/replay/histories/', import.meta.url));
const names = process.argv.slice(2);
if (names.includes('--help')) {
  console.log(usage);
  process.exit(0);
}
const orderStories = { ...STORIES, ...OUTSIDE_STORIES };
const known = [...Object.keys(orderStories), ...Object.keys(SHOP_STORIES)];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`there is no story ${unknown.join(', ')}; there are ${known.join(', ')}`);

/** A failure's message and stack as they are stored, without the stack: it names files of this machine. */
const withoutStack = (attributes: { data?: string }): object => {
  const failure: object = JSON.parse(Buffer.from(attributes.data ?? '', 'base64').toString());
  const data = Buffer.from(JSON.stringify({ ...failure, stack_trace: '' })).toString('base64');
  return { ...attributes, data };
};

/** Names of machines, processes and builds say nothing about the order. */
const withoutMachine = (json: string): { events: unknown[] } =>
  JSON.parse(json, (key, value) => {
    if (key === 'identity') return 'worker';
    if (key === 'buildId') return 'recorded';
    if (key === 'name' && typeof value === 'string' && value.includes('@')) return 'sticky';
    return key === 'encodedAttributes' ? withoutStack(value) : value;
  });

const bench = await startBench(await temporalAddress());
const serving = servingActivities();
const workers = [
  await bench.work({ taskQueue: serving.taskQueue, activities: serving.activities }),
  ...(await workOutside(bench, serving)),
];

const write = async (name: string, handle: Pick<WorkflowHandle, 'fetchHistory'>): Promise<void> => {
  const history = withoutMachine(historyToJSON(await handle.fetchHistory()));
  writeFileSync(join(folder, `${name}.history.json`), `${JSON.stringify(history, null, 1)}\n`);
  console.log(`${name}: ${history.events.length} events`);
};

const record = async (name: string, { tell, warehouseIds = [], isFirstRun = false }: RecordedStory): Promise<void> => {
  const orders = new OrderBench(bench, serving.taskQueue, warehouseIds);
  serving.add(orders);
  const order = await tell(orders);
  const { workflowId, firstExecutionRunId } = order.handle;
  await write(name, isFirstRun ? bench.client.workflow.getHandle(workflowId, firstExecutionRunId) : order.newest);
  await orders.end();
};

const recordShop = async (name: string, { tell }: ShopStory): Promise<void> => {
  const taskQueue = newQueue();
  const shop = shopOf(bench.client, taskQueue, name);
  const worker = await bench.work({ taskQueue, activities: shop.served });
  await write(name, await tell(shop));
  await worker.stop();
};

mkdirSync(folder, { recursive: true });
const isAsked = ([name]: [string, unknown]) => names.length === 0 || names.includes(name);
for (const [name, story] of Object.entries(orderStories).filter(isAsked)) await record(name, story);
for (const [name, story] of Object.entries(SHOP_STORIES).filter(isAsked)) await recordShop(name, story);
for (const worker of workers) await worker.stop();
await bench.close();
process.exit(0);
