import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from '../../../adapters/wms/qimen/message.ts';
import { buildXml, parseXml } from '../../../adapters/wms/qimen/xml.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');
const open = (text: string) => parseXml(bytes(text)).contents;
const nested = (levels: number) => '<a>'.repeat(levels) + '</a>'.repeat(levels);

test('texts stay texts, whatever they look like, and entities that XML itself has are opened', () => {
  const text = `<?xml version="1.0" encoding="utf-8"?><r><sku>0012</sku><n>1e5</n><id>1234567890123456789</id><t>a &amp;&lt; &#x4e2d;&#20013;</t><c><![CDATA[<b>&x;]]></c><e/></r>`;
  assert.deepEqual(parseXml(bytes(text)), {
    root: 'r',
    contents: { sku: '0012', n: '1e5', id: '1234567890123456789', t: 'a &< 中中', c: '<b>&x;', e: '' },
  });
});

test('a name that is there once or several times is a text or a list', () => {
  assert.deepEqual(open('<r><a>1</a><b>2</b><a>3</a></r>'), { a: ['1', '3'], b: '2' });
});

test('a document type and whatever it could declare are refused', () => {
  for (const text of [
    '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>',
    '<!doctype r SYSTEM "file:///etc/passwd"><r/>',
    '<r><!ENTITY x SYSTEM "http://localhost/"></r>',
  ])
    assert.throws(() => open(text), /document type/, text);
  assert.throws(() => open('<r>&xxe;</r>'), /entity that nobody has declared/);
  assert.throws(() => open('<r>&#0;</r>'), /entity/);
  assert.throws(() => open('<r>&#xd800;</r>'), /entity/);
});

test('twenty levels are taken, one more is not', () => {
  assert.doesNotThrow(() => open(`<r>${nested(19)}</r>`));
  assert.throws(() => open(`<r>${nested(20)}</r>`), /more than 20 levels/);
  assert.throws(() => open(nested(100_000)), /more than 20 levels/);
});

test('a megabyte is taken, one byte more is not', () => {
  const filled = (size: number) => `<r>${'x'.repeat(size - '<r></r>'.length)}</r>`;
  assert.equal((open(filled(1024 * 1024)) as string).length, 1024 * 1024 - 7);
  assert.throws(() => open(filled(1024 * 1024 + 1)), /larger than a megabyte/);
});

test('what is not well formed is refused in general words', () => {
  const secret = 'S3CRET';
  for (const text of [
    '',
    '   ',
    'hello',
    `<r>${secret}`,
    `<r>${secret}</s>`,
    `<r>${secret}</r>trailing`,
    `<r>${secret}</r><r/>`,
    `<r>${secret} & more</r>`,
    `<r ${secret}>1</r>`,
    `<r><![CDATA[${secret}</r>`,
    `<r><__proto__>${secret}</__proto__></r>`,
    `<r><constructor>${secret}</constructor></r>`,
    `<r>${secret}\u0001</r>`,
  ])
    assert.throws(
      () => open(text),
      (error: Error) => error.name === 'XmlRefused' && !error.message.includes(secret),
      text,
    );
  assert.throws(() => parseXml(Buffer.from([0x3c, 0x72, 0x3e, 0xff])), /not UTF-8/);
  assert.throws(() => open('<?xml version="1.0" encoding="GBK"?><r/>'), /must be UTF-8/);
});

test('a body made to be slow is refused within a second', () => {
  const hostile = [
    '<r>' + '<'.repeat(900_000),
    '<r>' + '&'.repeat(900_000) + '</r>',
    '<r>' + '<!--'.repeat(200_000),
    '<r>' + '<![CDATA['.repeat(100_000) + '</r>',
    '<a>'.repeat(300_000),
    '<r ' + 'a="1" '.repeat(100_000) + '/>',
    '<r>' + '&#20013;'.repeat(100_000) + '</r>',
  ];
  for (const text of hostile) {
    const startedAt = performance.now();
    try {
      open(text);
    } catch (error) {
      assert.equal((error as Error).name, 'XmlRefused');
    }
    assert.ok(performance.now() - startedAt < 1000, text.slice(0, 20));
  }
});

test('what is built reads the same, hostile texts included; what XML cannot hold becomes a space', () => {
  const hostile = `</a><b>&amp;"'\`]]>\u0000\u0008\u000b\ufffe\ud800😀 中`;
  const built = buildXml('request', { a: hostile, list: { item: [{ n: 1 }, { n: 2 }] }, none: undefined, empty: '' });
  assert.ok(!built.includes('<b>') && !/[\u0000-\u0008]/.test(built) && !built.includes('none'));
  assert.deepEqual(parseXml(bytes(built)), {
    root: 'request',
    contents: { a: `</a><b>&amp;"'\`]]>     😀 中`, list: { item: [{ n: '1' }, { n: '2' }] }, empty: '' },
  });
});

test('JSON is read into the same fields, with numbers exact and depth bounded', () => {
  const read = (text: string) => readMessage('request', bytes(text), 'json');
  assert.deepEqual(read('{"request":{"id":1234567890123456789,"n":2,"ok":true,"none":null,"l":[{"a":"1"}]}}'), {
    id: '1234567890123456789',
    n: '2',
    ok: 'true',
    none: '',
    l: [{ a: '1' }],
  });
  assert.deepEqual(read('{"a":"[[[[[[[[[[[[[[[[[[[[[[[[["}'), { a: '[[[[[[[[[[[[[[[[[[[[[[[[[' });
  assert.throws(() => read('{"a":'.repeat(21) + '1' + '}'.repeat(21)), /more than 20 levels/);
  for (const text of ['', '[]', '"x"', '{"a":1', '{"a":[[1]]}']) assert.throws(() => read(text), /body|list/, text);
  const polluted = read('{"__proto__":{"flag":"success"}}');
  assert.equal(Object.getPrototypeOf(polluted), Object.prototype);
});
