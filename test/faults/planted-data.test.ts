import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { Instance } from '../../bench/instance.ts';
import { CallTally } from './careful-caller.ts';
import { setUp } from './fault-setup.ts';
import { Search, type Needle } from './haystack.ts';
import { lookIntoDatabase, lookIntoMetrics, lookIntoWorkflows } from './haystacks.ts';
import { openData, type InstanceData } from './instance-data.ts';
import { misuse, misuses } from './misuse.ts';
import { BOTH, ORDER_PATHS } from './order-paths.ts';
import { OrderStory, type Cast } from './order-story.ts';
import { plant, type Planted } from './planted.ts';
import { seeded } from './seeded.ts';

const random = seeded(7);
const ACCOUNT = { name: '纳兰霁月', number: '6222021001116245731', bank: '栖霞村镇银行望舒支行' };

describe('names, phones, addresses and accounts that were put in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orderhub-planted-'));
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const needles: Needle[] = Object.entries(ACCOUNT).map(([field, value]) => ({ what: `account ${field}`, value }));
  const answers: { name: string; status: number; text: string }[] = [];
  let instance: Instance<'app'>;
  let data: InstanceData;
  let cast: Cast;
  let apiKey: string;

  const person = (about: string): Planted => {
    const planted = plant(random);
    needles.push(
      ...Object.entries(planted).map(([field, value]) => ({ what: `${field} of ${about}`, value: String(value) })),
    );
    return planted;
  };
  const storyOf = (number: string) =>
    new OrderStory({
      number,
      cast,
      receivers: [person(`${number}, receiver`), person(`${number}, new receiver`)],
      signal: stop.signal,
    });

  before(
    async () => {
      const say = (sentence: string) => void process.stderr.write(`# ${sentence}\n`);
      const processes = { app: { roles: 'api,worker,relay' } };
      instance = await Instance.start({ folder, env: process.env, say, logLevel: 'debug', processes });
      data = await openData(instance);
      ({ cast, apiKey } = await setUp(instance, new CallTally(), stop.signal));
      const quick = ORDER_PATHS.filter(({ isSlow }) => !isSlow);
      await Promise.all(quick.map((path, index) => path.run(storyOf(`N${index + 1}`))));

      const story = storyOf('BANK');
      const newOrder = story.body(BOTH, 0);
      await cast.service.post('/v1/orders', newOrder);
      await cast.service.post(`${story.path}/payments`, {
        ...story.payment('p1', 3000),
        method: 'bank',
        account: ACCOUNT,
      });
      const sender = person('whoever sends what is refused');
      for (const request of misuses(sender, { order: story.orderId, newOrder }))
        answers.push({ name: request.name, ...(await misuse(instance.url, apiKey, request)) });
      for (const request of misuses(sender, { order: story.orderId, newOrder }))
        answers.push({ name: `${request.name}, not signed in`, ...(await misuse(instance.url, 'nobody', request)) });
    },
    { timeout: 180_000 },
  );
  after(async () => {
    stop.abort();
    await data?.close();
    instance?.discard();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  const lookEverywhere = async (search: Search): Promise<void> => {
    for (const part of ['logs', 'mongo', 'temporal']) search.lookUnder(join(folder, part));
    await lookIntoMetrics(search, instance.url);
    assert.ok((await lookIntoDatabase(search, data.connection)) > 100);
    assert.ok((await lookIntoWorkflows(search, data.client, data.codec)) > 20);
  };
  const foundBy = (search: Search): string[] =>
    search.found.map(({ place, what, form }) => `${what} is in ${place}, as ${form}`);

  it('are in no log, history, description, metric, collection or data file', async () => {
    const search = new Search(needles);
    await lookEverywhere(search);
    assert.deepEqual(foundBy(search), []);
  });

  it('are in no answer to what is malformed, foreign, unknown or too large, nor is there a stack', () => {
    const search = new Search(needles);
    for (const { name, text } of answers) search.look(`the answer to ${name}`, text);
    assert.deepEqual(foundBy(search), []);
    assert.deepEqual(
      answers.filter(({ status }) => status >= 500),
      [],
    );
    assert.deepEqual(
      answers.filter(({ text }) => /\bat .+:\d+:\d+/.test(text)).map(({ name }) => name),
      [],
    );
    const accepted = answers.filter(({ status }) => status < 400).map(({ name }) => name);
    assert.deepEqual(accepted, ['a key that is a phone', 'a search by phone', 'a search by name']);
  });

  it('are shown in full to who may ask for them, and a search like the others finds them there', async () => {
    const revealed = await cast.service.post(`/v1/orders/faults.N1/reveal`, {
      fields: ['name', 'phone', 'address'],
      reason: 'the courier asks',
    });
    const search = new Search(needles);
    search.look('the answer', JSON.stringify(revealed));
    assert.deepEqual(
      search.found
        .map(({ what, form }) => `${what}: ${form}`)
        .filter((line) => line.endsWith('clear'))
        .sort(),
      ['address of N1, receiver: clear', 'name of N1, receiver: clear', 'phone of N1, receiver: clear'],
    );
  });

  it('would be found wherever they lay in clear', async () => {
    const control = plant(seeded(8));
    const connection = await Connection.connect({ address: instance.temporalAddress });
    const unencrypted = new Client({ connection });
    await unencrypted.workflow.getHandle('order/faults.BANK').signal('unknownToUs', control);
    await connection.close();
    await data.connection
      .collection('control')
      .insertOne({ control: `${control.name} ${control.phone} ${control.address}` });
    appendFileSync(
      join(folder, 'logs', 'control.log'),
      encodeURIComponent(control.name) + Buffer.from(`phone=${control.phone}`).toString('base64'),
    );
    const search = new Search(Object.entries(control).map(([what, value]) => ({ what, value: String(value) })));
    await lookEverywhere(search);
    const places = search.found.map(({ place, what }) => `${what} in ${place}`);
    for (const what of ['name', 'phone', 'address']) {
      assert.ok(places.includes(`${what} in database, collection control`), `${what} in the database`);
      assert.ok(places.includes(`${what} in workflow order/faults.BANK, history`), `${what} in a history`);
      assert.ok(
        places.some((place) => place.startsWith(`${what} in temporal/temporal.db`)),
        `${what} in Temporal's file`,
      );
    }
    assert.ok(places.includes('name in logs/control.log') && places.includes('phone in logs/control.log'), 'in a log');
  });
});
