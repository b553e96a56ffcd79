import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signatureOf } from '../../simulators/channels/taobao/signature.ts';
import {
  APP,
  CHANGED,
  DETAIL,
  HEAD,
  MINUTE_MS,
  SEND,
  lastHour,
  sendParams,
  setUp,
  tidsOf,
  type Page,
} from './taobao-set-up.ts';
import { gmt8, type TopParams } from './top-caller.ts';

test('signs as the published vectors do', () => {
  const params = new Map(
    Object.entries({
      method: 'taobao.item.seller.get',
      app_key: '12345678',
      session: 'test',
      timestamp: '2016-01-01 12:00:00',
      format: 'json',
      v: '2.0',
      sign_method: 'md5',
      fields: 'num_iid,title,nick,price,num',
      num_iid: '11223344',
    }),
  );
  const by = (signMethod: string) =>
    signatureOf(
      new Map([...params, ['sign_method', signMethod], ['sign', 'x'], ['empty', '']]),
      'helloworld',
      signMethod,
    );
  assert.equal(by('md5'), '66987CB115214E59E6EC978214934FB8');
  assert.equal(by('hmac'), 'D56D7858309C31B6251083A874D48273');
  assert.equal(by('hmac-sha256'), '04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8');
  assert.equal(by('rsa'), undefined);
});

test('refuses a call whose frame is wrong, by the code of what is wrong', async () => {
  const { alpha, caller, control } = await setUp();
  const query = { fields: HEAD, ...lastHour() };
  const refused = (over: TopParams) => alpha.refusal(CHANGED, query, over);
  assert.match(await refused({ app_key: '1' }), /^29/);
  assert.match(await refused({ app_key: '' }), /^28/);
  assert.match(await refused({ method: 'taobao.trade.no.such' }), /^22/);
  assert.match(await refused({ timestamp: gmt8(Date.now() - 11 * MINUTE_MS) }), /^31/);
  assert.match(
    await refused({ timestamp: new Date().toISOString().slice(0, 19).replace('T', ' ') }),
    /^31/,
    'UTC is not GMT+8',
  );
  assert.match(await refused({ timestamp: '2026-02-30 12:00:00' }), /^31/);
  assert.match(await refused({ sign: 'F'.repeat(32) }), /^25/);
  assert.match(await refused({ sign_method: 'rsa' }), /^25/);
  assert.match(await refused({ session: '' }), /^26/);
  assert.match(await refused({ session: 'nobody' }), /^27 invalid-sessionkey/);
  assert.match(await caller('session-alpha', { ...APP, appSecret: 'wrong' }).refusal(CHANGED, query), /^25/);
  assert.ok(await alpha.text(CHANGED, query).then((text) => text.includes('"total_results":0')));
  assert.equal(control.calls().byMethod[CHANGED]?.['ok'], 1);
});

test('refuses arguments that are missing or out of bounds', async () => {
  const { alpha } = await setUp();
  const refused = (over: TopParams) => alpha.refusal(CHANGED, { fields: HEAD, ...lastHour() }, over);
  const day = { start_modified: '2026-01-01 00:00:00', end_modified: '2026-01-02 00:00:01' };
  assert.equal(await refused({ fields: '' }), '40 isv.missing-parameter:fields');
  assert.equal(await refused({ start_modified: '' }), '40 isv.missing-parameter:start_modified');
  assert.equal(await refused({ end_modified: '' }), '40 isv.missing-parameter:end_modified');
  assert.equal(await refused(day), '41 isv.invalid-parameter:end_modified');
  assert.equal(
    await refused({ start_modified: day.end_modified, end_modified: day.start_modified }),
    '41 isv.invalid-parameter:end_modified',
  );
  assert.equal(await refused({ start_modified: '2026-01-01T00:00:00Z' }), '41 isv.invalid-parameter:start_modified');
  for (const size of ['0', '101', 'ten', '-1'])
    assert.equal(await refused({ page_size: size }), '41 isv.invalid-parameter:page_size');
  assert.equal(await refused({ page_no: '0' }), '41 isv.invalid-parameter:page_no');
  assert.equal(await refused({ use_has_next: 'yes' }), '41 isv.invalid-parameter:use_has_next');
  assert.equal(await alpha.refusal(DETAIL, { fields: HEAD, tid: '12x' }), '41 isv.invalid-parameter:tid');
  assert.equal(
    await alpha.refusal('taobao.tmc.messages.consume', { quantity: '9' }),
    '41 isv.invalid-parameter:quantity',
  );
});

test('pages by 40 unless told otherwise, latest first, and leaves out `trades` when there are none', async () => {
  const { alpha, control } = await setUp();
  const query = { fields: HEAD, ...lastHour() };
  assert.deepEqual(Object.keys(await alpha.ok<Page>(CHANGED, query)).sort(), ['request_id', 'total_results']);
  const from = Date.now() - 30 * MINUTE_MS;
  const tids = control.createTrades({
    count: 95,
    spread: { from: new Date(from).toISOString(), to: new Date(from + 20 * MINUTE_MS).toISOString() },
  });
  const first = await alpha.ok<Page>(CHANGED, query);
  assert.equal(first.total_results, 95);
  assert.deepEqual(tidsOf(first), tids.toReversed().slice(0, 40));
  const last = await alpha.ok<Page>(CHANGED, { ...query, page_no: '3', use_has_next: 'true' });
  assert.deepEqual([tidsOf(last).length, last.has_next, last.total_results], [15, false, undefined]);
  assert.equal((await alpha.ok<Page>(CHANGED, { ...query, page_no: '2', use_has_next: 'true' })).has_next, true);
  const beyond = await alpha.ok<Page>(CHANGED, { ...query, page_no: '4' });
  assert.deepEqual([beyond.trades, beyond.total_results], [undefined, 95]);
});

test('answers the fields that were asked for and no others', async () => {
  const { alpha, control } = await setUp();
  const receiver = { name: '欧阳静', mobile: '13812345678', address: '文三路90号' };
  const { tid } = control.createTrade({ receiver, lines: [{ price: 1000, num: 2 }] });
  const ask = async (fields: string) => (await alpha.ok<{ trade: object }>(DETAIL, { fields, tid })).trade;
  assert.deepEqual(Object.keys(await ask('tid_str,status,no_such_field')), ['tid_str', 'status']);
  assert.deepEqual(await ask('orders.num,orders.price'), { orders: { order: [{ num: 2, price: '10.00' }] } });
  const needed = ['receiver_name', 'receiver_mobile', 'receiver_address', 'created'];
  assert.ok('oaid' in (await ask(['oaid', ...needed].join(','))));
  for (const absent of needed)
    assert.ok(!('oaid' in (await ask(['oaid', ...needed.filter((name) => name !== absent)].join(',')))), absent);
  const everything = await alpha.text(DETAIL, { fields: ['oaid', ...needed, 'orders'].join(','), tid });
  for (const secret of Object.values(receiver)) assert.ok(!everything.includes(secret), secret);
  assert.match(everything, /"receiver_mobile":"1\*+5678"/);
});

test('another address has another token', async () => {
  const { control } = await setUp();
  const { tid, oaid } = control.createTrade();
  assert.notEqual(control.changeAddress(tid, { address: '中山路1号' }).oaid, oaid);
});

test('gives ids of nineteen digits as bare numbers that a double cannot tell apart', async () => {
  const { alpha, control } = await setUp();
  const { tid, lines } = control.createTrade({ lines: [{}, {}] });
  const text = await alpha.text(DETAIL, { fields: 'tid,tid_str,num,orders', tid });
  assert.equal(tid.length, 19);
  assert.notEqual(String(Number(tid)), tid);
  assert.ok(text.includes(`"tid":${tid},"tid_str":"${tid}"`));
  for (const { oid } of lines) assert.ok(text.includes(`"oid":${oid},"oid_str":"${oid}"`));
  assert.notEqual(lines[0]?.oid, lines[1]?.oid);
  assert.equal(Number(lines[0]?.oid), Number(lines[1]?.oid));
  assert.ok(text.includes('"num":0'), 'a trade of several lines has no number of its own');
  const single = control.createTrade({ lines: [{ num: 3 }] });
  assert.equal(single.lines[0]?.oid, single.tid);
});

interface Amounts {
  payment: string;
  post_fee: string;
  total_fee: string;
  discount_fee: string;
  orders: { order: Record<'price' | 'payment' | 'divide_order_fee' | 'total_fee' | 'discount_fee', string>[] };
}

test('amounts add up to the fen, whatever the discounts', async () => {
  const { alpha, control } = await setUp();
  const fen = (yuan: string | undefined): number => Math.round(Number(yuan ?? 0) * 100);
  for (const tid of control.createTrades({ count: 60 })) {
    const { trade } = await alpha.ok<{ trade: Amounts }>(DETAIL, {
      tid,
      fields: 'payment,post_fee,total_fee,discount_fee,orders',
    });
    const lines = trade.orders.order as (Amounts['orders']['order'][number] & {
      num: number;
      part_mjz_discount?: string;
    })[];
    const sum = (of: (line: (typeof lines)[number]) => number) => lines.reduce((total, line) => total + of(line), 0);
    assert.equal(sum((line) => fen(line.divide_order_fee)) + fen(trade.post_fee), fen(trade.payment));
    assert.equal(
      sum((line) => fen(line.part_mjz_discount)),
      fen(trade.discount_fee),
    );
    assert.equal(
      sum((line) => fen(line.price) * line.num),
      fen(trade.total_fee),
    );
    for (const line of lines) {
      assert.equal(fen(line.price) * line.num - fen(line.discount_fee), fen(line.total_fee));
      assert.equal(fen(line.total_fee) - fen(line.part_mjz_discount), fen(line.divide_order_fee));
      assert.equal(fen(line.payment), lines.length === 1 ? fen(trade.payment) : fen(line.total_fee));
    }
  }
});

test('a seller sees and ships none but their own trades', async () => {
  const { alpha, beta, control } = await setUp();
  const { tid } = control.createTrade({ seller: 'alpha' });
  assert.deepEqual(tidsOf(await alpha.ok<Page>(CHANGED, { fields: HEAD, ...lastHour() })), [tid]);
  assert.deepEqual(tidsOf(await beta.ok<Page>(CHANGED, { fields: HEAD, ...lastHour() })), []);
  assert.equal(await beta.refusal(DETAIL, { fields: HEAD, tid }), '15 isv.trade-not-exist');
  assert.equal(await beta.refusal(SEND, sendParams(tid, 'SF0001')), '15 isv.logistics-offline-service-error:B01');
  assert.equal(control.trade(tid)?.consigns.length, 0);
});
