import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JSONParse } from 'json-with-bigint';
import type { CollectedOrder, PlatformOrderContent } from '../../../../domain/platform-order.ts';
import { collectTrade } from '../../../../adapters/channels/taobao/trade-mapping.ts';
import { statusMapping } from './taobao-shop.ts';
import { TRADE_ID, line, lineIdOf, tradeText } from './trade-text.ts';

const FROM = '2026-11-22T02:00:00.000Z';
const collect = (text: string): CollectedOrder => collectTrade(JSONParse(text), statusMapping, FROM);

const understood = (text: string): PlatformOrderContent => {
  const { content, problem } = collect(text);
  assert.equal(problem, null);
  assert.ok(content);
  return content;
};

const problemOf = (text: string): string => {
  const { content, problem } = collect(text);
  assert.equal(content, null);
  assert.ok(problem);
  return problem;
};

test('a paid trade becomes an order whose amounts add up to what was paid', () => {
  const order = understood(tradeText());
  assert.equal(order.payable, 38800);
  assert.equal(order.platform.paid, 38800);
  assert.equal(order.orderDiscount, 2000);
  assert.equal(order.freight, 800);
  assert.deepEqual(order.lines[0], {
    lineId: lineIdOf(1),
    platformSku: '4800000000001',
    merchantCode: 'SKU-1',
    title: '棉质短袖',
    quantity: 2,
    unitPrice: 10000,
    discount: 0,
  });
  assert.deepEqual(order.payments, [
    { paymentId: `${TRADE_ID}-p`, method: 'platform', amount: 38800, paidAt: '2026-11-22T02:05:06.000Z' },
  ]);
  assert.equal(order.placedAt, '2026-11-22T02:00:00.000Z');
  assert.equal(order.platform.modifiedAt, '2026-11-22T02:05:07.000Z');
  assert.equal(order.platform.phase, 'paid');
});

test('ids of nineteen digits stay exact, as bare numbers, as text, and in the raw payload', () => {
  const collected = collect(tradeText());
  assert.equal(collected.platformOrderId, TRADE_ID);
  assert.deepEqual(
    collected.content?.lines.map(({ lineId }) => lineId),
    [lineIdOf(1), lineIdOf(2)],
  );
  assert.match(collected.raw, new RegExp(`"tid":${TRADE_ID}[,}]`));
});

test('a text id goes before a number that a gateway has rounded', () => {
  const { platformOrderId, content } = collect(
    tradeText({ tid: 4.012345678901234e18, tid_str: TRADE_ID }, [line(1, { oid: 4.0e18, oid_str: lineIdOf(1) })]),
  );
  assert.equal(platformOrderId, TRADE_ID);
  assert.equal(content?.lines[0]?.lineId, lineIdOf(1));
});

test('the raw payload is this one trade and reads back as it came', () => {
  const text = tradeText({ buyer_message: 'code "123n", id 4012345678901234567' });
  assert.equal(collect(text).raw, text);
});

test('a discount of the line is what its payment lacks of its price', () => {
  const order = understood(
    tradeText({ payment: '368.00' }, [line(1, { payment: '180.00', divide_order_fee: '170.00' }), line(2)]),
  );
  assert.deepEqual(
    order.lines.map(({ discount }) => discount),
    [2000, 0],
  );
  assert.equal(order.payable, 36800);
});

test("without its own field the trade's discount follows from what is left of each line's payment", () => {
  const lines = [line(1, { part_mjz_discount: null }), line(2, { part_mjz_discount: '' })];
  assert.equal(understood(tradeText({}, lines)).orderDiscount, 2000);
});

test('the only line of a trade has freight and discount in its payment, however much the platform says of it', () => {
  const withDiscountFee = line(1, { payment: '198.00', discount_fee: '0.00', adjust_fee: '0.00' });
  const bare = line(1, { payment: '198.00' });
  const beforeDiscount = line(1, { payment: '208.00' });
  const goodsOnly = line(1, { payment: '200.00' });
  for (const only of [withDiscountFee, bare, beforeDiscount, goodsOnly]) {
    const order = understood(tradeText({ payment: '198.00' }, [only]));
    assert.deepEqual([order.payable, order.orderDiscount, order.lines[0]?.discount], [19800, 1000, 0]);
  }
  const withoutShare = line(1, {
    part_mjz_discount: null,
    payment: '208.00',
    divide_order_fee: '200.00',
    discount_fee: '0.00',
  });
  const order = understood(tradeText({ payment: '208.00' }, [withoutShare]));
  assert.deepEqual([order.payable, order.orderDiscount], [20800, 0]);
});

test('where the platform says that less was paid than the lines come to, both figures are given', () => {
  const order = understood(tradeText({ payment: '300.00' }));
  assert.equal(order.payable, 38800);
  assert.equal(order.platform.paid, 30000);
});

test('a line that the seller made dearer has a higher price, and no negative discount', () => {
  const dearer = line(1, { payment: '200.01', discount_fee: '0.00', adjust_fee: '0.01' });
  const order = understood(tradeText({ payment: '388.01' }, [dearer, line(2)]));
  assert.deepEqual([order.lines[0]?.unitPrice, order.lines[0]?.discount], [10001, 1]);
  assert.equal(order.payable, 38801);
});

test('a payment above the price for no reason is no order', () => {
  assert.match(problemOf(tradeText({}, [line(1, { payment: '200.01' }), line(2)])), /orders\.order\.0\.payment/);
});

test('money that went back and was taken off a refunded line does not become a discount', () => {
  const gone = line(1, { payment: '0.00', discount_fee: '0.00', adjust_fee: '0.00', refund_status: 'SUCCESS' });
  const order = understood(tradeText({}, [gone, line(2)]));
  assert.equal(order.lines[0]?.discount, 0);
  assert.equal(order.payable, 38800);
  assert.deepEqual(order.platform.refunded, [{ lineId: lineIdOf(1), quantity: 2 }]);
});

test('amounts that are none are refused, never rounded', () => {
  for (const price of ['100.005', '1e2', '', ' 100.00', '100,00', '-1.00', 'NaN', '1234567890123.00', 100, null, true])
    assert.match(problemOf(tradeText({}, [line(1, { price }), line(2)])), /orders\.order\.0\.price/);
  assert.match(problemOf(tradeText({ payment: '3.8.0' })), /payment/);
  assert.equal(understood(tradeText({}, [line(1, { price: '100' }), line(2, { price: '100.0' })])).payable, 38800);
});

test('one trade that cannot be understood says which fields, and nothing of what is in them', () => {
  const { platformOrderId, content, problem, modifiedAt } = collect(
    tradeText({ created: '2026-02-30 10:00:00' }, [line(1, { num: 0, title: 7 }), line(2)]),
  );
  assert.equal(platformOrderId, TRADE_ID);
  assert.equal(modifiedAt, '2026-11-22T02:05:07.000Z');
  assert.equal(content, null);
  for (const field of ['created', 'orders.order.0.num', 'orders.order.0.title']) assert.ok(problem?.includes(field));
  assert.doesNotMatch(problem ?? '', /张|138|2026-02-30/);
});

test('absent, null and empty lists of lines are a problem of that trade and no crash', () => {
  for (const orders of [null, {}, { order: null }, { order: [] }, [], 'none'])
    assert.match(problemOf(tradeText({ orders })), /orders/);
});

test('no hostile shape of a trade throws', () => {
  for (const trade of [
    null,
    undefined,
    7,
    'x',
    [],
    [[]],
    { tid: {} },
    { tid: '../etc' },
    { __proto__: null, tid: -1 },
  ]) {
    const { content, problem, platformOrderId } = collectTrade(trade, statusMapping, FROM);
    assert.equal(content, null);
    assert.ok(problem);
    assert.match(platformOrderId, /^unreadable-[0-9a-f]{32}$/);
  }
});

test('a trade without an id keeps the same name, so that it is one problem and not many', () => {
  const nameless = collect(tradeText({ tid: null }));
  assert.equal(nameless.platformOrderId, collect(tradeText({ tid: null })).platformOrderId);
  assert.notEqual(nameless.platformOrderId, collect(tradeText({ tid: null, payment: '1.00' })).platformOrderId);
});

test("a time of change that cannot be read is taken for the window's start", () => {
  const { modifiedAt, problem } = collect(tradeText({ modified: 'yesterday' }));
  assert.equal(modifiedAt, FROM);
  assert.match(problem ?? '', /modified/);
});

test('a line is known by its SKU or else its item, and by the merchant code of the one or the other', () => {
  const order = understood(
    tradeText({}, [
      line(1, { sku_id: null, outer_sku_id: '' }),
      line(2, { sku_id: '', outer_sku_id: null, outer_iid: null }),
    ]),
  );
  assert.deepEqual(
    order.lines.map(({ platformSku, merchantCode }) => [platformSku, merchantCode]),
    [
      ['620000000001', 'ITEM-1'],
      ['620000000001', undefined],
    ],
  );
});

test('each status has its phase, and one that no mapping knows is kept verbatim', () => {
  const phases = Object.fromEntries(
    Object.keys(statusMapping).map((status) => [status, understood(tradeText({ status })).platform]),
  );
  assert.equal(phases['WAIT_BUYER_PAY']?.phase, 'unpaid');
  assert.equal(phases['WAIT_BUYER_PAY']?.paid, 0);
  assert.equal(phases['SELLER_CONSIGNED_PART']?.phase, 'partly_shipped');
  assert.equal(phases['TRADE_CLOSED_BY_TAOBAO']?.phase, 'closed_unpaid');
  assert.deepEqual(
    [phases['PAID_FORBID_CONSIGN']?.phase, phases['PAID_FORBID_CONSIGN']?.lockedBy],
    ['paid', 'PAID_FORBID_CONSIGN'],
  );
  for (const status of ['WAIT_FOR_GODOT', 'constructor', '__proto__', 'wait_buyer_pay']) {
    const { platform, payments } = understood(tradeText({ status }));
    assert.deepEqual([platform.phase, platform.status, platform.lockedBy], ['unknown', status, null]);
    assert.equal(payments.length, 1);
  }
});

test('a presale has its deposit first, and its payment when the balance is there', () => {
  const unpaid = understood(
    tradeText({
      type: 'step',
      status: 'WAIT_BUYER_PAY',
      step_trade_status: 'FRONT_NOPAID_FINAL_NOPAID',
      pay_time: null,
    }),
  );
  assert.deepEqual([unpaid.type, unpaid.platform.phase, unpaid.platform.paid], ['presale', 'unpaid', 0]);
  const deposit = understood(
    tradeText({
      type: 'step',
      status: 'WAIT_BUYER_PAY',
      step_trade_status: 'FRONT_PAID_FINAL_NOPAID',
      step_paid_fee: '50.00',
      pay_time: null,
    }),
  );
  assert.deepEqual([deposit.platform.phase, deposit.platform.paid], ['deposit_paid', 5000]);
  assert.deepEqual(
    deposit.payments.map(({ paymentId, amount }) => [paymentId.slice(-2), amount]),
    [['-d', 5000]],
  );
  assert.equal(deposit.presale?.deposit, 5000);
  const paid = understood(
    tradeText({ type: 'step', step_trade_status: 'FRONT_PAID_FINAL_PAID', step_paid_fee: '388.00' }, [
      line(1, { estimate_con_time: '2026-12-01 00:00:00' }),
      line(2, { estimate_con_time: '付款后3天内' }),
    ]),
  );
  assert.deepEqual([paid.platform.phase, paid.platform.paid, paid.payments[0]?.amount], ['paid', 38800, 38800]);
  assert.deepEqual(paid.presale, { deposit: 0, promisedShipAt: '2026-11-30T16:00:00.000Z' });
  const odd = understood(tradeText({ type: 'step', step_trade_status: 'FRONT_HALF' }));
  assert.deepEqual([odd.platform.phase, odd.platform.status], ['unknown', 'WAIT_SELLER_SEND_GOODS/FRONT_HALF']);
});

test('cash on delivery is not paid, whatever its status', () => {
  const order = understood(tradeText({ type: 'cod', pay_time: null }));
  assert.equal(order.platform.paid, 0);
  assert.deepEqual(order.payments, [
    { paymentId: `${TRADE_ID}-cod`, method: 'cod', amount: 38800, paidAt: '2026-11-22T02:00:00.000Z' },
  ]);
});

test('a trade that is called paid without a time of payment is no order', () => {
  assert.match(problemOf(tradeText({ pay_time: null })), /pay_time/);
});

test('refunds of lines are open until they are settled, known or not', () => {
  const statuses = ['WAIT_SELLER_AGREE', 'SELLER_REFUSE_BUYER', 'SOMETHING_NEW', 'CLOSED', 'SUCCESS', 'NO_REFUND'];
  const { platform } = understood(
    tradeText(
      {},
      statuses.map((refund_status, index) => line(index + 1, { refund_status })),
    ),
  );
  assert.deepEqual(platform.refundOpen, [lineIdOf(1), lineIdOf(2), lineIdOf(3)]);
  assert.deepEqual(platform.refunded, [{ lineId: lineIdOf(5), quantity: 2 }]);
});

test('parcels are gathered from the lines that are in them', () => {
  const yto = { logistics_company: '圆通速递', invoice_no: 'YT1' };
  const { platform } = understood(
    tradeText({}, [line(1, yto), line(2), line(3, yto), line(4, { ...yto, invoice_no: 'YT2' })]),
  );
  assert.deepEqual(platform.parcels, [
    { courier: '圆通速递', trackingNo: 'YT1', lineIds: [lineIdOf(1), lineIdOf(3)] },
    { courier: '圆通速递', trackingNo: 'YT2', lineIds: [lineIdOf(4)] },
  ]);
});

test('a receiver is taken as masked as it comes, with the token that opens it', () => {
  assert.deepEqual(understood(tradeText({ receiver_town: '古荡街道' })).receiver, {
    name: '张**',
    phone: '138****8000',
    province: '浙江省',
    city: '杭州市',
    district: '西湖区',
    address: '古荡街道文三路**号',
    pickupStation: false,
    token: '1aBcD=',
  });
  const bare = understood(
    tradeText({ receiver_name: null, receiver_mobile: '', receiver_phone: '0571-1', oaid: null }),
  );
  assert.deepEqual([bare.receiver.name, bare.receiver.phone, bare.receiver.token], ['', '0571-1', undefined]);
});

test('a masked nick names nobody', () => {
  assert.equal(understood(tradeText()).buyer.id, 'AAE-uid');
  assert.equal(understood(tradeText({ buyer_open_uid: null })).buyer.id, `trade-${TRADE_ID}`);
  assert.equal(understood(tradeText({ buyer_open_uid: null, buyer_nick: 'li_lei' })).buyer.id, 'li_lei');
});

test('amounts beyond the exact integers are a problem of that trade', () => {
  const dear = line(1, { price: '999999999999.99', num: 10_000, payment: '9.00', part_mjz_discount: '0.00' });
  assert.match(problemOf(tradeText({}, [dear])), /exact integers/);
});

test('a finished or closed trade says when it ended', () => {
  const end_time = '2026-11-25 08:00:00';
  assert.equal(
    understood(tradeText({ status: 'TRADE_FINISHED', end_time })).platform.endedAt,
    '2026-11-25T00:00:00.000Z',
  );
  assert.equal(understood(tradeText({ end_time })).platform.endedAt, undefined);
});
