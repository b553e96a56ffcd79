import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { OrderDeskClient } from '../../api/orders/order-desk-client.ts';
import type { OrderCommand } from '../../domain/order-messages.ts';
import { eventually, useRealTemporal } from '../support/temporal.ts';
import { CANCEL, deliver, lineOf, paidSnapshot, pay, payment, ship, snapshotOf } from '../domain/samples.ts';
import { ORIGIN, reinstatable, useOrders, type Order } from './order-bench.ts';

const temporal = useRealTemporal();
const { story } = useOrders(temporal);

/** Sent as the API sends: again, as the same update, when the run has just handed over. */
const sender = (order: Order) => {
  const desk = new OrderDeskClient(temporal.client);
  return async (updateId: string, command: OrderCommand): Promise<number> => {
    const answer = await desk.send(order.id, { updateId, command, origin: ORIGIN });
    if (answer === 'ended' || 'refusal' in answer) throw new Error(`${updateId}: ${JSON.stringify(answer)}`);
    return answer.revision;
  };
};

const nextRunOf = async (order: Order, runId: string): Promise<string | undefined> => {
  const { events } = await temporal.client.workflow.getHandle(order.handle.workflowId, runId).fetchHistory();
  return events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
};

const runsOf = async (order: Order): Promise<string[]> => {
  const runs: string[] = [];
  let runId: string | undefined = order.handle.firstExecutionRunId;
  for (; runId !== undefined; runId = await nextRunOf(order, runId)) runs.push(runId);
  return runs;
};

test(
  'runs hand over while commands and news come in: none is lost, none is carried out twice',
  story(async ({ ledger, start }) => {
    const unknown = Array.from({ length: 12 }, (_, index) =>
      lineOf(String(index), 1, { skuCode: null, platformSku: `P${index}` }),
    );
    ledger.receive('w1', 'A', 20);
    const order = await start(snapshotOf, { lines: unknown, continueAtEvents: 25 });
    await order.is('on_hold');
    const send = sender(order);
    const revisions: number[] = [];
    const payer = async (name: string): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) {
        revisions.push(await send(`${name}${turn}`, pay(`${name}${turn}`, 300)));
        // A run hands over when nobody is being answered.
        await setTimeout(30);
      }
    };
    const tell = async (): Promise<void> => {
      for (const { platformSku } of unknown) {
        await order.newest.signal('skuMapped', { platformSku, skuCode: 'A' });
        await setTimeout(20);
      }
    };
    await Promise.all([payer('a'), payer('b'), payer('c'), payer('d'), tell()]);
    await order.is('awaiting_shipment');
    assert.equal(new Set(revisions).size, 40);
    assert.deepEqual([order.view.totals.paid, order.view.revision], [12_000, 1 + 40 + 12]);
    assert.equal(ledger.counter('w1', 'A'), '20/12');
    assert.ok(order.isChained, order.actions.join());
    const runs = await runsOf(order);
    assert.ok(runs.length >= 2, `${runs.length} runs`);
  }),
);

test(
  'a run that was handed over to knows all that was before, and ends the order on time',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(snapshotOf, {
      continueAtEvents: 8,
      placedAt: '2026-01-01T00:00:00.000Z',
      receivedAt: new Date(Date.now() - 58_000).toISOString(),
    });
    const send = sender(order);
    await send('a', { type: 'assign', username: 'ann' });
    await send('h', { type: 'hold', code: 'manual', detail: 'x' });
    await eventually(async () => assert.ok((await runsOf(order)).length >= 2));
    assert.match(await order.details(), /^on_hold: held by manual/);
    await order.is('cancelled');
    const [run] = await runsOf(order);
    assert.deepEqual([order.view.assignee, order.actions], ['ann', ['opened', 'assign', 'hold', 'paymentTimeout']]);
    assert.equal(order.handle.firstExecutionRunId, run);
  }),
);

test(
  'an order that was brought back and handed over is not brought back again',
  story(async ({ ledger, start, reinstate }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const first = await start(snapshotOf);
    await first.tell(CANCEL);
    const order = await reinstate(reinstatable(first.view.final, payment('p1', 2000)), { continueAtEvents: 8 });
    await order.is('awaiting_shipment');
    const send = sender(order);
    for (const username of ['ann', 'bob', 'eve']) await send(username, { type: 'assign', username });
    await eventually(async () => assert.ok((await runsOf(order)).length >= 2));
    await send('s', ship('T1', { 1: 2 }));
    await send('d', deliver('S1'));
    assert.deepEqual(order.actions, [
      'opened',
      'cancel',
      'reinstated',
      'assign',
      'assign',
      'assign',
      'ship',
      'deliver',
    ]);
    assert.ok(order.isChained);
  }),
);

test(
  'an order hands over by itself long before the engine asks for it, and not before',
  story(async ({ ledger, start }) => {
    ledger.receive('w1', 'SKU-1', 5);
    const order = await start(paidSnapshot);
    const send = sender(order);
    for (let turn = 0; turn < 20; turn += 1) await send(`a${turn}`, { type: 'assign', username: `u${turn}` });
    assert.equal((await runsOf(order)).length, 1);
  }),
);
