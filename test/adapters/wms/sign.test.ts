import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQimenTime, qimenTime } from '../../../adapters/wms/qimen/qimen-time.ts';
import { isQimenSigned, qimenSign } from '../../../adapters/wms/qimen/sign.ts';
import { yuan } from '../../../adapters/wms/qimen/create-request.ts';

const PARAMS = { app_key: 'testapp', method: 'taobao.qimen.inventory.query' };
const BODY = Buffer.from('{"warehouseCode":"WH1"}');
const SIGN = 'F4A92FB526FF78B930B4485F786EBED5';

test('the signature is that of the published rule', () => {
  assert.equal(qimenSign(PARAMS, BODY, 'my-secret'), SIGN);
});

test('empty parameters and the signature itself are not signed, and the order of parameters does not matter', () => {
  const shuffled = { sign: 'x', method: PARAMS.method, session: '', app_key: PARAMS.app_key };
  assert.equal(qimenSign(shuffled, BODY, 'my-secret'), SIGN);
});

test('the body is signed byte by byte: escaped Chinese is not raw Chinese', () => {
  const raw = Buffer.from('{"name":"王"}', 'utf8');
  const escaped = Buffer.from('{"name":"\\u738b"}', 'utf8');
  assert.notEqual(qimenSign(PARAMS, raw, 's'), qimenSign(PARAMS, escaped, 's'));
});

test('a signature is taken in either case, and nothing else is', () => {
  const signedWith = (sign: string) => isQimenSigned({ ...PARAMS, sign }, BODY, 'my-secret');
  assert.equal(signedWith(SIGN), true);
  assert.equal(signedWith(SIGN.toLowerCase()), true);
  for (const wrong of ['', SIGN.slice(1), `${SIGN}0`, SIGN.replace('F4', 'F5'), '中'.repeat(32)])
    assert.equal(signedWith(wrong), false, wrong);
  assert.equal(isQimenSigned({ ...PARAMS, sign: SIGN }, Buffer.concat([BODY, BODY]), 'my-secret'), false);
  assert.equal(isQimenSigned({ ...PARAMS, v: '2.0', sign: SIGN }, BODY, 'my-secret'), false);
});

test("times are on China's clock, whatever the zone of the process, and only real ones are read", () => {
  assert.equal(qimenTime(new Date('2026-11-21T18:00:00.900Z')), '2026-11-22 02:00:00');
  assert.equal(parseQimenTime('2026-11-22 02:00:00'), Date.parse('2026-11-21T18:00:00Z'));
  for (const wrong of ['', '2026-02-31 00:00:00', '2026-11-22', '2026-11-22T02:00:00', '2026-11-22 24:00:00'])
    assert.equal(parseQimenTime(wrong), undefined, wrong);
});

test('amounts in yuan are written from their digits', () => {
  assert.deepEqual([0, 5, 99, 100, 28005, 9007199254740991].map(yuan), [
    '0.00',
    '0.05',
    '0.99',
    '1.00',
    '280.05',
    '90071992547409.91',
  ]);
  assert.equal(yuan(null), undefined);
});
