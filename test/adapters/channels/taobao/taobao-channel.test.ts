import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderPage, ParcelNotice } from '../../../../adapters/channels/channel-port.ts';
import { AdapterError } from '../../../../domain/failures.ts';
import { cannedServer, refusal, type Answer, type Form } from './canned-server.ts';
import { clientAt } from './taobao-shop.ts';
import { TRADE_ID, line, lineIdOf, tradeText } from './trade-text.ts';

const WINDOW = { from: '2026-11-22T02:00:00.000Z', to: '2026-11-22T02:30:00.500Z' };

const pagesOf = async (url: string, window = WINDOW): Promise<OrderPage[]> => {
  const pages: OrderPage[] = [];
  for await (const page of clientAt(url).changedOrders(window)) pages.push(page);
  return pages;
};
const idsOf = (pages: OrderPage[]): string[] =>
  pages.flatMap(({ orders }) => orders.map(({ platformOrderId }) => platformOrderId));

const idAt = (index: number): string => String(4_012_345_678_901_000_000n + BigInt(index));
const page = (ids: readonly string[], total: number): string => {
  const trades = ids.map((id) => tradeText({ tid: `@@${id}@@` }));
  const list = trades.length === 0 ? '' : `"trades":{"trade":[${trades.join(',')}]},`;
  return `{"trades_sold_increment_get_response":{${list}"total_results":${total},"request_id":"r"}}`;
};

/** A platform that lists `rows` as they are when a page is asked for; `then` moves them after each answer. */
const listing = (rows: string[], then: (pageNo: number) => void = () => undefined): Answer => {
  return (form) => {
    const pageNo = Number(form['page_no']);
    const size = Number(form['page_size']);
    const text = page(rows.slice((pageNo - 1) * size, pageNo * size), rows.length);
    then(pageNo);
    return text;
  };
};

const rowsOf = (count: number): string[] => Array.from({ length: count }, (_, index) => idAt(index));
const pageNos = (calls: readonly Form[]): number[] => calls.map((form) => Number(form['page_no']));

test('a window of one page is asked for once, in China time and whole seconds', async (t) => {
  const { url, calls } = await cannedServer(t, listing(rowsOf(3)));
  const pages = await pagesOf(url);
  assert.deepEqual(idsOf(pages), rowsOf(3));
  assert.deepEqual([pages[0]?.pagesDone, pages[0]?.pagesTotal], [1, 1]);
  assert.equal(calls.length, 1);
  assert.deepEqual(
    [calls[0]?.['start_modified'], calls[0]?.['end_modified'], calls[0]?.['page_size']],
    ['2026-11-22 10:00:00', '2026-11-22 10:30:00', '100'],
  );
});

test('a window without changes has no page, however its empty list is written', async (t) => {
  let inner = '';
  const { url } = await cannedServer(t, () => `{"trades_sold_increment_get_response":{${inner}}}`);
  for (inner of ['', '"total_results":0', '"total_results":0,"trades":{}', '"trades":null', '"trades":{"trade":[]}'])
    assert.deepEqual(await pagesOf(url), []);
});

test('pages are read from the last to the first', async (t) => {
  const { url, calls } = await cannedServer(t, listing(rowsOf(250)));
  const pages = await pagesOf(url);
  assert.deepEqual(pageNos(calls), [1, 3, 2, 1]);
  assert.deepEqual(new Set(idsOf(pages)), new Set(rowsOf(250)));
  assert.deepEqual(
    pages.map(({ pagesDone, pagesTotal }) => `${pagesDone}/${pagesTotal}`),
    ['1/3', '2/3', '3/3'],
  );
});

test('rows that leave the window while it is read take no other row with them', async (t) => {
  const rows = rowsOf(450);
  const left = new Set<string>();
  const { url } = await cannedServer(
    t,
    listing(rows, () => {
      for (const index of [0, 7, 150, 260]) for (const gone of rows.splice(index, 3)) left.add(gone);
    }),
  );
  const seen = new Set(idsOf(await pagesOf(url)));
  assert.ok(left.size > 30);
  for (const id of rowsOf(450)) if (!left.has(id)) assert.ok(seen.has(id), `${id} was missed`);
});

test('a row that moves to the front of an open window pushes none past the reader', async (t) => {
  const rows = rowsOf(250);
  let moved = false;
  const { url } = await cannedServer(
    t,
    listing(rows, (pageNo) => {
      if (pageNo !== 3 || moved) return;
      moved = true;
      rows.unshift(...rows.splice(240, 5));
    }),
  );
  const seen = new Set(idsOf(await pagesOf(url)));
  assert.ok(moved);
  assert.deepEqual(seen, new Set(rowsOf(250)));
});

test('rows that are added behind the last page while one reads are found', async (t) => {
  const rows = rowsOf(150);
  const { url } = await cannedServer(
    t,
    listing(rows, () => {
      if (rows.length < 400) rows.push(...Array.from({ length: 125 }, (_, index) => idAt(rows.length + index)));
    }),
  );
  const seen = new Set(idsOf(await pagesOf(url)));
  assert.equal(seen.size, rows.length);
});

test('a count that is too high does not keep one reading for ever', async (t) => {
  const rows = rowsOf(120);
  const { url, calls } = await cannedServer(t, (form) => {
    const pageNo = Number(form['page_no']);
    return page(rows.slice((pageNo - 1) * 100, pageNo * 100), 121);
  });
  assert.equal(new Set(idsOf(await pagesOf(url))).size, 120);
  assert.deepEqual(pageNos(calls), [1, 2, 1, 2, 1]);
});

test('a page in the middle that fails for a moment is asked for again, not the whole window', async (t) => {
  const failures = [
    refusal(7, 'accesscontrol.limited-by-api-access-count', 'This ban will last for 1 more seconds'),
    '{"trades_sold_increm',
  ];
  const list = listing(rowsOf(250));
  const { url, calls } = await cannedServer(t, (form, response, all) =>
    form['page_no'] === '2' && failures.length > 0 ? failures.pop() : list(form, response, all),
  );
  assert.equal(new Set(idsOf(await pagesOf(url))).size, 250);
  assert.deepEqual(pageNos(calls), [1, 3, 2, 2, 2, 1]);
});

test('a long ban, or a session that ended, is not waited for', { timeout: 5000 }, async (t) => {
  let answer = refusal(7, '', 'This ban will last for 600 more seconds');
  const list = listing(rowsOf(250));
  const { url } = await cannedServer(t, (form, response, all) =>
    form['page_no'] === '2' ? answer : list(form, response, all),
  );
  await assert.rejects(pagesOf(url), { kind: 'throttled', retryAfterMs: 600_000 });
  answer = refusal(27, 'session-expired');
  await assert.rejects(pagesOf(url), { kind: 'unauthorised' });
});

test('one trade that cannot be mapped does not hold up the others of its page', async (t) => {
  const bad = tradeText({ tid: `@@${idAt(1)}@@` }, [line(1, { price: 'free' })]);
  const text = page([idAt(0), idAt(2)], 3).replace('"trade":[', `"trade":[${bad},null,`);
  const { url } = await cannedServer(t, () => text);
  const orders = (await pagesOf(url)).flatMap((one) => one.orders);
  assert.deepEqual(
    orders.map(({ content, problem }) => [content !== null, problem !== null]),
    [
      [false, true],
      [false, true],
      [true, false],
      [true, false],
    ],
  );
});

test('a window that is none is refused before anything is asked', async (t) => {
  const { url, calls } = await cannedServer(t, listing([]));
  for (const window of [
    { from: WINDOW.to, to: WINDOW.from },
    { from: WINDOW.from, to: WINDOW.from },
    { from: 'x', to: WINDOW.to },
  ])
    await assert.rejects(pagesOf(url, window), { kind: 'invalid' });
  assert.equal(calls.length, 0);
});

test('an order that the platform does not know is null, and what is no id of its own is not asked for', async (t) => {
  let text = refusal(15, 'isv.trade-not-exist', 'no such trade');
  const { url, calls } = await cannedServer(t, () => text);
  assert.equal(await clientAt(url).order(TRADE_ID), null);
  text = '{"trade_fullinfo_get_response":{"request_id":"r"}}';
  assert.equal(await clientAt(url).order(TRADE_ID), null);
  assert.equal(await clientAt(url).order('unreadable-1'), null);
  assert.equal(calls.length, 2);
});

const NOTICE: ParcelNotice = {
  platformOrderId: TRADE_ID,
  courier: 'YTO',
  trackingNo: 'YT1001',
  lineIds: [lineIdOf(1)],
  isPartial: true,
};
const SEND = 'taobao.logistics.offline.send';
const accepted = '{"logistics_offline_send_response":{"shipping":{"is_success":true}}}';
const shippedBefore = refusal(15, 'isv.logistics-offline-service-error:B04', 'shipped before by 13800138000');
const tradeWith = (...invoices: (string | null)[]): string =>
  `{"trade_fullinfo_get_response":{"trade":${tradeText(
    {},
    invoices.map((invoice_no, index) => line(index + 1, { invoice_no })),
  )}}}`;

test('a parcel with some of the lines names them, one with all of them does not', async (t) => {
  const { url, calls } = await cannedServer(t, () => accepted);
  assert.deepEqual(await clientAt(url).tellParcel({ ...NOTICE, lineIds: [lineIdOf(1), lineIdOf(2)] }), {
    state: 'told',
  });
  assert.deepEqual(
    ['method', 'tid', 'company_code', 'out_sid', 'is_split', 'sub_tid'].map((name) => calls[0]?.[name]),
    [SEND, TRADE_ID, 'YTO', 'YT1001', '1', `${lineIdOf(1)},${lineIdOf(2)}`],
  );
  await clientAt(url).tellParcel({ ...NOTICE, isPartial: false });
  assert.deepEqual([calls[1]?.['is_split'], calls[1]?.['sub_tid']], [undefined, undefined]);
});

test('«shipped before» is told when the trade shows our waybill, and refused when it shows another', async (t) => {
  let trade = tradeWith('yt1001', null);
  const { url } = await cannedServer(t, (form) => (form['method'] === SEND ? shippedBefore : trade));
  assert.deepEqual(await clientAt(url).tellParcel(NOTICE), { state: 'told' });
  trade = tradeWith('SF9', null);
  const answer = await clientAt(url).tellParcel(NOTICE);
  assert.equal(answer.state, 'refused');
  assert.match(answer.state === 'refused' ? answer.detail : '', /B04: shipped before/);
  assert.doesNotMatch(JSON.stringify(answer), /13800138000/);
  trade = tradeWith('YT1001', null);
  assert.equal((await clientAt(url).tellParcel({ ...NOTICE, lineIds: [lineIdOf(1), lineIdOf(2)] })).state, 'refused');
});

test('after a lost answer the trade says whether the parcel is known', async (t) => {
  let trade = tradeWith('YT1001', null);
  const { url, calls } = await cannedServer(t, (form, response) => {
    if (form['method'] !== SEND) return trade;
    response.destroy();
    return undefined;
  });
  assert.deepEqual(await clientAt(url).tellParcel(NOTICE), { state: 'told' });
  assert.deepEqual(
    calls.map((form) => form['method']),
    [SEND, 'taobao.trade.fullinfo.get'],
  );
  trade = tradeWith(null, null);
  await assert.rejects(clientAt(url).tellParcel(NOTICE), { kind: 'unknownOutcome' });
  trade = 'busy';
  await assert.rejects(clientAt(url).tellParcel(NOTICE), { kind: 'unknownOutcome' });
});

test('a refusal that is about the call, the session or the moment is no refusal of the parcel', async (t) => {
  let text = '';
  const { url, calls } = await cannedServer(t, () => text);
  for (const [answer, kind] of [
    [refusal(7, '', 'This ban will last for 2 more seconds'), 'throttled'],
    [refusal(27), 'unauthorised'],
    [refusal(25, 'isv.invalid-signature'), 'invalid'],
    [refusal(11, 'isv.permission-api-package-limit'), 'invalid'],
  ] as const) {
    text = answer;
    await assert.rejects(clientAt(url).tellParcel(NOTICE), { kind });
  }
  assert.ok(calls.every((form) => form['method'] === SEND));
});

test('a waybill that the platform does not take, or a trade that it does not know, is refused with its reason', async (t) => {
  let text = '';
  const { url } = await cannedServer(t, (form) =>
    form['method'] === SEND ? text : refusal(15, 'isv.trade-not-exist', 'none'),
  );
  for (const code of ['isv.logistics-offline-service-error:B60', 'isv.logistics-offline-service-error:B01']) {
    text = refusal(15, code);
    assert.deepEqual(await clientAt(url).tellParcel(NOTICE), { state: 'refused', detail: code });
  }
});

test('a memo is written as it is, emptied when empty, and never cut', async (t) => {
  const { url, calls } = await cannedServer(t, () => '{"trade_memo_update_response":{"trade":{}}}');
  await clientAt(url).writeMemo(TRADE_ID, '加急 & 送礼');
  await clientAt(url).writeMemo(TRADE_ID, '');
  assert.deepEqual([calls[0]?.['memo'], calls[1]?.['memo'], calls[1]?.['reset']], ['加急 & 送礼', undefined, 'true']);
  await assert.rejects(clientAt(url).writeMemo(TRADE_ID, '急'.repeat(334)), { kind: 'invalid' });
  assert.equal(calls.length, 2);
});

const message = (id: string, topic: string, content: string): string =>
  `{"id":${id},"topic":"${topic}","content":${JSON.stringify(content)},"pub_time":"2026-11-22 10:00:00"}`;

test('messages name their trade exactly, and those about something else name none', async (t) => {
  const texts = [
    message('7104300007405429232', 'taobao_trade_TradeBuyerPay', `{"tid":${TRADE_ID},"oid":1}`),
    message('7104300007405429233', 'taobao_refund_RefundCreated', `{"tid":"${TRADE_ID}"}`),
    message('7104300007405429234', 'taobao_item_ItemUpdate', `{"tid":${TRADE_ID}}`),
    message('7104300007405429235', 'taobao_trade_TradeChanged', 'not json'),
    message('7104300007405429236', 'taobao_trade_TradeChanged', '{"tid":"../x"}'),
  ];
  const { url, calls } = await cannedServer(t, (form) =>
    form['method'] === 'taobao.tmc.user.permit'
      ? refusal(22, 'isv.invalid-method')
      : `{"tmc_messages_consume_response":{"messages":{"tmc_message":[${texts.join(',')}]}}}`,
  );
  const client = clientAt(url);
  const messages = await client.messages(4);
  assert.deepEqual(
    messages.map(({ messageId, platformOrderId }) => [messageId, platformOrderId]),
    [
      ['7104300007405429232', TRADE_ID],
      ['7104300007405429233', TRADE_ID],
      ['7104300007405429234', null],
      ['7104300007405429235', null],
    ],
  );
  assert.equal(messages[0]?.sentAt, '2026-11-22T02:00:00.000Z');
  assert.equal((await client.messages(500)).at(-1)?.platformOrderId, null);
  assert.deepEqual(
    calls.map((form) => [form['method'], form['group_name'], form['quantity']]),
    [
      ['taobao.tmc.user.permit', undefined, undefined],
      ['taobao.tmc.messages.consume', 'default', '10'],
      ['taobao.tmc.messages.consume', 'default', '200'],
    ],
  );
});

test('no messages are no error', async (t) => {
  const { url } = await cannedServer(t, (form) =>
    form['method'] === 'taobao.tmc.user.permit'
      ? '{"tmc_user_permit_response":{"is_success":true}}'
      : '{"tmc_messages_consume_response":{"request_id":"r"}}',
  );
  assert.deepEqual(await clientAt(url).messages(100), []);
});

test('messages are confirmed at most two hundred at a time', async (t) => {
  const { url, calls } = await cannedServer(t, () => '{"tmc_messages_confirm_response":{"is_success":true}}');
  const ids = rowsOf(401);
  await clientAt(url).confirmMessages(ids);
  assert.deepEqual(
    calls.map((form) => form['s_message_ids']?.split(',').length),
    [200, 200, 1],
  );
  assert.deepEqual(
    calls.flatMap((form) => form['s_message_ids']?.split(',') ?? []),
    ids,
  );
  await clientAt(url).confirmMessages([]);
  assert.equal(calls.length, 3);
});

test('a refreshed session comes out of the text within the answer, with its end', async (t) => {
  const token = { access_token: '6200new', refresh_token: '6201new', expires_in: 86_400, w1_expires_in: 1800 };
  const { url, calls } = await cannedServer(t, () =>
    JSON.stringify({ top_auth_token_refresh_response: { token_result: JSON.stringify(token) } }),
  );
  const before = Date.now();
  const { credentials, expiresAt } = await clientAt(url).refreshToken();
  assert.deepEqual(credentials, { sessionKey: '6200new', refreshToken: '6201new' });
  assert.ok(Math.abs(Date.parse(expiresAt ?? '') - before - 86_400_000) < 5000);
  assert.deepEqual([calls[0]?.['refresh_token'], calls[0]?.['session']], ['6101secret', undefined]);
});

test('a token that says its end as a time has that, and one that says none has none', async (t) => {
  let token: object = { access_token: 'a', expire_time: 1_800_000_000_000, expires_in: 0 };
  const { url } = await cannedServer(t, () =>
    JSON.stringify({ top_auth_token_refresh_response: { token_result: JSON.stringify(token) } }),
  );
  assert.deepEqual(await clientAt(url).refreshToken(), {
    credentials: { sessionKey: 'a' },
    expiresAt: '2027-01-15T08:00:00.000Z',
  });
  token = { access_token: 'a', expires_in: 'soon', expire_time: 1e300 };
  assert.deepEqual(await clientAt(url).refreshToken(), { credentials: { sessionKey: 'a' } });
});

test('without a token to refresh with, or with one that is not taken, there is no session to be had', async (t) => {
  let text = refusal(15, 'isv.refresh-token-invalid', 'refresh_token is not known');
  const { url, calls } = await cannedServer(t, () => text);
  await assert.rejects(clientAt(url).refreshToken(), { kind: 'unauthorised' });
  text = refusal(25, 'isv.invalid-signature');
  await assert.rejects(clientAt(url).refreshToken(), { kind: 'invalid' });
  text = '{"top_auth_token_refresh_response":{"token_result":"{}"}}';
  await assert.rejects(
    clientAt(url).refreshToken(),
    (error) => error instanceof AdapterError && error.kind === 'unknownOutcome',
  );
  const asked = calls.length;
  const { refreshToken: _, ...rest } = { refreshToken: '', appKey: 'k' };
  await assert.rejects(async () => clientAt(url, { ...rest, refreshToken: '' }).refreshToken(), {
    name: 'AdapterError',
  });
  assert.equal(calls.length, asked);
});
