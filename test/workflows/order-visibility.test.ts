import { test } from 'node:test';
import assert from 'node:assert/strict';
import { eventually } from '../support/temporal.ts';
import { searchAttributes } from '../../workflows/contract.ts';
import { CANCEL, deliver, hold, later, paidSnapshot, pay, release, ship, snapshotOf } from '../domain/samples.ts';
import { useOrders, type Order } from './order-bench.ts';

const { temporal, story } = useOrders();

/** `status · holds · cases`, as an engineer searches for them. */
const searched = async (order: Order): Promise<string> => {
  const { typedSearchAttributes } = await order.newest.describe();
  const { orderStatus, holdCode, caseCode } = searchAttributes;
  const list = (values: readonly string[] | undefined) => (values ?? []).join(',');
  return [
    typedSearchAttributes.get(orderStatus) ?? '',
    list(typedSearchAttributes.get(holdCode)),
    list(typedSearchAttributes.get(caseCode)),
  ].join(' · ');
};
const becomes = (order: Order, expected: string) =>
  eventually(async () => assert.equal(await searched(order), expected));

test(
  'an engineer finds an order by its status, its holds and its cases, at every turn of its life',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    assert.equal(await order.tell(hold('phone_confirmation')), 'on_hold');
    await becomes(order, 'on_hold · phone_confirmation · ');
    await order.tell({ type: 'phoneConfirmation', outcome: 'refused', note: '' });
    await becomes(order, 'on_hold · phone_confirmation · phone_refused');
    await order.tell({ type: 'phoneConfirmation', outcome: 'confirmed', note: '' });
    await becomes(order, 'pending_payment ·  · ');
    await order.tell(pay('p1', 2500));
    await becomes(order, 'on_hold · overpaid · overpaid');
    await order.tell(release('overpaid', 'finance'));
    await becomes(order, 'processing ·  · ');
    await order.tell(ship('T1', { 1: 1 }));
    await order.tell(CANCEL);
    await becomes(order, 'processing ·  · refund_due');
    await order.tell(deliver('S1', later(-11 * 86_400_000, new Date(await temporal.now()).toISOString())));
    await becomes(order, 'completed ·  · refund_due');
  }),
);

test(
  'steps between reservation and the end cost no search attributes',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    await order.is('awaiting_shipment');
    await order.tell({ type: 'assign', username: 'ann' });
    await order.tell(ship('T1', { 1: 2 }));
    await order.tell(deliver('S1'));
    assert.ok(!(await order.events()).includes('upsertWorkflowSearchAttributes'));
  }),
);

test(
  'the details say what the order waits for, and until when',
  story(async ({ ledger, start }) => {
    const order = await start(snapshotOf);
    await order.is('pending_payment');
    assert.match(await order.details(), /^pending_payment: waits for payment, 0 of 2000 paid \(until 20..-/);
    await order.tell(pay('p1', 2000));
    assert.match(await order.details(), /^backordered: waits for stock/);
    ledger.receive('w1', 'SKU-1', 2);
    await order.is('awaiting_shipment');
    assert.match(await order.details(), /^awaiting_shipment: waits for w1 to send the goods/);
    await order.tell(hold('manual'));
    assert.match(await order.details(), /^on_hold: held by manual/);
    await order.tell(CANCEL);
    assert.equal(await order.details(), 'cancelled: has ended · open cases: refund_due');
  }),
);
