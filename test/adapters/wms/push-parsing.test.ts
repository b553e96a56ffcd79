import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PushRefused, answerText, readPush, type WmsWord } from '../../../adapters/wms/qimen/push-parsing.ts';
import { qimenTime } from '../../../adapters/wms/qimen/qimen-time.ts';
import { qimenSign } from '../../../adapters/wms/qimen/sign.ts';

const ACCOUNT = { appKey: 'k1', secret: 's1', customerId: 'c1' };
const NOW = Date.parse('2026-11-22T02:00:00Z');

interface Push {
  method?: string;
  params?: Record<string, string>;
  format?: 'xml' | 'json';
  secret?: string;
}

const push = (body: string, { method = 'deliveryorder.confirm', params, format = 'xml', secret = 's1' }: Push = {}) => {
  const bytes = Buffer.from(body);
  const all = { app_key: 'k1', customerId: 'c1', method, timestamp: qimenTime(new Date(NOW)), v: '2.0', ...params };
  const sign = qimenSign(all, bytes, secret);
  return readPush({ params: { ...all, sign }, body: bytes, format, now: NOW }, ACCOUNT);
};

const refusal = (act: () => WmsWord): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof PushRefused)
      return `${error.code} ${error.isSigned ? 'signed' : 'unsigned'}: ${error.message}`;
    throw error;
  }
  return 'taken';
};

const PACKAGE = (no: string, items: string) =>
  `<package><logisticsCode>SF</logisticsCode><expressCode>${no}</expressCode><items>${items}</items></package>`;
const ITEM = (sku: string, quantity: string) =>
  `<item><itemCode>${sku}</itemCode><quantity>${quantity}</quantity></item>`;
const LINE = (no: string, sku: string, quantity: string) =>
  `<orderLine><orderLineNo>${no}</orderLineNo><itemCode>${sku}</itemCode><actualQty>${quantity}</actualQty></orderLine>`;
const confirm = (head: string, packages: string, lines = '') =>
  `<request><deliveryOrder><deliveryOrderCode>s.1.D1</deliveryOrderCode>${head}</deliveryOrder>` +
  `<packages>${packages}</packages><orderLines>${lines}</orderLines></request>`;
const OUT = '<outBizCode>o1</outBizCode>';

const reportOf = (body: string, options?: Push) => {
  const word = push(body, options);
  assert.equal(word.kind, 'shipments');
  return word.kind === 'shipments' ? word.reports[0] : undefined;
};

test('one parcel: lines by our line number, of what has left only', () => {
  const body = confirm(OUT, PACKAGE('W1', ITEM('A', '2')), LINE('1', 'A', '2') + LINE('2', 'B', '0'));
  assert.deepEqual(reportOf(body), {
    deliveryOrderCode: 's.1.D1',
    outBizCode: 'o1',
    isFinal: true,
    parcels: [{ courier: 'SF', trackingNo: 'W1', lines: [{ lineId: '1', skuCode: 'A', quantity: 2 }] }],
  });
});

test('several parcels: goods by SKU as each package says, a waybill that is named twice is one parcel', () => {
  const packages = PACKAGE('W1', ITEM('A', '1')) + PACKAGE('W2', ITEM('B', '1.00')) + PACKAGE('W1', ITEM('A', '1'));
  const report = reportOf(
    confirm(`${OUT}<confirmType>1</confirmType>`, packages, LINE('1', 'A', '2') + LINE('2', 'B', '1')),
  );
  assert.equal(report?.isFinal, false);
  assert.deepEqual(report?.parcels, [
    { courier: 'SF', trackingNo: 'W1', lines: [{ skuCode: 'A', quantity: 2 }] },
    { courier: 'SF', trackingNo: 'W2', lines: [{ skuCode: 'B', quantity: 1 }] },
  ]);
});

test('the same report says the same in XML and in JSON, with the prefix and without', () => {
  const xml = reportOf(confirm(OUT, PACKAGE('W1', ITEM('A', '2')), LINE('1', 'A', '2')));
  const json = {
    deliveryOrder: { deliveryOrderCode: 's.1.D1', outBizCode: 'o1', confirmType: 0 },
    packages: [{ logisticsCode: 'SF', expressCode: 'W1', items: [{ itemCode: 'A', quantity: 2 }] }],
    orderLines: { orderLine: [{ orderLineNo: '1', itemCode: 'A', actualQty: 2 }] },
  };
  const options = { format: 'json', method: 'taobao.qimen.deliveryorder.confirm' } as const;
  assert.deepEqual(reportOf(JSON.stringify(json), options), xml);
  assert.deepEqual(reportOf(JSON.stringify({ request: json }), options), xml);
});

test('a waybill beside the order is one parcel of all lines', () => {
  const head = `${OUT}<logisticsCode>ZTO</logisticsCode><expressCode>Z1</expressCode>`;
  assert.deepEqual(reportOf(confirm(head, '', LINE('1', 'A', '1') + LINE('1', 'A', '2')))?.parcels, [
    { courier: 'ZTO', trackingNo: 'Z1', lines: [{ lineId: '1', skuCode: 'A', quantity: 3 }] },
  ]);
});

test('a report without a number of its own is known by its content', () => {
  const numberOf = (packages: string) => reportOf(confirm('', packages))?.outBizCode;
  assert.equal(numberOf(PACKAGE('W1', ITEM('A', '1'))), numberOf(PACKAGE('W1', ITEM('A', '1'))));
  assert.notEqual(numberOf(PACKAGE('W1', ITEM('A', '1'))), numberOf(PACKAGE('W1', ITEM('A', '2'))));
});

test('a part is not the end, and the end may come without goods', () => {
  const final = (head: string) => reportOf(confirm(OUT + head, ''))?.isFinal;
  assert.equal(final(''), true);
  assert.equal(final('<confirmType>0</confirmType>'), true);
  assert.equal(final('<confirmType>1</confirmType>'), false);
  assert.equal(final('<status>PARTDELIVERED</status>'), false);
});

test('reports that cannot be are refused with the field', () => {
  const parcel = PACKAGE('W1', ITEM('A', '1'));
  const wrong: [body: string, reason: RegExp][] = [
    ['<request/>', /deliveryOrderCode is missing/],
    ['<response/>', /the element must be request/],
    [confirm(OUT, '', LINE('1', 'A', '1')), /without a waybill/],
    [confirm(OUT, parcel, LINE('1', 'A', '2')), /contradict each other/],
    [confirm(OUT, parcel + PACKAGE('W2', '')), /does not say what is in it/],
    [confirm(OUT, PACKAGE('W1', ITEM('A', '-1'))), /quantity must be a whole number/],
    [confirm(OUT, PACKAGE('W1', ITEM('A', '1.5'))), /quantity must be a whole number/],
    [confirm(OUT, PACKAGE('W1', ITEM('A', '1e3'))), /quantity must be a whole number/],
    [confirm(OUT, PACKAGE('W1', ITEM('A', ''))), /quantity is missing/],
    [confirm(OUT, PACKAGE('', ITEM('A', '1'))), /expressCode is missing/],
    [confirm(`${OUT}<confirmType>2</confirmType>`, parcel), /confirmType/],
    [confirm(`${OUT}<status>CANCELED</status>`, parcel), /do not go with this status/],
    [confirm(`<outBizCode>${'x'.repeat(129)}</outBizCode>`, parcel), /outBizCode is longer/],
    [confirm('<outBizCode><a>1</a></outBizCode>', parcel), /outBizCode must be one text/],
    [confirm(OUT, 'text'), /packages must have elements/],
  ];
  for (const [body, reason] of wrong)
    assert.match(
      refusal(() => push(body)),
      reason,
      body,
    );
});

test('a batch is its orders, each as it would be alone', () => {
  const one = confirm(OUT, PACKAGE('W1', ITEM('A', '1'))).replace(/<(\/?)request>/g, '<$1order>');
  const word = push(`<request><orders>${one}${one.replace('D1', 'D2')}</orders></request>`, {
    method: 'deliveryorder.batchconfirm',
  });
  assert.deepEqual(word.kind === 'shipments' && word.reports.map((report) => report.deliveryOrderCode), [
    's.1.D1',
    's.1.D2',
  ]);
  assert.match(
    refusal(() => push('<request/>', { method: 'deliveryorder.batchconfirm' })),
    /orders are missing/,
  );
});

test('progress is a code of the warehouse', () => {
  const report = (status: string) =>
    `<request><order><orderCode>s.1.D1</orderCode></order><process><processStatus>${status}</processStatus></process></request>`;
  const method = 'orderprocess.report';
  assert.deepEqual(push(report('pick'), { method }), {
    kind: 'progress',
    progress: { deliveryOrderCode: 's.1.D1', status: 'PICK' },
  });
  assert.match(
    refusal(() => push(report('拣货'), { method })),
    /processStatus must be a code/,
  );
  assert.match(
    refusal(() => push('<request/>', { method: 'inventory.report' })),
    /unknown-method signed/,
  );
});

test('whose a message is is settled before it is read', () => {
  const hostile = '<!DOCTYPE x><request/>';
  assert.match(
    refusal(() => push(hostile, { params: { app_key: 'k2' } })),
    /^invalid-app-key unsigned/,
  );
  assert.match(
    refusal(() => push(hostile, { params: { customerId: 'c2' } })),
    /^invalid-customer-id unsigned/,
  );
  assert.match(
    refusal(() => push(hostile, { secret: 'other' })),
    /^sign-check-failure unsigned/,
  );
  assert.match(
    refusal(() => push(hostile, { params: { sign_method: 'hmac' } })),
    /^invalid-sign-method unsigned/,
  );
  assert.match(
    refusal(() => push(hostile)),
    /^invalid-request signed: .*document type/,
  );
});

test('a message older or newer than ten minutes is refused', () => {
  const at = (minutes: number) => ({ params: { timestamp: qimenTime(new Date(NOW + minutes * 60_000)) } });
  const body = confirm(OUT, PACKAGE('W1', ITEM('A', '1')));
  for (const minutes of [-10, 0, 10])
    assert.equal(
      refusal(() => push(body, at(minutes))),
      'taken',
      `${minutes}`,
    );
  for (const minutes of [-11, 11])
    assert.match(
      refusal(() => push(body, at(minutes))),
      /^invalid-timestamp signed/,
    );
  assert.match(
    refusal(() => push(body, { params: { timestamp: 'now' } })),
    /^invalid-timestamp/,
  );
});

test('answers are in the form that was asked for', () => {
  const answer = { flag: 'failure', code: 'c', message: 'a < b' } as const;
  assert.equal(
    answerText(answer, 'xml'),
    '<?xml version="1.0" encoding="utf-8"?><response><flag>failure</flag><code>c</code><message>a &lt; b</message></response>',
  );
  assert.deepEqual(JSON.parse(answerText(answer, 'json')), { response: answer });
});
