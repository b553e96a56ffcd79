import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { AdapterError } from '../../../domain/failures.ts';
import { QimenClient } from '../../../adapters/wms/qimen/qimen-client.ts';
import { ACCOUNT, deliveryOrder, startWarehouse } from './qimen-set-up.ts';

const { wms, account, client } = await startWarehouse();
const { control } = wms;
const stored = (code: string) => control.books().orders[code];
beforeEach(() => control.faults.clear());

const failure = async (act: () => Promise<unknown>): Promise<AdapterError> => {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof AdapterError, String(error));
    return error;
  }
  return assert.fail('it did not fail');
};

test('a delivery arrives as it was asked for', async () => {
  assert.deepEqual(await client.create(deliveryOrder('tao1.1.D1')), { state: 'done' });
  const delivery = stored('tao1.1.D1');
  assert.deepEqual(delivery?.lines, [
    { lineNo: '1234567890123456701', itemCode: 'TEE-M', quantity: 2 },
    { lineNo: '1234567890123456702', itemCode: 'MUG', quantity: 1 },
  ]);
  assert.deepEqual(delivery?.receiver, {
    name: '张三丰',
    mobile: '13812348000',
    province: '浙江省',
    city: '杭州市',
    area: '西湖区',
    detailAddress: '文三路 138 号 <3>',
    oaid: 'oaid-1',
  });
});

test('the same again is done, and there is one delivery', async () => {
  const order = deliveryOrder('tao1.2.D1');
  for (let i = 0; i < 3; i += 1) assert.deepEqual(await client.create(order), { state: 'done' });
  assert.equal(stored('tao1.2.D1')?.creates, 3);
  assert.equal(stored('tao1.2.D1')?.lines.length, 2);
});

test('a code that the warehouse knows with other goods, or has ended, is refused', async () => {
  const order = deliveryOrder('tao1.3.D1');
  await client.create(order);
  const [first] = order.lines;
  const other = await client.create({ ...order, lines: first ? [first] : [] });
  assert.deepEqual(other, { state: 'refused', detail: 'it knows tao1.3.D1 with other goods' });
  await client.stop('tao1.3.D1', 'cancelled');
  assert.deepEqual(await client.create(order), { state: 'refused', detail: 'it has ended tao1.3.D1: CANCELED' });
});

test('a lost answer is an unknown outcome, and asking again finds the delivery', async () => {
  for (const kind of ['lost-answer', 'cut-short'] as const) {
    const order = deliveryOrder(`tao1.${kind}.D1`);
    control.faults.add({ kind, method: 'deliveryorder.create', times: 1 });
    assert.equal((await failure(() => client.create(order))).kind, 'unknownOutcome');
    assert.equal(stored(order.code)?.creates, 1);
    assert.deepEqual(await client.create(order), { state: 'done' });
    assert.equal(stored(order.code)?.creates, 2);
  }
});

test('a warehouse that does not answer in time is an unknown outcome', async () => {
  control.faults.add({ kind: 'hang', times: 1 });
  const error = await failure(() => client.create(deliveryOrder('tao1.4.D1')));
  assert.equal(error.kind, 'unknownOutcome');
  assert.match(error.message, /no answer in time/);
});

test('an answer that was lost while the state was asked for only has to be asked again', async () => {
  const order = deliveryOrder('tao1.5.D1');
  await client.create(order);
  control.faults.add({ kind: 'lost-answer', method: 'deliveryorder.query', times: 1 });
  assert.equal((await failure(() => client.create(order))).kind, 'unavailable');
  assert.deepEqual(await client.create(order), { state: 'done' });
});

test('a refusal is a result, a busy or broken warehouse a failure to be asked again', async () => {
  control.faults.add({ kind: 'refuse-create', times: 1 });
  const refused = await client.create(deliveryOrder('tao1.6.D1'));
  assert.deepEqual(refused, { state: 'refused', detail: 'S002: the address is outside the area of all couriers' });
  control.faults.add({ kind: 'busy', times: 1 });
  assert.equal((await failure(() => client.create(deliveryOrder('tao1.6.D1')))).kind, 'unavailable');
  control.faults.add({ kind: 'http-500', times: 1 });
  assert.equal((await failure(() => client.create(deliveryOrder('tao1.6.D1')))).kind, 'unknownOutcome');
  const gone = new QimenClient({ ...account, baseUrl: await addressOfNobody() });
  assert.equal((await failure(() => gone.create(deliveryOrder('tao1.6.D1')))).kind, 'unavailable');
  assert.equal(stored('tao1.6.D1'), undefined);
});

test('a wrong secret or customer is a matter of the settings, and is in no message', async () => {
  for (const wrong of [{ secret: 'S3CRET' }, { appKey: 'other' }, { customerId: 'other' }]) {
    const error = await failure(() => new QimenClient({ ...account, ...wrong }).create(deliveryOrder('tao1.7.D1')));
    assert.equal(error.kind, 'unauthorised');
    assert.doesNotMatch(error.message, /S3CRET|secret-1|sign=/);
  }
  assert.equal(stored('tao1.7.D1'), undefined);
});

test('a delivery is stopped until it is packed, and what was stopped stays stopped', async () => {
  await client.create(deliveryOrder('tao1.8.D1'));
  control.pick('tao1.8.D1');
  for (let i = 0; i < 2; i += 1) assert.deepEqual(await client.stop('tao1.8.D1', 'cancelled'), { state: 'done' });
  assert.equal(stored('tao1.8.D1')?.state, 'stopped');
  assert.deepEqual(stored('tao1.8.D1')?.stops, ['stopped']);
});

test('a stop that comes too late is refused', async () => {
  await client.create(deliveryOrder('tao1.9.D1'));
  control.pack('tao1.9.D1');
  const refused = { state: 'refused', detail: 'S010: too late: the order is packed' };
  assert.deepEqual(await client.stop('tao1.9.D1', 'cancelled'), refused);
  assert.equal(stored('tao1.9.D1')?.state, 'packed');
});

test('a stop whose answer was lost is found done when it is asked for again', async () => {
  await client.create(deliveryOrder('tao1.10.D1'));
  control.faults.add({ kind: 'lost-answer', method: 'order.cancel', times: 1 });
  assert.equal((await failure(() => client.stop('tao1.10.D1', 'cancelled'))).kind, 'unknownOutcome');
  assert.deepEqual(await client.stop('tao1.10.D1', 'cancelled'), { state: 'done' });
});

test('what never came there needs no stop', async () => {
  assert.deepEqual(await client.stop('tao1.never.D1', 'cancelled'), { state: 'done' });
});

test('an address that has a query keeps it, signed with the rest', async () => {
  const { url } = wms;
  const routed = new QimenClient({ ...account, baseUrl: `${url}?target=east&empty=` });
  assert.deepEqual(await routed.create(deliveryOrder('tao1.11.D1')), { state: 'done' });
});

test('texts that look like XML, or cannot be in it, arrive as texts', async () => {
  const order = deliveryOrder('tao1.12.D1');
  const hostile = { ...order.receiver, name: '</name><oaid>x</oaid>&amp;', address: 'a\u0000b\u001fc]]>' };
  assert.deepEqual(await client.create({ ...order, receiver: hostile }), { state: 'done' });
  assert.equal(stored(order.code)?.receiver['name'], '</name><oaid>x</oaid>&amp;');
  assert.equal(stored(order.code)?.receiver['detailAddress'], 'a b c]]>');
  assert.equal(stored(order.code)?.receiver['oaid'], 'oaid-1');
});

/** Where nobody listens any more. */
const addressOfNobody = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
};

/** Answers every call with what `answer` says of its method. */
const startAnswering = async (answer: (method: string) => { status?: number; body: string; headers?: object }) => {
  const server = createServer((req, res) => {
    req.resume().on('end', () => {
      const method = new URL(req.url ?? '/', 'http://x').searchParams.get('method') ?? '';
      const { status = 200, body, headers = {} } = answer(method.replace('taobao.qimen.', ''));
      res.writeHead(status, { ...headers }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return new QimenClient({ ...ACCOUNT, baseUrl }, { timeoutMs: 1000 });
};
const said = (flag: string, code: string, message: string, more = '') =>
  `<response><flag>${flag}</flag><code>${code}</code><message>${message}</message>${more}</response>`;

test('an answer that is no Qimen response is an unknown outcome, whatever it is', async () => {
  for (const body of [
    '',
    '<html>',
    '{"flag":',
    '<response/>',
    said('maybe', '0', ''),
    `<!DOCTYPE x>${said('success', '0', '')}`,
    `<response>${'x'.repeat(1_100_000)}</response>`,
  ]) {
    const odd = await startAnswering(() => ({ body }));
    assert.equal((await failure(() => odd.create(deliveryOrder('s.1.D1')))).kind, 'unknownOutcome', body.slice(0, 40));
  }
});

test('the waits that a warehouse asks for are passed on, and no redirection is followed', async () => {
  const at = (status: number, headers = {}) => startAnswering(() => ({ status, body: '', headers }));
  const kindOf = async (status: number, headers = {}) => {
    const busy = await at(status, headers);
    const { kind, retryAfterMs } = await failure(() => busy.create(deliveryOrder('s.1.D1')));
    return [kind, retryAfterMs];
  };
  assert.deepEqual(await kindOf(429, { 'retry-after': '7' }), ['throttled', 7000]);
  assert.deepEqual(await kindOf(503, { 'retry-after': '9999999' }), ['unavailable', 3_600_000]);
  assert.deepEqual(await kindOf(502), ['unknownOutcome', undefined]);
  assert.deepEqual(await kindOf(403), ['unauthorised', undefined]);
  assert.deepEqual(await kindOf(302, { location: wms.url }), ['invalid', undefined]);
});

test('a JSON answer is understood too', async () => {
  const body = '{"response":{"flag":"success","code":0,"message":""}}';
  const json = await startAnswering(() => ({ body }));
  assert.deepEqual(await json.create(deliveryOrder('s.1.D1')), { state: 'done' });
});

test('what a warehouse says of the receiver stays out of its refusal', async () => {
  const message = '张三丰, 13812348000, 文三路 138 号 &lt;3&gt; is not served; call 057188881234';
  const chatty = await startAnswering(() => ({ body: said('failure', 'E7', message) }));
  assert.deepEqual(await chatty.create(deliveryOrder('s.1.D1')), {
    state: 'refused',
    detail: 'E7: ***, ***, *** is not served; call ***',
  });
});

test('words of other warehouses for a known order, a late stop and an unknown order are understood', async () => {
  const status = (word: string) =>
    said(
      'success',
      '0',
      '',
      `<deliveryOrder><deliveryOrderCode>s.1.D1</deliveryOrderCode><status>${word}</status></deliveryOrder>`,
    );
  const chinese = (onCall: string, query: string) =>
    startAnswering((method) => ({ body: method === 'deliveryorder.query' ? query : said('failure', 'B01', onCall) }));
  const known = await chinese('单据已存在', status('ACCEPT'));
  assert.deepEqual(await known.create(deliveryOrder('s.1.D1')), { state: 'done' });
  const late = await chinese('订单已出库，不能取消', status('DELIVERED'));
  assert.deepEqual(await late.stop('s.1.D1', 'x'), { state: 'refused', detail: 'B01: 订单已出库，不能取消' });
  const stopped = await chinese('订单状态不允许', status('CANCELED'));
  assert.deepEqual(await stopped.stop('s.1.D1', 'x'), { state: 'done' });
  const unknown = await chinese('单据不存在', said('failure', 'B02', '单据不存在'));
  assert.deepEqual(await unknown.stop('s.1.D1', 'x'), { state: 'done' });
  const noSku = await chinese('商品 TEE-M 不存在', status('ACCEPT'));
  assert.equal((await noSku.create(deliveryOrder('s.1.D1'))).state, 'refused');
  const busy = await chinese('系统繁忙，请稍后再试', status('ACCEPT'));
  assert.equal((await failure(() => busy.create(deliveryOrder('s.1.D1')))).kind, 'unavailable');
});
