import { setTimeout } from 'node:timers/promises';
import { caseResolvedSignal, parcelShippedSignal, skuMappedSignal } from '../../workflows/contract.ts';
import { LedgerMismatch } from '../../models/stock-book.ts';
import { eventually } from '../support/temporal.ts';
import {
  CANCEL,
  deliver,
  hold,
  lineOf,
  paidSnapshot,
  pay,
  payment,
  presaleSnapshot,
  RECEIVER,
  release,
  ship,
  snapshotOf,
} from '../domain/samples.ts';
import { reinstatable, type Order, type OrderBench } from '../workflows/order-bench.ts';
import type { Twin } from './history-twin.ts';

export interface RecordedStory {
  warehouseIds?: string[];
  /** Takes an order through one path; its history is recorded as it is then. */
  tell: (bench: OrderBench) => Promise<Order>;
  /** Of an order that was handed over, the first run is recorded. */
  isFirstRun?: boolean;
  /** One decisive thing that is otherwise: with it the history must not replay. */
  twin: Twin;
}

const AT_ONCE = { paymentTimeoutMs: 1_800_000, autoCompleteMs: 0 };
const long = '2026-01-01T00:00:00.000Z';
const inOneSecond = (): string => new Date(Date.now() + 1000).toISOString();
/** Of the least time that an order has, 59 of 60 seconds are over. */
const almostOver = () => ({ placedAt: long, receivedAt: new Date(Date.now() - 59_000).toISOString() });

const started = async (bench: OrderBench, ...args: Parameters<OrderBench['start']>): Promise<Order> => {
  const order = await bench.start(...args);
  await eventually(() => order.view);
  // The first task is over before anything else is sent.
  await order.details();
  return order;
};

const paid = (bench: OrderBench, rest: Parameters<OrderBench['start']>[1] = {}) =>
  started(bench, paidSnapshot, { timers: AT_ONCE, ...rest });

/** These arrive in one task, in this order. */
const together = async (bench: OrderBench, tell: (order: Order) => (() => Promise<unknown>)[]): Promise<Order> => {
  const own = bench.ownQueue();
  const worker = await own.work();
  const order = await started(bench, paidSnapshot, { taskQueue: own.taskQueue, timers: AT_ONCE });
  await worker.stop();
  const answers: Promise<unknown>[] = [];
  for (const ask of tell(order)) {
    answers.push(ask());
    await setTimeout(60);
  }
  const next = await own.work();
  await Promise.all(answers);
  await order.details();
  await next.stop();
  return order;
};

const shippedAndDelivered = async (order: Order, ...parcels: ReturnType<typeof ship>[]): Promise<Order> => {
  for (const parcel of parcels) await order.tell(parcel);
  for (const index of parcels.keys()) await order.tell(deliver(`S${index + 1}`));
  await order.handle.result();
  return order;
};

/** One path of an order's life each. */
export const STORIES: Record<string, RecordedStory> = {
  ordinary: {
    async tell(bench) {
      const lines = [lineOf('1', 1), lineOf('2', 1), lineOf('3', 1)];
      for (const { skuCode } of lines) bench.ledger.receive('w1', skuCode ?? '', 1);
      return shippedAndDelivered(await paid(bench, { lines }), ship('T1', { 1: 1, 2: 1, 3: 1 }));
    },
    twin: {
      of: 'update ship',
      change: (input) => ({ ...input, command: { ...input.command, lines: [{ lineId: '1', quantity: 9 }] } }),
    },
  },
  'unpaid-time-out': {
    async tell(bench) {
      const order = await started(bench, snapshotOf, almostOver());
      await order.handle.result();
      return order;
    },
    twin: { of: 'input', change: (input) => ({ ...input, snapshot: { ...input.snapshot, payable: 0 } }) },
  },
  'paid-in-parts-and-too-much': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await started(bench, snapshotOf, { timers: AT_ONCE });
      await order.tell(pay('p1', 500));
      await order.tell(pay('p2', 1600));
      await order.tell(release('overpaid', 'finance'));
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: { of: 'update addPayment', nth: 1, change: (input) => ({ ...input, command: pay('p2', 1500) }) },
  },
  reinstated: {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const first = await started(bench, snapshotOf, almostOver());
      await first.handle.result();
      const order = await bench.reinstate(reinstatable(first.view.final, payment('p1', 2000)));
      await order.is('awaiting_shipment');
      await order.details();
      await order.tell(ship('T1', { 1: 2 }));
      await order.tell(deliver('S1'));
      return order;
    },
    twin: { of: 'input', change: (input) => ({ ...input, opening: 'opened' }) },
  },
  'held-and-released': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench);
      await order.tell(hold('manual'));
      await order.tell(hold('risk_review', inOneSecond()));
      await eventually(() => {
        if (order.view.holds.length !== 1) throw new Error('the timed hold still stands');
      });
      await order.details();
      await order.tell(release('manual', 'operations'));
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: { of: 'update hold', nth: 1, change: (input) => ({ ...input, command: hold('risk_review') }) },
  },
  'phone-refused-then-confirmed': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench);
      await order.tell(hold('phone_confirmation'));
      await order.tell({ type: 'phoneConfirmation', outcome: 'refused', note: 'hung up' });
      await order.tell({ type: 'phoneConfirmation', outcome: 'confirmed', note: '' });
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: {
      of: 'update phoneConfirmation',
      nth: 1,
      change: (input) => ({ ...input, command: { ...input.command, outcome: 'refused' } }),
    },
  },
  'unknown-sku': {
    async tell(bench) {
      bench.ledger.receive('w1', 'A', 2);
      const order = await paid(bench, { lines: [lineOf('1', 2, { skuCode: null, platformSku: 'P1' })] });
      await order.newest.signal(skuMappedSignal, { platformSku: 'P1', skuCode: 'A' });
      await order.is('awaiting_shipment');
      await order.details();
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: { of: 'signal skuMapped', change: (news) => ({ ...news, platformSku: 'P2' }) },
  },
  backordered: {
    async tell(bench) {
      const order = await paid(bench);
      bench.ledger.receive('w1', 'SKU-1', 2);
      await order.is('awaiting_shipment');
      await order.details();
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: {
      of: 'step',
      change: (answer) => ({ ...answer, outcome: { state: 'reserved', allocations: [], handedOver: [] } }),
    },
  },
  'two-parcels': {
    warehouseIds: ['w1', 'w2'],
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 1);
      bench.ledger.receive('w2', 'SKU-1', 1);
      return shippedAndDelivered(await paid(bench), ship('T1', { 1: 1 }), ship('T2', { 1: 1 }, 'w2'));
    },
    twin: { of: 'update ship', nth: 1, change: (input) => ({ ...input, command: ship('T2', { 1: 1 }, 'w1') }) },
  },
  cancelled: {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench);
      await order.tell(CANCEL);
      return order;
    },
    twin: { of: 'update cancel', change: (input) => ({ ...input, command: hold('manual') }) },
  },
  'rest-cancelled': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 5);
      const order = await paid(bench, { lines: [lineOf('1', 5)] });
      await order.tell(ship('T1', { 1: 2 }));
      await order.tell(CANCEL);
      await order.tell(deliver('S1'));
      return order;
    },
    twin: { of: 'update ship', change: (input) => ({ ...input, command: ship('T1', { 1: 5 }) }) },
  },
  'address-changed': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench, { receiver: { ...RECEIVER, missing: ['phone'] } });
      await order.tell({ type: 'changeAddress', receiver: RECEIVER });
      await order.tell({ type: 'changeAddress', receiver: { ...RECEIVER, district: '上城区' } });
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: {
      of: 'update changeAddress',
      nth: 1,
      change: (input) => ({ ...input, command: { ...input.command, receiver: { ...RECEIVER, missing: ['name'] } } }),
    },
  },
  split: {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench);
      const lines = [{ lineId: '1', quantity: 1 }];
      await order.tell({ type: 'split', groups: [{ lines }, { lines }] });
      return shippedAndDelivered(order, ship('T1', { 1: 1 }), ship('T2', { 1: 1 }));
    },
    twin: { of: 'update split', change: (input) => ({ ...input, command: { type: 'split', groups: [] } }) },
  },
  allocated: {
    warehouseIds: ['w1', 'w2'],
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      bench.ledger.receive('w2', 'SKU-1', 1);
      const order = await paid(bench);
      await order.tell({ type: 'allocate', warehouseId: 'w2' });
      bench.ledger.receive('w2', 'SKU-1', 1);
      await order.tell({ type: 'allocate', warehouseId: 'w2' });
      return shippedAndDelivered(order, ship('T1', { 1: 2 }, 'w2'));
    },
    twin: { of: 'step', nth: 2, change: (answer) => ({ ...answer, outcome: { state: 'short' } }) },
  },
  'merged-and-sent': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 4);
      const [order, other] = [await paid(bench), await paid(bench)];
      const orderIds = [order.id, other.id];
      for (const one of [order, other]) await one.tell({ type: 'joinParcel', groupId: 'g1', orderIds });
      await order.tell(ship('T1', { 1: 2 }));
      await other.is('shipped');
      await order.details();
      await order.tell(deliver('S1'));
      return order;
    },
    twin: {
      of: 'update joinParcel',
      change: (input) => ({ ...input, command: { ...input.command, orderIds: [] } }),
    },
  },
  'merged-and-taken-along': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench);
      await order.tell({ type: 'joinParcel', groupId: 'g1', orderIds: [order.id, 'own1.another'] });
      const parcel = { groupId: 'g1', warehouseId: 'w1', courier: 'SF', trackingNo: 'T1' };
      await order.newest.signal(parcelShippedSignal, parcel);
      await order.is('shipped');
      await order.details();
      await order.tell(deliver('S1'));
      return order;
    },
    twin: { of: 'signal parcelShipped', change: (news) => ({ ...news, groupId: 'g2' }) },
  },
  'presale-closed': {
    async tell(bench) {
      const presale = { deposit: 500, balanceDueAt: inOneSecond(), promisedShipAt: inOneSecond() };
      const order = await started(bench, presaleSnapshot, { presale, payments: [payment('p1', 500)] });
      await order.handle.result();
      return order;
    },
    twin: {
      of: 'input',
      change: (input) => ({
        ...input,
        snapshot: { ...input.snapshot, receiver: { ...input.snapshot.receiver, missing: ['phone'] } },
      }),
    },
  },
  'step-contradicted': {
    async tell(bench) {
      const { ledger } = bench;
      const order = await started(bench, snapshotOf);
      const error = new LedgerMismatch('counters are wrong');
      ledger.fail({ at: 'before', times: Infinity, when: ({ revision }) => revision === 2, error });
      const held = order.tell(hold('manual'));
      const caseId = await eventually(() => {
        const [found] = ledger.caseIds(order.id, 'activity_exhausted');
        if (found === undefined) throw new Error('no case yet');
        return found;
      });
      ledger.recover();
      ledger.resolveCase(caseId);
      await order.newest.signal(caseResolvedSignal, { caseId });
      await held;
      await order.tell(CANCEL);
      return order;
    },
    twin: { of: 'update hold', change: (input) => ({ ...input, command: { ...input.command, code: 'overpaid' } }) },
  },
  'store-away': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await paid(bench);
      bench.ledger.fail({ at: 'after', times: 3, when: ({ revision }) => revision === 2 });
      return shippedAndDelivered(order, ship('T1', { 1: 2 }));
    },
    twin: { of: 'update deliver', change: (input) => ({ ...input, command: deliver('S2') }) },
  },
  'many-in-one-task': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      return together(bench, (order) => [
        () => order.tell({ type: 'assign', username: 'ann' }, { expectedRevision: 1 }),
        () => order.tell({ type: 'assign', username: 'bob' }, { expectedRevision: 1 }),
        () => order.newest.signal('stockReserved'),
        () => order.tell(ship('T1', { 1: 2 })),
        () => order.tell(deliver('S1')),
      ]);
    },
    twin: { of: 'update assign', nth: 1, change: (input) => ({ ...input, expectedRevision: 2 }) },
  },
  'handed-over': {
    isFirstRun: true,
    async tell(bench) {
      const order = await started(bench, snapshotOf, { continueAtEvents: 8 });
      await order.tell({ type: 'assign', username: 'ann' });
      await eventually(async () => {
        if ((await order.newest.describe()).runId === order.handle.firstExecutionRunId) throw new Error('not yet');
      });
      return order;
    },
    twin: { of: 'input', change: (input) => ({ ...input, continueAtEvents: 2000 }) },
  },
  'taken-over': {
    async tell(bench) {
      bench.ledger.receive('w1', 'SKU-1', 2);
      const order = await started(bench, paidSnapshot, { continueAtEvents: 8, timers: AT_ONCE });
      await order.tell({ type: 'assign', username: 'ann' });
      await eventually(async () => {
        if ((await order.newest.describe()).runId === order.handle.firstExecutionRunId) throw new Error('not yet');
      });
      await order.details();
      await order.tell(CANCEL);
      return order;
    },
    twin: {
      of: 'input',
      change: (input) => ({ ...input, carried: { ...input.carried, ended: { status: 'cancelled', at: long } } }),
    },
  },
};
