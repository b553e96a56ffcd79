import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { CHANGED, DETAIL, SEND, lastHour, sendParams, setUp } from './taobao-set-up.ts';
import type { TopParams } from './top-caller.ts';

test('takes each parcel once, whole or split by lines, and books every call that took effect', async () => {
  const { alpha, control } = await setUp();
  const { tid, lines } = control.createTrade({ lines: [{ num: 1 }, { num: 1 }] });
  const [first, second] = lines.map(({ oid }) => oid) as [string, string];
  const refused = (params: TopParams) => alpha.refusal(SEND, params);
  const code = (letters: string) => `15 isv.logistics-offline-service-error:${letters}`;
  assert.equal(await refused({ tid, out_sid: 'SF0001' }), '40 isv.missing-parameter:company_code');
  assert.equal(await refused({ tid, company_code: 'SF' }), '40 isv.missing-parameter:out_sid');
  assert.equal(await refused(sendParams(tid, 'SF0001', { company_code: 'NOBODY' })), code('B56'));
  assert.equal(await refused(sendParams(tid, '?')), code('B60'));
  assert.equal(await refused(sendParams(tid, 'SF0001', { is_split: '1' })), code('CD26'));
  assert.equal(await refused(sendParams(tid, 'SF0001', { sub_tid: first })), code('CD25'));
  assert.equal(await refused(sendParams(tid, 'SF0001', { is_split: '1', sub_tid: '1' })), code('CD24'));

  await alpha.ok(SEND, sendParams(tid, 'SF0001', { is_split: '1', sub_tid: first }));
  assert.equal(control.trade(tid)?.status, 'SELLER_CONSIGNED_PART');
  assert.equal(await refused(sendParams(tid, 'SF0001', { is_split: '1', sub_tid: first })), code('B04'));
  assert.equal(
    await refused(sendParams(tid, 'SF0002', { is_split: '1', sub_tid: first })),
    code('B04'),
    'one unit, one package',
  );
  assert.equal(await refused(sendParams(tid, 'SF0002')), code('CD22'), 'a split trade is sent by its lines');
  await alpha.ok(SEND, sendParams(tid, 'SF0002', { is_split: '1', sub_tid: second }));
  assert.equal(control.trade(tid)?.status, 'WAIT_BUYER_CONFIRM_GOODS');
  assert.equal(await refused(sendParams(tid, 'SF0003')), code('B04'));
  assert.deepEqual(
    control.trade(tid)?.consigns.map(({ out_sid, company_code, oids }) => ({ out_sid, company_code, oids })),
    [
      { out_sid: 'SF0001', company_code: 'SF', oids: [first] },
      { out_sid: 'SF0002', company_code: 'SF', oids: [second] },
    ],
  );
});

test('a line of several units takes as many packages, each waybill once', async () => {
  const { alpha, control } = await setUp();
  const { tid } = control.createTrade({ lines: [{ num: 2 }] });
  await alpha.ok(SEND, sendParams(tid, 'SF0001'));
  assert.match(await alpha.refusal(SEND, sendParams(tid, 'SF0001')), /B04$/);
  await alpha.ok(SEND, sendParams(tid, 'SF0002', { is_split: '1', sub_tid: tid }));
  assert.match(await alpha.refusal(SEND, sendParams(tid, 'SF0003', { is_split: '1', sub_tid: tid })), /B04$/);
  assert.deepEqual(
    control.trade(tid)?.consigns.map(({ out_sid: outSid }) => outSid),
    ['SF0001', 'SF0002'],
  );
});

test('nothing is sent that is unpaid, locked, closed or paid back', async () => {
  const { alpha, control } = await setUp();
  const refusedIn = async (tid: string) => assert.match(await alpha.refusal(SEND, sendParams(tid, 'SF0001')), /B04$/);
  const unpaid = control.createTrade({ status: 'WAIT_BUYER_PAY' });
  await refusedIn(unpaid.tid);
  control.close(unpaid.tid);
  await refusedIn(unpaid.tid);
  const locked = control.createTrade();
  control.lock(locked.tid);
  await refusedIn(locked.tid);
  control.unlock(locked.tid);
  await alpha.ok(SEND, sendParams(locked.tid, 'SF0001'));
  const back = control.createTrade();
  assert.equal(control.refund(back.tid).status, 'TRADE_CLOSED');
  await refusedIn(back.tid);
});

test('a line that is paid back closes; the trade goes on with the others', async () => {
  const { alpha, control } = await setUp();
  const { tid, lines } = control.createTrade({ lines: [{ num: 1 }, { num: 1 }] });
  const [first, second] = lines.map(({ oid }) => oid) as [string, string];
  assert.equal(control.refundLine(tid, first, 'WAIT_SELLER_AGREE').lines[0]?.refundStatus, 'WAIT_SELLER_AGREE');
  assert.equal(control.refundLine(tid, first, 'SUCCESS').status, 'WAIT_SELLER_SEND_GOODS');
  assert.match(await alpha.refusal(SEND, sendParams(tid, 'SF0001', { is_split: '1', sub_tid: first })), /B04$/);
  await alpha.ok(SEND, sendParams(tid, 'SF0001', { is_split: '1', sub_tid: second }));
  assert.equal(control.trade(tid)?.status, 'WAIT_BUYER_CONFIRM_GOODS');
});

test('a presale is paid in two steps', async () => {
  const { alpha, control } = await setUp();
  const { tid } = control.createTrade({
    type: 'step',
    lines: [{ num: 1, price: 30_000, discount: 0 }],
    discount: 0,
    postFee: 0,
    deposit: 5000,
  });
  const state = async () => {
    const fields = 'status,step_trade_status,step_paid_fee,pay_time,payment';
    return (await alpha.ok<{ trade: Record<string, string> }>(DETAIL, { tid, fields })).trade;
  };
  const unpaid = {
    status: 'WAIT_BUYER_PAY',
    step_trade_status: 'FRONT_NOPAID_FINAL_NOPAID',
    step_paid_fee: '0.00',
    payment: '300.00',
  };
  assert.deepEqual(await state(), unpaid);
  control.pay(tid);
  assert.deepEqual(await state(), { ...unpaid, step_trade_status: 'FRONT_PAID_FINAL_NOPAID', step_paid_fee: '50.00' });
  control.pay(tid);
  const { pay_time: payTime, ...paid } = await state();
  assert.ok(payTime);
  assert.deepEqual(paid, {
    status: 'WAIT_SELLER_SEND_GOODS',
    step_trade_status: 'FRONT_PAID_FINAL_PAID',
    step_paid_fee: '300.00',
    payment: '300.00',
  });
});

test('memo and flag are written within their bounds and read in the detail only', async () => {
  const { alpha, control } = await setUp();
  const { tid } = control.createTrade();
  const write = 'taobao.trade.memo.update';
  assert.equal(await alpha.refusal(write, { tid, memo: '备'.repeat(334) }), '41 isv.invalid-parameter:memo');
  assert.equal(await alpha.refusal(write, { tid, flag: '6' }), '41 isv.invalid-parameter:flag');
  await alpha.ok(write, { tid, memo: '易碎', flag: '3' });
  assert.deepEqual([control.trade(tid)?.memo, control.trade(tid)?.flag], ['易碎', 3]);
  const fields = 'seller_memo,seller_flag';
  assert.deepEqual((await alpha.ok<{ trade: object }>(DETAIL, { tid, fields })).trade, {
    seller_memo: '易碎',
    seller_flag: 3,
  });
  const { trades } = await alpha.ok<{ trades: { trade: object[] } }>(CHANGED, { fields, ...lastHour() });
  assert.deepEqual(trades.trade, [{ seller_flag: 3 }]);
  await alpha.ok(write, { tid, reset: 'true' });
  assert.equal(control.trade(tid)?.memo, '');
});

test('buyers pay, confirm what they got, and are closed when they never pay', async () => {
  const { alpha, control } = await setUp({ life: { payAfterMs: 0, finishAfterMs: 0, closeUnpaidAfterMs: 0 } });
  const buys = control.createTrade({ status: 'WAIT_BUYER_PAY' }).tid;
  const leaves = control.createTrade({ status: 'WAIT_BUYER_PAY', neverPays: true }).tid;
  const waits = control.createTrade({ status: 'WAIT_BUYER_PAY', isLeftAlone: true }).tid;
  const until = async (tid: string, status: string) => {
    for (let turn = 0; turn < 40 && control.trade(tid)?.status !== status; turn += 1) await sleep(50);
    assert.equal(control.trade(tid)?.status, status);
  };
  await until(buys, 'WAIT_SELLER_SEND_GOODS');
  await until(leaves, 'TRADE_CLOSED_BY_TAOBAO');
  await alpha.ok(SEND, sendParams(buys, 'SF0001'));
  await until(buys, 'TRADE_FINISHED');
  assert.equal(control.trade(waits)?.status, 'WAIT_BUYER_PAY');
});
