import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signTop } from '../../../../adapters/channels/taobao/sign.ts';

const item = {
  method: 'taobao.item.seller.get',
  app_key: '12345678',
  session: 'test',
  timestamp: '2016-01-01 12:00:00',
  format: 'json',
  v: '2.0',
  fields: 'num_iid,title,nick,price,num',
  num_iid: '11223344',
};
const user = {
  method: 'taobao.user.seller.get',
  timestamp: '2013-05-06 13:52:03',
  format: 'xml',
  app_key: 'test',
  v: '2.0',
  fields: 'nick',
  sign_method: 'md5',
  session: 'test',
};

test('the published md5 signatures come out', () => {
  assert.equal(signTop({ ...item, sign_method: 'md5' }, 'helloworld', 'md5'), '66987CB115214E59E6EC978214934FB8');
  assert.equal(signTop(user, 'test', 'md5'), '72CB4D809B375A54502C09360D879C64');
});

test('the HMACs have the secret as their key only', () => {
  assert.equal(signTop({ ...item, sign_method: 'hmac' }, 'helloworld', 'hmac'), 'D56D7858309C31B6251083A874D48273');
  assert.equal(
    signTop({ ...item, sign_method: 'hmac-sha256' }, 'helloworld', 'hmac-sha256'),
    '04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8',
  );
});

test('empty values, files and the signature itself are not signed', () => {
  const more = { ...item, sign_method: 'md5', memo: '', sign: 'OLD', refuse_proof: new Blob(['jpeg']) };
  assert.equal(signTop(more, 'helloworld', 'md5'), '66987CB115214E59E6EC978214934FB8');
});

test('another value, another secret or another method gives another signature', () => {
  const right = signTop(item, 'helloworld', 'md5');
  assert.notEqual(signTop({ ...item, num_iid: '11223345' }, 'helloworld', 'md5'), right);
  assert.notEqual(signTop(item, 'helloworlD', 'md5'), right);
  assert.notEqual(signTop(item, 'helloworld', 'hmac'), right);
});

test('the order in which parameters are given does not matter, and text is signed as UTF-8', () => {
  const a = signTop({ memo: '加急', flag: '1' }, 's', 'md5');
  assert.equal(a, signTop({ flag: '1', memo: '加急' }, 's', 'md5'));
  assert.notEqual(a, signTop({ flag: '1', memo: '??' }, 's', 'md5'));
});
