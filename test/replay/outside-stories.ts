import assert from 'node:assert/strict';
import type { OrderSnapshot } from '../../domain/order-model.ts';
import { caseResolvedSignal, platformChangedSignal } from '../../workflows/contract.ts';
import { eventually } from '../support/temporal.ts';
import { CANCEL, deliver, hold, lineOf, paidSnapshot, release } from '../domain/samples.ts';
import type { Order, OrderBench } from '../workflows/order-bench.ts';
import { receiverIn, report, Trade, traded } from '../workflows/platform-trade.ts';
import type { RecordedStory } from './stories.ts';

const AT_ONCE = { paymentTimeoutMs: 1_800_000, autoCompleteMs: 0 };
const TWO_LINES = [lineOf('1', 1), lineOf('2', 1)];

/** An order of a warehouse, or of two, with a system; settled as far as it gets by itself. */
const taken = async (bench: OrderBench, ...[make, rest]: Parameters<OrderBench['start']>): Promise<Order> => {
  const ids = bench.ledger.warehouses.map(({ warehouseId }) => warehouseId);
  bench.haveSystems(...ids);
  for (const id of ids) for (const sku of ['SKU-1', 'SKU-2']) bench.ledger.receive(id, sku, ids.length > 1 ? 1 : 5);
  const order = await bench.start(make, { timers: AT_ONCE, ...rest });
  await eventually(() => order.view);
  await settled(order);
  return order;
};

/** Everything that follows from what was told is over. */
const settled = async (order: Order): Promise<void> => {
  for (let quiet = 0, events = 0; quiet < 2;) {
    await order.isQuiet();
    const { length } = await order.events();
    quiet = length === events ? quiet + 1 : 0;
    events = length;
  }
};

const told = async (order: Order, ...commands: Parameters<Order['tell']>[0][]): Promise<void> => {
  for (const command of commands) {
    await order.tell(command);
    await settled(order);
  }
};

const says = async (order: Order, trade: Trade, ...words: Parameters<Trade['says']>): Promise<void> => {
  await trade.says(...words);
  await settled(order);
};

/** Waits for a case and says that it was dealt with. */
const dealtWith = async ({ ledger }: OrderBench, order: Order): Promise<void> => {
  await eventually(() => assert.equal(ledger.caseIds(order.id, 'activity_exhausted').length, 1));
  await settled(order);
  const [caseId = ''] = ledger.caseIds(order.id, 'activity_exhausted');
  await order.newest.signal(caseResolvedSignal, { caseId });
  await settled(order);
};

const handsOver = async (order: Order): Promise<void> =>
  eventually(async () => assert.notEqual((await order.newest.describe()).runId, order.handle.firstExecutionRunId));

const unmapped = (rest: Partial<OrderSnapshot>): OrderSnapshot => {
  const { platform: _platform, ...known } = traded()(rest);
  return { ...known, lines: [], payments: [], payable: 0, unmapped: 'it has no lines' };
};

const REFUSED = { state: 'refused', detail: 'no' };

/** One path each of an order whose goods a warehouse's system has, or that a platform has its say in. */
export const OUTSIDE_STORIES: Record<string, RecordedStory> = {
  'sent-by-a-system': {
    async tell(bench) {
      const order = await taken(bench, paidSnapshot);
      await told(order, report(order, 'T1', { 1: 2 }), deliver('S1'));
      return order;
    },
    twin: { of: 'activity', change: () => REFUSED },
  },
  'sent-by-two-systems': {
    warehouseIds: ['w1', 'w2'],
    async tell(bench) {
      const order = await taken(bench, paidSnapshot);
      for (const [code, { warehouseId }] of bench.outside.deliveries)
        await told(order, report(order, `T-${code}`, { 1: 1 }, { delivery: code, warehouseId, isFinal: true }));
      await told(order, deliver('S1'), deliver('S2'));
      return order;
    },
    twin: { of: 'update reportParcels', nth: 1, change: (input) => ({ ...input, expectedRevision: 1 }) },
  },
  'system-refuses-then-takes': {
    async tell(bench) {
      bench.outside.refuse('handOver');
      const order = await taken(bench, paidSnapshot);
      bench.outside.recover();
      await told(order, release('manual', 'operations'), report(order, 'T1', { 1: 2 }, { delivery: 'D2' }));
      await told(order, deliver('S1'));
      return order;
    },
    twin: { of: 'activity', change: () => ({ state: 'done' }) },
  },
  'called-back-and-asked-anew': {
    async tell(bench) {
      const order = await taken(bench, paidSnapshot);
      await told(order, hold('manual'), release('manual', 'operations'));
      await told(order, report(order, 'T1', { 1: 2 }, { delivery: 'D2' }), deliver('S1'));
      return order;
    },
    twin: { of: 'activity', nth: 1, change: () => REFUSED },
  },
  'cancelled-at-a-system': {
    async tell(bench) {
      const order = await taken(bench, paidSnapshot);
      await told(order, CANCEL);
      return order;
    },
    twin: { of: 'activity', nth: 1, change: () => REFUSED },
  },
  'cancelled-while-a-system-is-asked': {
    async tell(bench) {
      const answer = bench.outside.hold('handOver');
      bench.haveSystems('w1');
      bench.ledger.receive('w1', 'SKU-1', 5);
      const order = await bench.start(paidSnapshot);
      await eventually(() => assert.equal(bench.outside.calls.length, 1));
      const cancelled = order.tell(CANCEL);
      await eventually(() => assert.deepEqual(order.actions, ['opened', 'cancel']));
      answer();
      await cancelled;
      return order;
    },
    twin: { of: 'activity', change: () => REFUSED },
  },
  'stop-refused': {
    async tell(bench) {
      const order = await taken(bench, paidSnapshot);
      bench.outside.pack('D1');
      await told(order, CANCEL, report(order, 'T1', { 1: 2 }), deliver('S1'));
      return order;
    },
    twin: { of: 'activity', nth: 1, change: () => ({ state: 'done' }) },
  },
  'system-out-of-reach': {
    async tell(bench) {
      bench.outside.fail('handOver', { at: 'before', isFinal: true });
      const order = await taken(bench, paidSnapshot);
      await dealtWith(bench, order);
      await told(order, CANCEL);
      return order;
    },
    twin: { of: 'signal caseResolved', change: () => ({ caseId: 'another' }) },
  },
  'platform-order': {
    async tell(bench) {
      const order = await taken(bench, traded());
      await told(order, report(order, 'T1', { 1: 2 }, { isFinal: true }));
      await says(order, new Trade(order), { phase: 'finished' });
      return order;
    },
    twin: {
      of: 'signal platformChanged',
      change: ({ snapshot }) => ({ snapshot: { ...snapshot, platform: { ...snapshot.platform, phase: 'shipped' } } }),
    },
  },
  'platform-two-parcels': {
    async tell(bench) {
      const order = await taken(bench, traded(), { lines: TWO_LINES });
      await told(order, report(order, 'T1', { 1: 1 }), report(order, 'T2', { 2: 1 }));
      await says(order, new Trade(order), { phase: 'finished' });
      return order;
    },
    twin: { of: 'activity', nth: 1, change: () => REFUSED },
  },
  'platform-parcel-refused': {
    async tell(bench) {
      bench.outside.refuse('tellPlatform');
      const order = await taken(bench, traded());
      await told(order, report(order, 'T1', { 1: 2 }));
      bench.outside.recover();
      await dealtWith(bench, order);
      await says(order, new Trade(order), { phase: 'finished' });
      return order;
    },
    twin: { of: 'activity', nth: 1, change: () => ({ state: 'told' }) },
  },
  'platform-locks-and-lifts': {
    async tell(bench) {
      const order = await taken(bench, traded());
      const trade = new Trade(order);
      await says(order, trade, { lockedBy: 'RISK' });
      await says(order, trade, { lockedBy: null });
      await told(order, CANCEL);
      return order;
    },
    twin: {
      of: 'signal platformChanged',
      nth: 1,
      change: ({ snapshot }) => ({ snapshot: { ...snapshot, platform: { ...snapshot.platform, lockedBy: 'OTHER' } } }),
    },
  },
  'platform-changes-the-address': {
    async tell(bench) {
      const order = await taken(bench, traded());
      await says(order, new Trade(order), {}, { receiver: receiverIn('上城区') });
      await told(order, report(order, 'T1', { 1: 2 }, { delivery: 'D2' }));
      await says(order, new Trade(order), { phase: 'finished', modifiedAt: '2099-01-01T00:00:00.000Z' });
      return order;
    },
    twin: {
      of: 'signal platformChanged',
      change: ({ snapshot }) => ({ snapshot: { ...snapshot, receiver: receiverIn('西湖区') } }),
    },
  },
  'platform-pays-a-line-back': {
    async tell(bench) {
      const order = await taken(bench, traded(), { lines: TWO_LINES });
      const trade = new Trade(order);
      await says(order, trade, { refunded: [{ lineId: '2', quantity: 1 }] });
      await told(order, report(order, 'T1', { 1: 1 }, { delivery: 'D2' }));
      await says(order, trade, { phase: 'finished' });
      return order;
    },
    twin: {
      of: 'signal platformChanged',
      change: ({ snapshot }) => ({ snapshot: { ...snapshot, platform: { ...snapshot.platform, refunded: [] } } }),
    },
  },
  'platform-closes': {
    async tell(bench) {
      const order = await taken(bench, traded());
      await says(order, new Trade(order), { phase: 'closed_refunded' });
      return order;
    },
    twin: { of: 'activity', nth: 1, change: () => REFUSED },
  },
  'platform-amounts-differ': {
    async tell(bench) {
      const order = await taken(bench, traded({ paid: 1900 }));
      await told(order, release('amount_mismatch', 'finance'), report(order, 'T1', { 1: 2 }));
      await says(order, new Trade(order), { phase: 'finished', paid: 1900 });
      return order;
    },
    twin: { of: 'update release', change: (input) => ({ ...input, command: release('amount_mismatch', 'admin') }) },
  },
  'platform-not-understood': {
    async tell(bench) {
      const order = await taken(bench, unmapped);
      const { lines, payable } = traded()();
      await says(order, new Trade(order), { phase: 'paid' }, { lines, payable });
      await order.newest.signal(platformChangedSignal, { snapshot: unmapped(order.snapshot) });
      await settled(order);
      await told(order, CANCEL);
      return order;
    },
    twin: { of: 'signal platformChanged', change: ({ snapshot }) => ({ snapshot: { ...snapshot, lines: 'none' } }) },
  },
  'taken-over-with-an-errand': {
    async tell(bench) {
      bench.outside.fail('handOver', { at: 'before', isFinal: true });
      const order = await taken(bench, paidSnapshot, { continueAtEvents: 12 });
      await eventually(() => assert.deepEqual(order.openCases, ['activity_exhausted']));
      await order.tell({ type: 'assign', username: 'ann' });
      await handsOver(order);
      await settled(order);
      await told(order, CANCEL);
      return order;
    },
    twin: { of: 'input', change: (input) => ({ ...input, carried: { ...input.carried, deliveryOrders: [] } }) },
  },
};
