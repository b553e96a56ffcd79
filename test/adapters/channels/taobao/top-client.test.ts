import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { AdapterError, type AdapterFailureKind } from '../../../../domain/failures.ts';
import type { ChannelClient } from '../../../../adapters/channels/channel-port.ts';
import { signTop } from '../../../../adapters/channels/taobao/sign.ts';
import { createTaobaoChannel } from '../../../../adapters/channels/taobao/taobao-channel.ts';
import { cannedServer, refusal, type Answer } from './canned-server.ts';
import { clientAt, shopAt, statusMapping } from './taobao-shop.ts';
import { TRADE_ID, tradeText } from './trade-text.ts';

const detail = `{"trade_fullinfo_get_response":{"trade":${tradeText()},"request_id":"r"}}`;
const reads = (client: ChannelClient) => client.order(TRADE_ID);
const changes = (client: ChannelClient) => client.writeMemo(TRADE_ID, '加急');

const fails = async (work: Promise<unknown>, kind: AdapterFailureKind): Promise<AdapterError> => {
  const error = await work.then(
    () => assert.fail(`did not fail, ${kind} was expected`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof AdapterError, String(error));
  assert.equal(error.kind, kind);
  assert.equal(error.system, 'taobao');
  return error;
};

test('a call is a signed form of what the platform asks for, in China time', async (t) => {
  const { url, calls } = await cannedServer(t, () => detail);
  const before = Date.now();
  await reads(clientAt(`${url}/`));
  const { $path, $verb, sign, ...form } = calls[0] ?? {};
  assert.deepEqual([$verb, $path], ['POST', '/router/rest']);
  assert.equal(sign, signTop(form, 'helloworld', 'hmac-sha256'));
  assert.deepEqual(
    [form['method'], form['app_key'], form['session'], form['v'], form['format'], form['sign_method'], form['tid']],
    ['taobao.trade.fullinfo.get', '12345678', '6100secret', '2.0', 'json', 'hmac-sha256', TRADE_ID],
  );
  const sentAt = Date.parse(`${(form['timestamp'] ?? '').replace(' ', 'T')}+08:00`);
  assert.ok(sentAt >= before - 1000 && sentAt <= Date.now());
  for (const field of ['receiver_name', 'receiver_mobile', 'receiver_address', 'created', 'oaid', 'orders', 'tid'])
    assert.ok(form['fields']?.split(',').includes(field));
});

test("the shop's own choice of signature is used", async (t) => {
  const { url, calls } = await cannedServer(t, () => detail);
  for (const signMethod of ['md5', 'hmac'] as const) {
    await reads(clientAt(url, { signMethod }));
    const { sign, $path: _path, $verb: _verb, ...form } = calls.at(-1) ?? {};
    assert.equal(sign, signTop(form, 'helloworld', signMethod));
  }
});

test('each refusal of the platform has its kind', async (t) => {
  const cases: [string, AdapterFailureKind, AdapterFailureKind][] = [
    [refusal(7, 'accesscontrol.limited-by-api-access-count', 'x'), 'throttled', 'throttled'],
    [refusal(26), 'unauthorised', 'unauthorised'],
    [refusal(27, 'invalid-sessionkey'), 'unauthorised', 'unauthorised'],
    [refusal(25, 'isv.invalid-signature'), 'invalid', 'invalid'],
    [refusal(29, 'isv.appkey-not-exists'), 'invalid', 'invalid'],
    [refusal(31), 'invalid', 'invalid'],
    [refusal(40, 'isv.missing-parameter:fields'), 'invalid', 'invalid'],
    [refusal(41, 'isv.invalid-parameter:fields'), 'invalid', 'invalid'],
    [refusal(11, 'isv.permission-api-package-limit'), 'invalid', 'invalid'],
    [refusal(15, 'isp.remote-service-timeout'), 'unavailable', 'unknownOutcome'],
    [refusal(15), 'unavailable', 'unknownOutcome'],
    [refusal(10), 'unavailable', 'unknownOutcome'],
    [refusal(15, 'isv.logistics-offline-service-error:B150'), 'unavailable', 'unknownOutcome'],
    [refusal(15, 'isv.logistics-offline-service-error:B04'), 'declined', 'declined'],
    [refusal(50, 'isv.trade-service-rejection'), 'declined', 'declined'],
    ['{"error_response":{"code":"27","msg":"Invalid session"}}', 'unauthorised', 'unauthorised'],
    ['{"error_response":"no"}', 'unavailable', 'unknownOutcome'],
  ];
  let text = '';
  const { url } = await cannedServer(t, () => text);
  for (const [answer, whenReading, whenChanging] of cases) {
    text = answer;
    await fails(reads(clientAt(url)), whenReading);
    await fails(changes(clientAt(url)), whenChanging);
  }
});

test('a ban lasts as long as the platform says in words', async (t) => {
  let words = '';
  const { url } = await cannedServer(t, () => refusal(7, 'accesscontrol.limited-by-app-access-count', words));
  for (const [text, retryAfterMs] of [
    ['This ban will last for 31062 more seconds', 31_062_000],
    ['This ban will last for 1 more seconds', 1000],
    ['This ban will last for 0 more seconds', 1000],
    ['请在 5 秒后重试', 5000],
    ['later', undefined],
  ] as const) {
    words = text;
    assert.equal((await fails(reads(clientAt(url)), 'throttled')).retryAfterMs, retryAfterMs);
  }
});

test('an answer that is not whole or not what was asked for may have taken effect when something was changed', async (t) => {
  const broken: Answer[] = [
    () => detail.slice(0, -40),
    () => '<html>busy</html>',
    () => '',
    () => '[]',
    () => 'null',
    () => '{"user_get_response":{}}',
    (_form, response) => void response.writeHead(500).end('oops'),
    (_form, response) => void response.writeHead(502).end(detail),
    (_form, response) => void response.destroy(),
    (_form, response) => void response.writeHead(200, { 'content-length': 1000 }).write('{', () => response.destroy()),
    (_form, response) => void response.end(Buffer.from('{"trade_fullinfo_get_response":{"trade":"\xff"}}', 'latin1')),
    (_form, response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
  ];
  let answer: Answer = () => '';
  const { url } = await cannedServer(t, (...args) => answer(...args));
  for (const one of broken) {
    answer = one;
    await fails(reads(clientAt(url)), 'unavailable');
    await fails(changes(clientAt(url)), 'unknownOutcome');
  }
});

test('a call that nobody answers ends, as does one that its caller gives up', { timeout: 10_000 }, async (t) => {
  const { url } = await cannedServer(t, () => undefined);
  await fails(reads(clientAt(url, {}, 100)), 'unavailable');
  await fails(changes(clientAt(url, {}, 100)), 'unknownOutcome');
  const controller = new AbortController();
  const waiting = fails(clientAt(url, {}, 60_000).order(TRADE_ID, controller.signal), 'unavailable');
  controller.abort();
  await waiting;
});

test('a change that could not even be sent has not taken effect', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await fails(changes(clientAt(`http://127.0.0.1:${port}`)), 'unavailable');
});

test('HTTP says throttled or wrong by its status where the platform itself does not answer', async (t) => {
  let status = 429;
  const { url } = await cannedServer(t, (_form, response) => {
    response.writeHead(status, { 'retry-after': '7' }).end('slow down');
    return undefined;
  });
  assert.equal((await fails(reads(clientAt(url)), 'throttled')).retryAfterMs, 7000);
  status = 404;
  await fails(changes(clientAt(url)), 'invalid');
});

test('an answer without end is not read without end', { timeout: 30_000 }, async (t) => {
  const { url } = await cannedServer(t, (_form, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 0x20);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
    return undefined;
  });
  assert.match((await fails(reads(clientAt(url, {}, 20_000)), 'unavailable')).message, /too large/);
});

test('no message of an error has a secret or a person in it', async (t) => {
  let text = refusal(27, 'invalid-sessionkey 6100secret', 'the session 6100secret of 张三 13800138000 is not known');
  const { url } = await cannedServer(t, () => text);
  const secret = /helloworld|6101secret|张三|13800138000|文三路/;
  assert.doesNotMatch((await fails(reads(clientAt(url)), 'unauthorised')).message, secret);
  text = `{"trade_fullinfo_get_response":{"trade":${tradeText()}`;
  assert.doesNotMatch((await fails(reads(clientAt(url)), 'unavailable')).message, secret);
});

test('credentials with which nothing can be asked are refused by the names of their fields', () => {
  const build = (credentials: Readonly<Record<string, string>>) => () =>
    createTaobaoChannel({ ...shopAt('http://x'), credentials }, { statusMapping });
  assert.throws(build({ appKey: 'k', appSecret: '' }), {
    name: 'AdapterError',
    kind: 'invalid',
    message: /appSecret, sessionKey/,
  });
  assert.throws(build({ appKey: 'k', appSecret: 's', sessionKey: 'x', signMethod: 'crc32' }), {
    message: /signMethod/,
  });
});
