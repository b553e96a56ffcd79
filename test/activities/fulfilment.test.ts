import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { createFulfilmentActivities, type HandOverInput } from '../../activities/fulfilment-activities.ts';
import type { DeliveryOrder, WmsAnswer, WmsClient } from '../../adapters/wms/wms-port.ts';
import { AdapterError, type AdapterFailureKind } from '../../domain/failures.ts';
import { snapshotOf } from '../support/stored-orders.ts';

const ACCOUNT = { warehouseId: 'wh1', baseUrl: 'http://wms', appKey: 'k', secret: 's', customerId: 'c' };

/** A warehouse that obeys the port: a code that it has is done. `fail` makes the next call fail, after taking effect if told so. */
class FakeWms implements WmsClient {
  readonly deliveries = new Map<string, DeliveryOrder>();
  readonly stopped = new Set<string>();
  fail: { error: Error; isDone: boolean } | undefined;

  async create(order: DeliveryOrder): Promise<WmsAnswer> {
    return this.#act(() => void this.deliveries.set(order.code, this.deliveries.get(order.code) ?? order));
  }

  async stop(code: string): Promise<WmsAnswer> {
    return this.#act(() => void this.stopped.add(code));
  }

  async #act(work: () => void): Promise<WmsAnswer> {
    const { fail } = this;
    this.fail = undefined;
    if (!fail || fail.isDone) work();
    if (fail) throw fail.error;
    return { state: 'done' };
  }
}

const snapshot = { ...snapshotOf({ orderId: 'tao1.1', units: { A: 3, B: 1 }, channel: 'taobao' }), orderDiscount: 400 };
const input: HandOverInput = {
  code: 'tao1.1.D1',
  warehouseId: 'wh1',
  snapshot,
  lines: [
    { lineId: 'A', quantity: 2 },
    { lineId: 'B', quantity: 1 },
  ],
  courier: 'SF',
  paidAt: '2026-11-22T02:00:00.000Z',
};

const bench = (hasSystem = true) => {
  const wms = new FakeWms();
  const activities = createFulfilmentActivities({
    warehouses: {
      find: async () => (hasSystem ? { name: 'East', province: '浙江省', city: '杭州市', account: ACCOUNT } : null),
    },
    createWmsClient: () => wms,
    unseal: (sealed) => {
      assert.equal(sealed, snapshot.receiver.sealed);
      return { name: '张三', phone: '13812348000', address: '文三路 138 号', token: 'oaid-1' };
    },
  });
  return { wms, ...activities };
};

const failureOf = async (work: Promise<unknown>): Promise<ApplicationFailure> => {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ApplicationFailure, String(error));
    return error;
  }
  return assert.fail('it did not fail');
};

test('the warehouse gets what is to be sent, what was paid for it, and the receiver in clear', async () => {
  const { wms, handOver } = bench();
  assert.deepEqual(await handOver(input), { state: 'done' });
  // 3 × 1000 and 1000 less 400 spread over them: 2700 and 900.
  assert.deepEqual(wms.deliveries.get('tao1.1.D1'), {
    code: 'tao1.1.D1',
    warehouseId: 'wh1',
    shopId: 'tao1',
    channel: 'taobao',
    platformOrderId: '1',
    placedAt: snapshot.placedAt,
    paidAt: input.paidAt,
    courier: 'SF',
    totalAmount: 2700,
    sender: { name: 'East', province: '浙江省', city: '杭州市' },
    receiver: {
      name: '张三',
      phone: '13812348000',
      address: '文三路 138 号',
      token: 'oaid-1',
      province: '浙江省',
      city: '杭州市',
      district: '西湖区',
      pickupStation: false,
    },
    lines: [
      { lineId: 'A', skuCode: 'A', title: 'Item A', quantity: 2, unitPaid: 900 },
      { lineId: 'B', skuCode: 'B', title: 'Item B', quantity: 1, unitPaid: 900 },
    ],
  });
});

test('a hand-over that is repeated after its answer was lost makes one delivery', async () => {
  const { wms, handOver } = bench();
  wms.fail = { error: new AdapterError('qimen', 'unknownOutcome', 'no answer'), isDone: true };
  const failure = await failureOf(handOver(input));
  assert.equal(failure.nonRetryable, false);
  assert.deepEqual(await handOver(input), { state: 'done' });
  assert.equal(wms.deliveries.size, 1);
});

test('only what asking again can mend is tried again, and no sooner than the warehouse says', async () => {
  const expected: [AdapterFailureKind, boolean][] = [
    ['throttled', false],
    ['unavailable', false],
    ['unknownOutcome', false],
    ['unauthorised', true],
    ['invalid', true],
    ['declined', true],
    ['notFound', true],
    ['conflict', true],
  ];
  for (const [kind, nonRetryable] of expected) {
    const { wms, stopDelivery } = bench();
    wms.fail = { error: new AdapterError('qimen', kind, 'words', 7000), isDone: false };
    const failure = await failureOf(stopDelivery({ code: 'tao1.1.D1', warehouseId: 'wh1', reason: 'r' }));
    assert.deepEqual(
      [failure.type, failure.nonRetryable, failure.nextRetryDelay, failure.message],
      [kind, nonRetryable, 7000, 'qimen: words'],
    );
  }
});

test('a mistake of ours stays what it is', async () => {
  const { wms, handOver } = bench();
  wms.fail = { error: new TypeError('a mistake'), isDone: false };
  await assert.rejects(handOver(input), TypeError);
});

test('what cannot be asked of a warehouse is refused, so that a person sees to it', async () => {
  const gone = bench(false);
  const noSystem = { state: 'refused', detail: 'warehouse wh1 has no system any more' };
  assert.deepEqual(await gone.handOver(input), noSystem);
  assert.deepEqual(await gone.stopDelivery({ code: 'c', warehouseId: 'wh1', reason: 'r' }), noSystem);
  const { wms, handOver } = bench();
  const odd = { ...input, lines: [{ lineId: 'Z', quantity: 1 }] };
  assert.deepEqual(await handOver(odd), { state: 'refused', detail: 'the order has no line Z' });
  assert.equal(wms.deliveries.size, 0);
});

test('amounts of another currency are left out: a warehouse would take them for yuan', async () => {
  const { wms, handOver } = bench();
  await handOver({ ...input, snapshot: { ...snapshot, currency: 'USD' } });
  const order = wms.deliveries.get('tao1.1.D1');
  assert.deepEqual([order?.totalAmount, ...(order?.lines.map(({ unitPaid }) => unitPaid) ?? [])], [null, null, null]);
});
