import { test } from 'node:test';
import { orderBody, payment, startOrderApp } from './order-app.ts';
const app = await startOrderApp();
await app.receive('wh1', 'TEE-M', 1000);
for (let n = 0; n < 5; n += 1)
  test('x' + n, async () => {
    await app.post('/v1/orders', orderBody('Z' + n, { payments: [], lines: [{ lineId: '1', skuCode: 'TEE-M', title: 'T', quantity: 4, unitPrice: 10000 }] }));
    const t = Date.now();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => app.post(`/v1/orders/own1.Z${n}/payments`, payment(`p${i}`, 1000))));
    console.log(Date.now() - t, answers.filter((a) => a.status !== 200).map((a) => a.text));
    if (answers.some((a) => a.status !== 200)) console.log(app.log().split('\n').filter((l) => /could not|update/i.test(l)).slice(-3));
  });
