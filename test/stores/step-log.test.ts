import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderFields } from '../../models/commit-requests.ts';
import { logSteps } from '../../models/step-log.ts';

const lines: [string, Readonly<Record<string, unknown>>][] = [];
const log = (isOn: boolean) =>
  logSteps({ info: (message, fields) => void lines.push([message, fields]), isEnabled: () => isOn });

const step = {
  orderId: 'shop.1',
  revision: 3,
  actor: { kind: 'user', id: 'anna' } as const,
  fields: { status: 'on_hold', holdCodes: ['manual'] } as unknown as OrderFields,
  happened: [
    { code: 'handed_over', params: { code: 'shop.1.D1', warehouseId: 'hz' } },
    { code: 'hold_set', params: { code: 'manual', detail: '张三 calls back' } },
    { code: 'phone_confirmation', params: { outcome: 'refused', note: '张三' } },
  ],
};

test('a step is one line of codes, without what people have written', () => {
  lines.length = 0;
  log(true)(step);
  const happened = 'handed_over(D1) hold_set(manual) phone_confirmation';
  assert.deepEqual(lines, [
    ['order', { orderId: 'shop.1', revision: 3, happened, status: 'on_hold', holds: 'manual', by: 'anna' }],
  ]);
});

test('nothing is put together when nobody reads it', () => {
  lines.length = 0;
  const unreadable = { ...step, happened: new Proxy(step.happened, { get: () => assert.fail('it was read') }) };
  log(false)(unreadable);
  assert.deepEqual(lines, []);
});
