import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APP, CHANGED, HEAD, SELLERS, SEND, lastHour, sendParams, setUp, type Messages } from './taobao-set-up.ts';

test('messages come once permitted, again until confirmed, and to the group of their seller', async () => {
  const sellers = SELLERS.map((seller) => ({ ...seller, groupName: `group-${seller.nick}` }));
  const { alpha, beta, control } = await setUp({ apps: [{ ...APP, sellers }] });
  control.createTrade();
  const consume = (caller = alpha, group = 'group-alpha') =>
    caller.ok<Messages>('taobao.tmc.messages.consume', { group_name: group, quantity: '10' });
  assert.equal((await consume()).messages, undefined, 'nothing before it was permitted');
  await alpha.ok('taobao.tmc.user.permit', { topics: 'taobao_trade_TradeBuyerPay,taobao_trade_TradeSellerShip' });
  const { tid } = control.createTrade({ status: 'WAIT_BUYER_PAY' });
  control.pay(tid);
  await alpha.ok(SEND, sendParams(tid, 'SF0001'));
  const found = (await consume()).messages?.tmc_message ?? [];
  assert.deepEqual(
    found.map(({ topic }) => topic),
    ['taobao_trade_TradeBuyerPay', 'taobao_trade_TradeSellerShip'],
  );
  assert.ok(
    found.every(({ content }) => content.includes(`"tid":${tid},`)),
    'ids in a message are exact',
  );
  assert.deepEqual((await consume()).messages?.tmc_message, found);
  assert.equal((await consume(beta, 'group-beta')).messages, undefined);
  assert.match(await alpha.refusal('taobao.tmc.messages.consume', { group_name: 'nobody' }), /^41/);

  const text = await alpha.text('taobao.tmc.messages.consume', { group_name: 'group-alpha' });
  const ids = [...text.matchAll(/"id":(\d{19})/g)].map(([, id]) => id as string);
  const confirm = (group: string, messageIds: string[]) =>
    alpha.ok('taobao.tmc.messages.confirm', { group_name: group, s_message_ids: messageIds.join(',') });
  await confirm('group-beta', ids);
  assert.equal((await consume()).messages?.tmc_message.length, 2, 'nobody confirms for another group');
  await confirm('group-alpha', ids.slice(0, 1));
  assert.deepEqual((await consume()).messages?.tmc_message, found.slice(1));
});

test('a refreshed session takes the place of the old one, also when its answer was lost', async () => {
  const { alpha, caller, control } = await setUp();
  const query = { fields: HEAD, ...lastHour() };
  const refresh = async (token: string) => {
    const { token_result: text } = await alpha.ok<{ token_result: string }>('taobao.top.auth.token.refresh', {
      refresh_token: token,
    });
    return JSON.parse(text) as { access_token: string; refresh_token: string; expires_in: number };
  };
  control.addFault({ kind: 'expire-session', times: 1 });
  assert.equal(await alpha.refusal(CHANGED, query), '27 session-expired');
  assert.equal(await alpha.refusal(CHANGED, query), '27 session-expired');
  control.addFault({ kind: 'lost-answer', method: 'taobao.top.auth.token.refresh', times: 1 });
  await assert.rejects(refresh('refresh-alpha'));
  const token = await refresh('refresh-alpha');
  assert.ok(token.expires_in > 0);
  await caller(token.access_token).ok(CHANGED, query);
  assert.equal(await alpha.refusal(CHANGED, query), '27 invalid-sessionkey');
  await assert.rejects(refresh('refresh-alpha'), /isv.invalid-refresh-token/, 'used up once the new session was used');
  assert.notEqual((await refresh(token.refresh_token)).access_token, token.access_token);
});

test('a session ends by itself', async () => {
  const { alpha } = await setUp({ apps: [{ ...APP, sellers: [{ ...SELLERS[0]!, expiresInSec: 0 }] }] });
  assert.equal(await alpha.refusal(CHANGED, { fields: HEAD, ...lastHour() }), '27 session-expired');
});
