import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startWmsSimulator, type WmsSimulatorOptions } from '../../simulators/wms/wms-simulator.ts';

const ACCOUNT = { appKey: 'k1', secret: 's1', customerId: 'c1', warehouseId: 'wh1' };
const BY_HAND = { pickAfterMs: null, packAfterMs: null, shipAfterMs: null };
const QUICK = { pickAfterMs: 5, packAfterMs: 5, shipAfterMs: 5 };

interface Heard {
  method: string;
  outBizCode: string;
  body: string;
  isSigned: boolean;
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex').toUpperCase();
const signOf = (query: URLSearchParams, body: string) => {
  const names = [...query.keys()].filter((name) => name !== 'sign').sort();
  return md5(`s1${names.map((name) => name + (query.get(name) ?? '')).join('')}${body}s1`);
};

/** A merchant that hears reports and answers what it is told to, success by default. */
const startMerchant = async () => {
  const heard: Heard[] = [];
  const answers: ('failure' | 'nothing')[] = [];
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const query = new URL(req.url ?? '/', 'http://m').searchParams;
    const isSigned = query.get('sign') === signOf(query, body);
    const [, outBizCode = ''] = /outBizCode[>":]+([^<"]+)/.exec(body) ?? [];
    heard.push({ method: (query.get('method') ?? '').replace('taobao.qimen.', ''), outBizCode, body, isSigned });
    const told = isSigned ? answers.shift() : 'failure';
    if (told === 'nothing') return void req.socket.destroy();
    const flag = told ?? 'success';
    if (query.get('format') === 'json') res.end(JSON.stringify({ response: { flag, code: 'E', message: 'no' } }));
    else res.end(`<response><flag>${flag}</flag><code>E</code><message>no</message></response>`);
  };
  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/qimen/wh1`, heard, answers };
};

const startBoth = async (options: Partial<WmsSimulatorOptions> = {}, format: 'xml' | 'json' = 'xml') => {
  const merchant = await startMerchant();
  const wms = await startWmsSimulator({
    accounts: [{ ...ACCOUNT, callbackUrl: merchant.url, format }],
    life: BY_HAND,
    retry: { firstMs: 10, longestMs: 50 },
    ...options,
  });
  after(() => wms.stop());
  return { merchant, wms, control: wms.control };
};

const chinaNow = (offsetMs = 0) =>
  new Date(Date.now() + 8 * 3_600_000 + offsetMs).toISOString().slice(0, 19).replace('T', ' ');

const ask = async (url: string, method: string, body: string, params: Record<string, string> = {}) => {
  const query = new URLSearchParams({
    method: `taobao.qimen.${method}`,
    app_key: 'k1',
    customerId: 'c1',
    timestamp: chinaNow(),
    v: '2.0',
    ...params,
  });
  if (!query.has('sign')) query.set('sign', signOf(query, body));
  const text = await (await fetch(`${url}?${query.toString()}`, { method: 'POST', body })).text();
  return /<flag>(.*?)<\/flag>/.exec(text)?.[1] === 'success' ? 'success' : /<code>(.*?)<\/code>/.exec(text)?.[1];
};

const place = '<province>浙江省</province><city>杭州市</city><detailAddress>文三路 1 号</detailAddress>';
const createBody = (code: string, units: Record<string, number> = { A: 2, B: 1 }) =>
  `<request><deliveryOrder><deliveryOrderCode>${code}</deliveryOrderCode><orderType>JYCK</orderType><warehouseCode>wh1</warehouseCode>` +
  `<sourcePlatformCode>TB</sourcePlatformCode><createTime>2026-11-22 10:00:00</createTime><placeOrderTime>2026-11-22 10:00:00</placeOrderTime>` +
  `<operateTime>2026-11-22 10:00:00</operateTime><shopNick>tao1</shopNick><logisticsCode>SF</logisticsCode>` +
  `<senderInfo><name>East</name>${place}</senderInfo><receiverInfo><name>张三</name><mobile>13812348000</mobile>${place}</receiverInfo></deliveryOrder><orderLines>` +
  Object.entries(units)
    .map(
      ([sku, quantity]) =>
        `<orderLine><orderLineNo>l${sku}</orderLineNo><ownerCode>c1</ownerCode><itemCode>${sku}</itemCode><planQty>${quantity}</planQty><actualPrice>1.00</actualPrice></orderLine>`,
    )
    .join('') +
  '</orderLines></request>';
const create = (url: string, code: string, units?: Record<string, number>) =>
  ask(url, 'deliveryorder.create', createBody(code, units));
const stop = (url: string, code: string) =>
  ask(url, 'order.cancel', `<request><orderCode>${code}</orderCode></request>`);

const until = async (isTrue: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 5000; !isTrue(); await sleep(10))
    if (Date.now() > deadline) assert.fail('it did not come about');
};

test('calls that are unsigned, old, of strangers or incomplete are refused, each with its code', async () => {
  const { wms, control } = await startBoth();
  const body = createBody('o.1.D1');
  const refused = (params: Record<string, string>) => ask(wms.url, 'deliveryorder.create', body, params);
  assert.equal(await refused({ sign: 'x' }), 'sign-check-failure');
  assert.equal(await refused({ app_key: 'k2' }), 'invalid-app-key');
  assert.equal(await refused({ customerId: 'c2' }), 'invalid-customer-id');
  assert.equal(await refused({ timestamp: chinaNow(-11 * 60_000) }), 'invalid-timestamp');
  assert.equal(await refused({ v: '1.0' }), 'invalid-version');
  for (const [name, value] of [
    ['shopNick', ''],
    ['mobile', ''],
    ['planQty', '0'],
    ['ownerCode', 'c2'],
    ['warehouseCode', 'wh2'],
    ['actualPrice', '100'],
  ] as const) {
    const wrong = body.replace(new RegExp(`<${name}>[^<]*<`), `<${name}>${value}<`);
    assert.equal(await ask(wms.url, 'deliveryorder.create', wrong), 'S001', name);
  }
  assert.equal(await ask(wms.url, 'deliveryorder.create', '<request>'), 'invalid-body');
  assert.deepEqual(control.books().orders, {});
});

test('a delivery is taken once, and a second wish for it is refused and counted', async () => {
  const { wms, control } = await startBoth();
  assert.equal(await create(wms.url, 'o.1.D1'), 'success');
  assert.equal(await create(wms.url, 'o.1.D1'), 'S003');
  assert.equal(control.books().orders['o.1.D1']?.creates, 2);
});

test('a delivery is packed and shipped by itself, and each report is signed and taken once', async () => {
  for (const format of ['xml', 'json'] as const) {
    const { wms, merchant, control } = await startBoth({ life: { ...QUICK, progress: ['PICK', 'PACKAGE'] } }, format);
    await create(wms.url, 'o.1.D1');
    await until(() => control.books().totals.reportsTaken === 3);
    assert.deepEqual(
      merchant.heard.map(({ method, isSigned }) => `${method} ${isSigned}`),
      ['orderprocess.report true', 'orderprocess.report true', 'deliveryorder.confirm true'],
    );
    assert.match(merchant.heard[2]?.body ?? '', /lA.*lB|lB.*lA/s);
    assert.equal(control.books().orders['o.1.D1']?.state, 'shipped');
  }
});

test('a report is sent again under its number until it is taken', async () => {
  const { wms, merchant, control } = await startBoth();
  merchant.answers.push('failure', 'nothing', 'failure');
  await create(wms.url, 'o.1.D1');
  control.ship('o.1.D1');
  await until(() => control.books().totals.reportsTaken === 1);
  assert.deepEqual(new Set(merchant.heard.map(({ outBizCode }) => outBizCode)), new Set(['o.1.D1-C1']));
  const [report] = control.books().orders['o.1.D1']?.reports ?? [];
  assert.deepEqual(report?.answers, ['E: no', 'no answer', 'E: no', 'success']);
});

test('goods leave in parts and in several parcels, and add up to what was asked for', async () => {
  const { wms, control } = await startBoth({ life: { ...QUICK, splitRate: 1, partRate: 1, progress: [] } });
  await create(wms.url, 'o.1.D1', { A: 5, B: 4 });
  await until(() => control.books().totals.reportsTaken === 2);
  const confirms = control.books().orders['o.1.D1']?.reports.map(({ content }) => content) ?? [];
  const parcels = confirms.flatMap((content) => (content.kind === 'confirm' ? content.parcels : []));
  assert.deepEqual(
    confirms.map((content) => content.kind === 'confirm' && content.isFinal),
    [false, true],
  );
  assert.equal(new Set(parcels.map(({ expressCode }) => expressCode)).size, 4);
  const sent = (sku: string) =>
    parcels.flatMap(({ items }) => items).reduce((sum, item) => sum + (item.itemCode === sku ? item.quantity : 0), 0);
  assert.deepEqual([sent('A'), sent('B')], [5, 4]);
});

test('a stop is taken until the goods are packed; what is stopped is never reported as sent', async () => {
  const { wms, control } = await startBoth({ life: { pickAfterMs: 0, packAfterMs: 100, shipAfterMs: 10 } });
  await create(wms.url, 'o.1.D1');
  await until(() => control.books().orders['o.1.D1']?.state === 'picking');
  assert.equal(await stop(wms.url, 'o.1.D1'), 'success');
  await create(wms.url, 'o.2.D1');
  await until(() => control.books().orders['o.2.D1']?.state === 'shipped');
  assert.equal(await stop(wms.url, 'o.2.D1'), 'S010');
  assert.equal(await stop(wms.url, 'o.3.D1'), 'S004');
  const { orders, totals } = control.books();
  assert.equal(orders['o.1.D1']?.state, 'stopped');
  assert.deepEqual(orders['o.1.D1']?.reports, []);
  assert.deepEqual([totals.stops, totals.refusedStops], [1, 1]);
});

test('reports can be forged, doubled and out of order, and are taken in the end all the same', async () => {
  const { wms, merchant, control } = await startBoth({ life: { ...BY_HAND, progress: ['PACKAGE'] } });
  control.faults.add({ kind: 'bad-signature', code: 'o.1.D1', times: 1 });
  control.faults.add({ kind: 'duplicate-report', code: 'o.2.D1', times: 1 });
  control.faults.add({ kind: 'out-of-order', code: 'o.3.D1', times: 1, delayMs: 200 });
  for (const code of ['o.1.D1', 'o.2.D1', 'o.3.D1']) await create(wms.url, code);
  control.ship('o.1.D1');
  control.ship('o.2.D1');
  control.pack('o.3.D1');
  control.ship('o.3.D1');
  await until(() => control.books().totals.reportsTaken === 4);
  const { orders } = control.books();
  assert.deepEqual(orders['o.1.D1']?.reports[0]?.answers, ['E: no', 'success']);
  assert.deepEqual(orders['o.2.D1']?.reports[0]?.answers, ['success', 'success']);
  const third = merchant.heard.filter(({ body }) => body.includes('o.3.D1')).map(({ method }) => method);
  assert.deepEqual(third, ['deliveryorder.confirm', 'orderprocess.report']);
});

test('a warehouse that starts again goes on: books, numbers, and what was not yet said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wms-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const journalFile = join(folder, 'wms.jsonl');
  const merchant = await startMerchant();
  merchant.answers.push(...new Array<'failure'>(1000).fill('failure'));
  const accounts = [{ ...ACCOUNT, callbackUrl: merchant.url }];
  const life = { ...QUICK, progress: [] };
  const first = await startWmsSimulator({ accounts, journalFile, life, retry: { firstMs: 10, longestMs: 10 } });
  await create(first.url, 'o.1.D1');
  await until(() => merchant.heard.length > 1);
  await first.stop();
  merchant.answers.length = 0;
  const second = await startWmsSimulator({ accounts, journalFile, life });
  after(() => second.stop());
  await until(() => second.control.books().totals.reportsTaken === 1);
  assert.equal(await create(second.url, 'o.1.D1'), 'S003');
  assert.equal(second.control.books().orders['o.1.D1']?.creates, 2);
  assert.deepEqual(new Set(merchant.heard.map(({ outBizCode }) => outBizCode)), new Set(['o.1.D1-C1']));
});

test('it is steered over HTTP as in process', async () => {
  const { wms, merchant } = await startBoth();
  const control = async (method: string, path: string, body?: object) => {
    const init = { method, ...(body ? { body: JSON.stringify(body) } : {}) };
    const response = await fetch(new URL(`/_control/${path}`, wms.url), init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  assert.equal((await control('POST', 'faults', { kind: 'nonsense' })).status, 400);
  assert.equal((await control('POST', 'faults', { kind: 'down', times: 1 })).status, 201);
  await assert.rejects(create(wms.url, 'o.1.D1'));
  await create(wms.url, 'o.1.D1');
  assert.equal((await control('POST', 'orders/o.1.D1/pack')).body['state'], 'packed');
  await control('POST', 'orders/o.1.D1/ship', {
    parcels: [{ logisticsCode: 'ZTO', expressCode: 'Z1', items: [{ lineNo: 'lA', itemCode: 'A', quantity: 9 }] }],
    isFinal: false,
    number: 'mine',
  });
  await until(() => merchant.heard.some(({ outBizCode }) => outBizCode === 'mine'));
  assert.equal((await control('POST', 'orders/o.1.D1/repeat')).body['answer'], 'success');
  assert.equal(merchant.heard.filter(({ outBizCode }) => outBizCode === 'mine').length, 2);
  assert.equal((await control('GET', 'totals')).body['deliveries'], 1);
  assert.equal((await control('POST', 'orders/o.9.D1/pack')).status, 404);
  const { calls } = (await control('GET', 'calls')).body as { calls: { outcome: string }[] };
  assert.deepEqual(
    calls.map(({ outcome }) => outcome),
    ['down', 'success'],
  );
});
