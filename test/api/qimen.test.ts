import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { ReportParcelsCommand } from '../../domain/order-messages.ts';
import { createQimenRoutes } from '../../api/qimen/qimen-routes.ts';
import type { WmsDesk } from '../../api/qimen/wms-desk.ts';
import { Problem } from '../../api/errors.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { orderCollection } from '../../models/order-records.ts';
import { warehouseCollection, warehouseEntity } from '../../models/warehouse-records.ts';
import { qimenTime } from '../../adapters/wms/qimen/qimen-time.ts';
import { qimenSign } from '../../adapters/wms/qimen/sign.ts';
import { startTestApi } from './api-harness.ts';

/** Orders that obey the desk's contract: the same report again is the same, and `answer` says what becomes of a new one. */
class FakeDesk implements WmsDesk {
  booked = new Map<string, Omit<ReportParcelsCommand, 'type'>>();
  noted: string[] = [];
  actors = new Set<string>();
  answer: () => void = () => {};

  book: WmsDesk['book'] = async (warehouseId, report, { actor }) => {
    this.actors.add(`${actor.kind}/${actor.id}`);
    if (this.booked.has(report.outBizCode)) return;
    this.answer();
    this.booked.set(report.outBizCode, { warehouseId, ...report });
  };

  note: WmsDesk['note'] = async (warehouseId, { deliveryOrderCode, status }) => {
    this.answer();
    this.noted.push(`${warehouseId} ${deliveryOrderCode} ${status}`);
  };
}

let desk = new FakeDesk();
const api = await startTestApi({
  routes: (deps) =>
    createQimenRoutes(deps, { book: (...words) => desk.book(...words), note: (...words) => desk.note(...words) }),
});
const { connection, sealer } = api.deps;
const wmsOf = (id: string) => ({
  type: 'qimen' as const,
  baseUrl: 'http://wms.example.com/',
  appKey: 'k1',
  secretSealed: sealer.seal({ secret: `S3CRET-${id}` }, warehouseEntity(id)),
  customerId: 'c1',
});
await warehouseCollection(connection).insertMany(
  ['wh1', 'wh2', 'byhand'].map((_id) => ({
    _id,
    name: _id,
    province: '浙江省',
    city: '杭州市',
    wms: _id === 'byhand' ? null : wmsOf(_id),
    revision: 1,
    updatedAt: new Date(),
  })),
);

interface Sent {
  body?: string | Buffer;
  method?: string;
  warehouse?: string;
  secretOf?: string;
  params?: Record<string, string>;
  contentType?: string;
  query?: string;
}

const send = async ({
  body = confirm('s1.1.D1'),
  method = 'taobao.qimen.deliveryorder.confirm',
  warehouse = 'wh1',
  secretOf = warehouse,
  params = {},
  contentType = 'text/xml; charset=utf-8',
  query = '',
}: Sent = {}) => {
  const timestamp = qimenTime(new Date());
  const all = { method, app_key: 'k1', customerId: 'c1', timestamp, v: '2.0', sign_method: 'md5', ...params };
  const sign = qimenSign(all, Buffer.from(body), `S3CRET-${secretOf}`);
  const path = `/v1/qimen/${warehouse}?${new URLSearchParams({ sign, ...all }).toString()}${query}`;
  const answer = await api.call('POST', path, { raw: body, headers: { 'Content-Type': contentType } });
  const [, flag = '', code = '', message = ''] =
    /<flag>(.*?)<\/flag><code>(.*?)<\/code><message>(.*?)<\/message>/.exec(answer.text) ?? [];
  return { ...answer, flag, code, message, word: `${answer.status} ${flag} ${code}` };
};

const confirm = (code: string, outBizCode = `${code}-1`, sku = 'A') =>
  `<request><deliveryOrder><deliveryOrderCode>${code}</deliveryOrderCode><outBizCode>${outBizCode}</outBizCode></deliveryOrder>` +
  `<packages><package><logisticsCode>SF</logisticsCode><expressCode>W1</expressCode><items><item><itemCode>${sku}</itemCode>` +
  `<quantity>1</quantity></item></items></package></packages></request>`;

const refusals = () => auditCollection(connection).find({ action: 'wms.refused' }).sort({ _id: -1 }).toArray();
const lastRefusal = async () => (await refusals())[0];

beforeEach(() => {
  desk = new FakeDesk();
});

test('a report goes to its order in the name of the warehouse, and is answered in its own form', async () => {
  const answer = await send();
  assert.equal(answer.word, '200 success 0');
  assert.match(answer.headers.get('content-type') ?? '', /^application\/xml; charset=utf-8/);
  assert.deepEqual(desk.booked.get('s1.1.D1-1'), {
    warehouseId: 'wh1',
    deliveryOrderCode: 's1.1.D1',
    outBizCode: 's1.1.D1-1',
    isFinal: true,
    parcels: [{ courier: 'SF', trackingNo: 'W1', lines: [{ skuCode: 'A', quantity: 1 }] }],
  });
  assert.deepEqual([...desk.actors], ['system/wms/wh1']);
});

test('JSON is taken by its format or by its type, and answered as JSON', async () => {
  const body = JSON.stringify({
    deliveryOrder: { deliveryOrderCode: 's1.1.D1', outBizCode: 'j1' },
    packages: [{ logisticsCode: 'SF', expressCode: 'W1', items: [{ itemCode: 'A', quantity: 1 }] }],
  });
  for (const way of [{ params: { format: 'json' } }, { contentType: 'application/json' }]) {
    const answer = await send({ body, ...way });
    assert.deepEqual(answer.body, { response: { flag: 'success', code: '0', message: 'ok' } });
  }
  const wrong = await send({ body: '{"a":', params: { format: 'json' } });
  assert.equal(wrong.body.response.flag, 'failure');
});

test('the same report again is a success that changes nothing', async () => {
  for (let i = 0; i < 3; i += 1) assert.equal((await send()).word, '200 success 0');
  assert.equal(desk.booked.size, 1);
});

test('a wrong signature is refused and recorded, in no order', async () => {
  const before = await orderCollection(connection).countDocuments();
  for (const sent of [
    { secretOf: 'wh2' },
    { params: { sign: 'A'.repeat(32) } },
    { params: { app_key: 'k2' } },
    { params: { customerId: 'c2' } },
    { params: { timestamp: '2026-11-22 02:00:00' } },
  ]) {
    const answer = await send(sent);
    assert.equal(`${answer.status} ${answer.flag}`, '200 failure');
    const entry = await lastRefusal();
    assert.equal(entry?.detail['code'], answer.code);
    assert.equal(entry?.detail['warehouseId'], 'wh1');
    assert.doesNotMatch(JSON.stringify(entry), /S3CRET/);
  }
  assert.equal(desk.booked.size, 0);
  assert.equal(await orderCollection(connection).countDocuments(), before);
});

test('a body that was changed on the way does not pass', async () => {
  const body = confirm('s1.1.D1');
  const sign = qimenSign({ method: 'm' }, Buffer.from(body), 'S3CRET-wh1');
  assert.equal((await send({ body: body.replace('W1', 'W2'), params: { sign } })).code, 'sign-check-failure');
});

test('an unknown warehouse, or one without a system, is refused and recorded', async () => {
  for (const warehouse of ['wh9', 'byhand']) {
    assert.equal((await send({ warehouse })).word, '200 failure unknown-warehouse');
    assert.equal((await lastRefusal())?.detail['warehouseId'], warehouse);
  }
  assert.equal((await send({ warehouse: 'not%20an%20id' })).flag, 'failure');
});

test('hostile bodies are refused with what is wrong, recorded, and change nothing', async () => {
  const hostile: [sent: Sent, reason: RegExp][] = [
    [{ body: '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><request>&x;</request>' }, /document type/],
    [{ body: '<request>'.concat('<a>'.repeat(30), '</a>'.repeat(30), '</request>') }, /20 levels/],
    [{ body: '<request><deliveryOrder>' }, /not well-formed/],
    [{ body: '' }, /not well-formed/],
    [{ body: Buffer.from([0x3c, 0xff, 0xfe]) }, /not UTF-8/],
    [{ body: '<request><__proto__><flag>1</flag></__proto__></request>' }, /not well-formed/],
    [{ method: 'inventory.report' }, /not offered/],
    [{ query: '&method=again' }, /more than once/],
  ];
  for (const [sent, reason] of hostile) {
    const answer = await send(sent);
    assert.equal(`${answer.status} ${answer.flag}`, '200 failure', answer.text);
    assert.match(answer.message, reason);
    assert.match(String((await lastRefusal())?.detail['reason']), reason);
  }
  assert.equal(desk.booked.size, 0);
});

test('a body beyond a megabyte is refused without being read', async () => {
  const answer = await send({ body: `<request>${'x'.repeat(1024 * 1024)}</request>` });
  assert.equal(answer.word, '200 failure payload_too_large');
  assert.equal((await lastRefusal())?.detail['code'], 'payload_too_large');
});

test('what an order refuses is told with its reason and recorded under the warehouse', async () => {
  desk.answer = () => {
    throw new Problem('rule_violation', { detail: 'A: 1 left to send, not 2' });
  };
  const answer = await send();
  assert.deepEqual([answer.word, answer.message], ['200 failure rule_violation', 'A: 1 left to send, not 2']);
  const entry = await lastRefusal();
  assert.equal(entry?.entity, 'system/wms/wh1');
  assert.deepEqual(entry?.detail, {
    code: 'rule_violation',
    reason: 'A: 1 left to send, not 2',
    deliveryOrderCode: 's1.1.D1',
  });
});

test('while orders cannot be reached the warehouse is told to send it again, and nothing is recorded against it', async () => {
  const count = (await refusals()).length;
  desk.answer = () => {
    throw new Problem('unavailable');
  };
  assert.equal((await send()).word, '200 failure isp.unavailable');
  desk.answer = () => {
    throw new TypeError('a mistake of ours with S3CRET-wh1');
  };
  const mistake = await send();
  assert.equal(mistake.word, '200 failure isp.unavailable');
  assert.doesNotMatch(mistake.text, /S3CRET|mistake/);
  assert.equal((await refusals()).length, count);
  desk.answer = () => {};
  assert.equal((await send()).word, '200 success 0');
});

test('a batch is taken order by order, and says how many were refused', async () => {
  const orders = ['s1.1.D1', 's1.2.D1', 's1.3.D1'].map((code) => confirm(code).replaceAll('request>', 'order>'));
  desk.answer = () => {
    if (desk.booked.size > 0) throw new Problem('not_found', { detail: 'the delivery order is not known here' });
  };
  const method = 'deliveryorder.batchconfirm';
  const answer = await send({ method, body: `<request><orders>${orders.join('')}</orders></request>` });
  assert.equal(answer.flag, 'failure');
  assert.match(answer.message, /and 1 more/);
  assert.equal(desk.booked.size, 1);
  desk.answer = () => {};
  assert.equal(
    (await send({ method, body: `<request><orders>${orders.join('')}</orders></request>` })).flag,
    'success',
  );
  assert.equal(desk.booked.size, 3);
});

test('progress goes to its order', async () => {
  const body =
    '<request><order><orderCode>s1.1.D1</orderCode></order><process><processStatus>PACKAGE</processStatus></process></request>';
  assert.equal((await send({ method: 'orderprocess.report', body })).word, '200 success 0');
  assert.deepEqual(desk.noted, ['wh1 s1.1.D1 PACKAGE']);
});

test('one warehouse cannot speak for another', async () => {
  assert.equal((await send({ warehouse: 'wh2', secretOf: 'wh1' })).code, 'sign-check-failure');
  assert.equal((await send({ warehouse: 'wh2' })).flag, 'success');
  assert.deepEqual([...desk.actors], ['system/wms/wh2']);
});

test('a body that cannot be unpacked is refused', async () => {
  const path = `/v1/qimen/wh1?method=deliveryorder.confirm`;
  const answer = await api.call('POST', path, {
    raw: 'x',
    headers: { 'Content-Type': 'text/xml', 'Content-Encoding': 'gzip' },
  });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /<flag>failure<\/flag>/);
});
