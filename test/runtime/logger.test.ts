import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '../../runtime/logger.ts';
import type { LoggerOptions } from '../../runtime/logger.ts';

const recorder = (options: LoggerOptions = {}) => {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const logger = createLogger({ level: 'debug', format: 'json', stream, ...options });
  return {
    logger,
    text: () => text,
    lines: () =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
};

const PLANTED = [
  '13800138000',
  '139 1234 5678',
  '110101199003077715',
  '11010119900307771X',
  '6222021234567890128',
  'hunter2hunter2',
  'sk_live_planted',
  'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
  '张三丰',
  '文三路 478 号',
];

test('planted values never reach a line: in texts, nested fields, errors, causes and arrays', () => {
  for (const format of ['json', 'text'] as const) {
    const { logger, text } = recorder({ format });
    const cause = Object.assign(new Error('duplicate key {"phone":"13800138000"}'), {
      code: 11000,
      keyValue: { receiver: '张三丰' },
      writeErrors: [{ op: { address: '文三路 478 号' } }],
    });
    const error = new Error('cannot call 139 1234 5678, id 11010119900307771X', { cause });
    logger.error('buyer 13800138000 paid with 6222021234567890128', {
      error,
      password: 'hunter2hunter2',
      request: {
        headers: { Authorization: 'Bearer sk_live_planted', cookie: 'sid=sk_live_planted' },
        body: [{ receiver: { name: '张三丰', phone: 13800138000, address: '文三路 478 号' } }],
        url: 'https://x.example/v1?access_token=sk_live_planted&phone=+86-138-0013-8000',
      },
      shop: { credentials: { appSecret: 'sk_live_planted', sessionKey: 'sk_live_planted' } },
      note: 'id 110101199003077715, token: sk_live_planted, jwt eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
      broker: 'amqp://orderhub:sk_live_planted@broker:5672',
      contact: 13800138000,
      errors: new AggregateError([new Error('phone="13800138000"')], 'several'),
      known: new Map<string, unknown>([['mobile', '13800138000']]),
    });
    logger.child({ orderId: 'own1.W1', receiverName: '张三丰' }).warn('ID 110101199003077715', error);
    logger.info('plain text with "password": "hunter2hunter2" inside');
    for (const planted of PLANTED) assert.ok(!text().includes(planted), `${format}: ${planted}\n${text()}`);
    assert.ok(!text().includes('138-0013-8000'));
    assert.match(text(), /own1\.W1/);
    assert.match(text(), /logger\.test\.ts/, 'the stack is kept');
    assert.match(text(), /11000/, 'the code of the cause is kept');
  }
});

test('ids, amounts and times stay readable', () => {
  const { logger, lines } = recorder();
  const fields = {
    orderId: 'own1.W1001',
    platformOrderId: '2981673450987123457',
    amountMinor: 12345678,
    at: '2026-01-02T03:04:05.678Z',
    timestampMs: 1767323045678,
    revision: 7,
    requestId: '0b6f8a52-7c1e-4f7e-9d27-3b0c5a1d9e11',
    isDone: false,
    nothing: null,
  };
  logger.info('Order own1.W1001 is shipped with SF1234567890123', fields);
  const [line] = lines();
  const { time, level, message, ...rest } = line;
  assert.deepEqual(rest, fields);
  assert.equal(message, 'Order own1.W1001 is shipped with SF1234567890123');
  assert.equal(level, 'info');
  assert.ok(Date.parse(time));
});

test('the default level is error and can be changed while running, for children too', () => {
  const { logger, text } = recorder({ level: 'error' });
  const child = logger.child({ requestId: 'r1' });
  child.info('not yet');
  assert.equal(text(), '');
  logger.setLevel('info');
  child.info('now');
  assert.match(text(), /now/);
  child.setLevel('error');
  logger.info('no more');
  assert.doesNotMatch(text(), /no more/);
  assert.equal(createLogger().level, 'error');
});

test('a caller cannot forge a line of the readable log', () => {
  const { logger, text } = recorder({ format: 'text' });
  logger.info('first\n2026-01-01T00:00:00Z ERROR forged', { note: 'x\r\nforged too' });
  assert.equal(text().trim().split('\n').length, 1);
});

test('circular, deep and huge fields are cut, not fatal', () => {
  const { logger, lines } = recorder();
  const loop: Record<string, unknown> = { list: Array.from({ length: 500 }, (_, i) => i), text: 'x'.repeat(100_000) };
  loop['self'] = loop;
  logger.error('odd', { loop, big: 10n, fn: () => 1, bytes: Buffer.alloc(10) });
  logger.error('hostile', {
    get trap() {
      throw new Error('no');
    },
  });
  const odd = Object.assign(new Error('x'), { message: { phone: '13800138000' }, name: 7 });
  logger.error('odd error', { error: odd });
  assert.doesNotMatch(JSON.stringify(lines()), /13800138000/);
  const [line] = lines();
  assert.equal(line.loop.self, '[circular]');
  assert.ok(JSON.stringify(line).length < 12_000);
});

test('the id of a platform order stays readable behind its shop, also when it looks like a card number', () => {
  const { logger, lines } = recorder();
  logger.info('order', { orderId: 'shop-1.4111111111111111', workflowId: 'order/shop-1.4111111111111111' });
  logger.info('card 4111111111111111');
  const [order, card] = lines();
  assert.equal(order.orderId, 'shop-1.4111111111111111');
  assert.equal(order.workflowId, 'order/shop-1.4111111111111111');
  assert.equal(card.message, 'card [card]');
});
