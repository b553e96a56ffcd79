import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { CHANGED, HEAD, SEND, lastHour, sendParams, setUp } from './taobao-set-up.ts';

test('closes a method to who calls it too often, and says for how long', async () => {
  const { alpha, control } = await setUp({ rate: { perSecond: 3, banSeconds: 7 } });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => alpha.text(CHANGED, { fields: HEAD, ...lastHour() })),
  );
  const limited = answers.filter((text) => text.includes('accesscontrol.limited-by-api-access-count'));
  assert.ok(limited.length >= 6, `${limited.length} calls were refused`);
  assert.match(limited[0] ?? '', /"code":7,.*This ban will last for 7 more seconds/);
  await alpha.ok('taobao.time.get');
  control.clearFaults();
  await alpha.ok(CHANGED, { fields: HEAD, ...lastHour() });
});

test('fails in each way that it is told to, and takes effect only where the way says so', async () => {
  const { simulator, alpha, control } = await setUp();
  const { tid } = control.createTrade({ lines: [{ num: 9 }] });
  let waybill = 0;
  const send = () => alpha.text(SEND, sendParams(tid, `SF000${(waybill += 1)}`, { is_split: '1', sub_tid: tid }));
  const parcels = () => control.trade(tid)?.consigns.length;
  const strikes = async (
    kind: Parameters<typeof control.addFault>[0]['kind'],
    more: { seconds?: number; ms?: number } = {},
  ) => {
    control.clearFaults();
    control.addFault({ kind, method: SEND, times: 1, ...more });
    await alpha.ok('taobao.time.get');
    return send();
  };
  assert.match(await strikes('throttle', { seconds: 30 }), /"code":7,.*will last for 30 more seconds/);
  assert.match(await send(), /"code":7,/, 'the ban outlasts the fault');
  assert.match(await strikes('bad-signature'), /"code":25,/);
  assert.match(await strikes('isp'), /"code":15,.*"sub_code":"isp\./);
  assert.match(await strikes('not-json'), /^<html>/);
  assert.match(await strikes('http-500'), /^<html>/);
  await assert.rejects(strikes('down'));
  assert.equal(parcels(), 0);

  await assert.rejects(strikes('lost-answer'));
  assert.equal(parcels(), 1, 'a lost answer is the answer of a call that took effect');
  await assert.rejects(strikes('cut'));
  assert.equal(parcels(), 2);
  const start = Date.now();
  assert.match(await strikes('slow', { ms: 300 }), /is_success/);
  assert.ok(Date.now() - start >= 300);
  assert.equal(parcels(), 3);
  const hung = strikes('hang');
  assert.equal(await Promise.race([hung.catch(() => 'answered'), sleep(400, 'no answer')]), 'no answer');
  assert.equal(parcels(), 3);
  assert.match(await send(), /is_success/, 'a fault that struck as often as it should is over');
  assert.equal(control.calls().byMethod[SEND]?.['ok, fault lost-answer'], 1);
  await simulator.stop();
  await hung.catch(() => undefined);
});

test('is steered over HTTP, and says what it cannot do', async () => {
  const { simulator } = await setUp();
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${simulator.url}/_control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const { status, body } = await ask('POST', 'trades', { status: 'WAIT_BUYER_PAY', lines: [{ num: 1, price: 100 }] });
  const tid = body['tid'] as string;
  assert.equal(status, 201);
  assert.equal((await ask('POST', `trades/${tid}/pay`)).body['status'], 'WAIT_SELLER_SEND_GOODS');
  assert.equal((await ask('POST', `trades/${tid}/pay`)).status, 409);
  assert.equal(
    (await ask('POST', `trades/${tid}/status`, { status: 'SOMETHING_NEW' })).body['status'],
    'SOMETHING_NEW',
  );
  assert.equal((await ask('POST', 'trades/1/pay')).status, 404);
  assert.equal((await ask('POST', `trades/${tid}/dance`)).status, 404);
  assert.equal((await ask('POST', 'trades', { price: 1 })).status, 400);
  assert.equal((await ask('POST', 'faults', { kind: 'earthquake' })).status, 400);
  assert.equal(((await ask('POST', 'trades/bulk', { count: 5 })).body['tids'] as string[]).length, 5);
  const fault = await ask('POST', 'faults', { kind: 'isp', method: CHANGED, times: 2 });
  assert.equal(fault.status, 201);
  await ask('DELETE', `faults/${String(fault.body['id'])}`);
  assert.deepEqual((await ask('GET', 'faults')).body, { faults: [] });
  assert.equal(((await ask('GET', 'books')).body['trades'] as unknown[]).length, 6);
});
