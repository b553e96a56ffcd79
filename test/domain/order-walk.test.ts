import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isLive } from '../../domain/delivery-orders.ts';
import { untoldParcels } from '../../domain/platform-told.ts';
import type { PlatformPhase, PlatformWord } from '../../domain/platform-order.ts';
import { initialState } from '../../domain/order-life.ts';
import { ORDER_TRANSITIONS, statusOf } from '../../domain/order-status.ts';
import type { ReservationOutcome, Step } from '../../domain/order-step.ts';
import type { OrderMessage } from '../../domain/order-messages.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';
import type { OrderSnapshot, OrderState, OrderStatus } from '../../domain/order-model.ts';
import { assertMove, assertState } from './order-invariants.ts';
import {
  CANCEL,
  deliver,
  hold,
  later,
  lineOf,
  NOON,
  outOfStock,
  paidSnapshot,
  pay,
  payment,
  presaleSnapshot,
  RECEIVER,
  release,
  reservedFrom,
  ship,
  snapshotOf,
  TIMERS,
} from './samples.ts';

const HOUR = later(3_600_000);
const MONTH = later(30 * 86_400_000);
const MOST_STATES = 60_000;
/** Called back and asked for anew without end, a walk would have none. */
const MOST_DELIVERIES = 2;

type Ledger = (step: Step) => ReservationOutcome;
interface Walk {
  start: OrderSnapshot[];
  messages: (OrderMessage | { message: OrderMessage; now: string } | ((state: OrderState) => OrderMessage))[];
  ledgers: Ledger[];
  timers?: OrderTimers;
}

const FACTS: Walk['messages'] = [
  { type: 'opened' },
  { type: 'reinstated' },
  { message: { type: 'paymentTimeout' }, now: HOUR },
  { message: { type: 'balanceOverdue' }, now: MONTH },
  { type: 'stillWaiting' },
  { message: { type: 'holdExpired' }, now: HOUR },
  { message: { type: 'autoComplete' }, now: MONTH },
  { type: 'stepRecovered', caseId: 'own1.W1.activity_exhausted.1' },
];

/** Two states that differ only in names, times and counts of what has passed allow the same future. */
const keyOf = (state: OrderState): string =>
  JSON.stringify({
    ...state,
    revision: Math.min(state.revision, 1),
    holds: state.holds.map(({ code, until }) => [code, until ?? '']).sort((a, b) => (a.join() < b.join() ? -1 : 1)),
    cases: state.cases.map(({ code }) => code).sort(),
    reservation: { ...state.reservation, round: Math.min(state.reservation.round, 1) },
    cancellation: state.cancellation && {
      lines: state.cancellation.lines,
      holds: state.cancellation.holds.map(({ code }) => code).sort(),
    },
    ended: state.ended?.status ?? null,
    shipments: state.shipments.map(({ lines, status, warehouseId, deliveryOrderCode }) => ({
      lines,
      status,
      warehouseId,
      deliveryOrderCode,
    })),
    deliveryOrders: state.deliveryOrders.map(({ code, lines, state: stage, stopFor, isPacked }) => [
      code,
      lines,
      stage,
      stopFor,
      isPacked === true,
    ]),
    reports: 0,
    snapshot: { ...state.snapshot, platform: { ...state.snapshot.platform, modifiedAt: '', endedAt: '' } },
  });

type SystemSays = 'handedOver' | 'handOverRefused' | 'deliveryStopped' | 'stopRefused';
/** What the system of a warehouse answers about whatever it has last been asked. */
const system =
  (type: SystemSays) =>
  ({ deliveryOrders }: OrderState): OrderMessage => {
    const wanted = type === 'handedOver' || type === 'handOverRefused' ? ['asked', 'stopping'] : ['stopping'];
    const code = deliveryOrders.find(({ state }) => wanted.includes(state))?.code ?? 'none';
    return { type, code, detail: 'x' };
  };
/** Goods leave a warehouse that reports them by its own system. */
const reports =
  (quantity: number, isFinal = false) =>
  (state: OrderState): OrderMessage => ({
    type: 'reportParcels',
    warehouseId: 'w1',
    deliveryOrderCode: state.deliveryOrders.find(isLive)?.code ?? 'none',
    outBizCode: `B${state.shipments.length}`,
    isFinal,
    parcels: [{ courier: 'SF', trackingNo: `N${state.shipments.length}`, lines: [{ lineId: '1', quantity }] }],
  });
/** The platform says something new. */
const says =
  (phase: PlatformPhase, rest: Partial<PlatformWord> = {}) =>
  ({ snapshot, revision }: OrderState): OrderMessage => {
    const paid = ['unpaid', 'closed_unpaid'].includes(phase) ? 0 : snapshot.payable;
    return {
      type: 'platformChanged',
      snapshot: {
        ...snapshot,
        payments: paid > 0 ? [payment('pp', paid)] : [],
        platform: wordOf(phase, { modifiedAt: later(1000 * (revision + 1)), paid, ...rest }),
      },
    };
  };
const wordOf = (phase: PlatformPhase, rest: Partial<PlatformWord> = {}): PlatformWord => ({
  status: phase,
  phase,
  lockedBy: null,
  modifiedAt: NOON,
  paid: 0,
  refundOpen: [],
  refunded: [],
  parcels: [],
  ...rest,
});
const told = (state: OrderState): OrderMessage => ({
  type: 'platformTold',
  shipmentId: untoldParcels(state)[0] ?? 'none',
});
/** Reserved where a warehouse's own system packs. */
const reservedAtSystem: Ledger = ({ stock }) => {
  const asked = stock.find((intent) => intent.kind === 'reserve');
  const lines = (asked?.lines ?? []).map(({ lineId, quantity }) => ({ lineId, quantity }));
  return { state: 'reserved', allocations: [{ warehouseId: 'w1', courier: null, lines }], handedOver: [] };
};

const walk = ({ start, messages, ledgers, timers = TIMERS }: Walk): { states: number; moves: Set<string> } => {
  const seen = new Set<string>();
  const moves = new Set<string>();
  let front = start.map(initialState);
  while (front.length > 0) {
    const next: OrderState[] = [];
    for (const state of front)
      for (const entry of messages) {
        const asked = typeof entry === 'function' ? entry(state) : entry;
        const { message, now } = 'message' in asked ? asked : { message: asked, now: NOON };
        // A real waybill is never used twice; the shipment's number stands for it.
        const told =
          message.type === 'ship'
            ? { ...message, trackingNo: `${message.trackingNo}${state.shipments.length}` }
            : message;
        const context = { now, timers };
        for (const after of assertMove(state, told, context, ledgers)) {
          if (state.revision > 0) moves.add(`${statusOf(state)} → ${statusOf(after)}`);
          const key = keyOf(after);
          if (seen.has(key) || after.deliveryOrders.length > MOST_DELIVERIES) continue;
          assertState(after, context);
          seen.add(key);
          next.push(after);
        }
      }
    assert.ok(seen.size < MOST_STATES, `the walk has grown to ${seen.size} states`);
    front = next;
  }
  return { states: seen.size, moves };
};

const WALKS: Record<string, Walk> = {
  'money, holds and time': {
    start: [snapshotOf(), paidSnapshot(), snapshotOf({ payments: [payment('p1', 2000, { method: 'cod' })] })],
    messages: [
      ...FACTS,
      pay('p2', 500),
      pay('p3', 2000),
      hold('manual'),
      hold('manual', HOUR),
      release('manual', 'operations'),
      release('overpaid', 'finance'),
      CANCEL,
      { type: 'stockReserved', round: 1 },
      { type: 'stockReserved', round: 2 },
      ship('T', { 1: 1 }),
      ship('T', { 1: 2 }),
      deliver('S1'),
      deliver('S2'),
    ],
    ledgers: [reservedFrom('w1'), outOfStock],
  },
  'what holds an order until somebody finds out': {
    start: [
      paidSnapshot({
        lines: [
          lineOf('1', 1, { skuCode: null, platformSku: 'P1' }),
          lineOf('2', 1, { skuCode: null, platformSku: 'P2' }),
        ],
        receiver: { ...RECEIVER, missing: ['phone'] },
      }),
    ],
    messages: [
      ...FACTS,
      { type: 'skuMapped', platformSku: 'P1', skuCode: 'A' },
      { type: 'skuMapped', platformSku: 'P2', skuCode: 'B' },
      hold('phone_confirmation'),
      hold('risk_review'),
      release('risk_review', 'cs_supervisor'),
      release('address_incomplete', 'cs_agent'),
      { type: 'phoneConfirmation', outcome: 'refused', note: '' },
      { type: 'phoneConfirmation', outcome: 'confirmed', note: '' },
      { type: 'changeAddress', receiver: RECEIVER },
      { type: 'changeAddress', receiver: { ...RECEIVER, missing: ['address'] } },
      { type: 'caseResolved', caseId: 'own1.W1.unknown_sku.1' },
      { type: 'assign', username: 'ann' },
      CANCEL,
      ship('T', { 1: 1, 2: 1 }),
      deliver('S1'),
    ],
    ledgers: [reservedFrom('w1'), outOfStock],
  },
  'warehouses and parcels': {
    start: [paidSnapshot({ lines: [lineOf('1', 2), lineOf('2', 1)] })],
    messages: [
      ...FACTS,
      ship('T', { 1: 1 }),
      ship('T', { 1: 2, 2: 1 }),
      ship('T', { 2: 1 }),
      ship('T', { 1: 1 }, 'w2'),
      ship('T', { 1: 1, 2: 1 }, 'w2'),
      deliver('S1'),
      deliver('S2'),
      deliver('S3'),
      { type: 'allocate', warehouseId: 'w2' },
      { type: 'split', groups: [{ lines: [{ lineId: '1', quantity: 2 }] }, { lines: [{ lineId: '2', quantity: 1 }] }] },
      { type: 'joinParcel', groupId: 'g1', orderIds: ['own1.W1', 'own1.W2'] },
      { type: 'joinParcel', groupId: 'g0', orderIds: ['own1.W1'] },
      { type: 'parcelShipped', groupId: 'g1', warehouseId: 'w1', courier: 'SF', trackingNo: 'G1' },
      { type: 'changeAddress', receiver: RECEIVER },
      { type: 'stockReserved', round: 1 },
      hold('manual'),
      release('manual', 'operations'),
      CANCEL,
    ],
    ledgers: [
      (step) =>
        step.stock.some((intent) => intent.kind === 'reserve' && intent.onlyWarehouseId !== undefined)
          ? reservedFrom('w2')(step)
          : reservedFrom('w1', 'w2')(step),
      (step) =>
        step.stock.some((intent) => intent.kind === 'reserve' && intent.onlyWarehouseId !== undefined)
          ? { state: 'short' }
          : { state: 'backordered' },
    ],
  },
  'orders that complete on delivery': {
    start: [paidSnapshot()],
    messages: [...FACTS, ship('T', { 1: 1 }), ship('T', { 1: 2 }), deliver('S1'), deliver('S2'), pay('p2', 1), CANCEL],
    ledgers: [reservedFrom('w1')],
    timers: { ...TIMERS, autoCompleteMs: 0 },
  },
  'a warehouse that is worked by its own system': {
    start: [paidSnapshot()],
    messages: [
      { type: 'opened' },
      ...(['handedOver', 'handOverRefused', 'deliveryStopped', 'stopRefused'] as const).map(system),
      reports(1),
      reports(2),
      reports(1, true),
      hold('manual'),
      release('manual', 'operations'),
      { type: 'changeAddress', receiver: { ...RECEIVER, district: 'x' } },
      CANCEL,
      deliver('S1'),
      deliver('S2'),
    ],
    ledgers: [reservedAtSystem],
  },
  'a platform and a warehouse with its own system': {
    start: [
      snapshotOf({ platform: wordOf('unpaid') }),
      { ...paidSnapshot(), platform: wordOf('finished', { paid: 2000 }) },
    ],
    messages: [
      { type: 'opened' },
      ...(['handedOver', 'deliveryStopped', 'stopRefused'] as const).map(system),
      reports(2),
      reports(1),
      told,
      says('unpaid'),
      says('paid'),
      says('paid', { lockedBy: 'LOCKED' }),
      says('paid', { refunded: [{ lineId: '1', quantity: 1 }] }),
      says('finished'),
      says('closed_unpaid'),
      says('closed_refunded'),
      { message: { type: 'autoComplete' }, now: MONTH },
      hold('manual'),
      { type: 'reinstated' },
      CANCEL,
    ],
    ledgers: [reservedAtSystem, outOfStock],
  },
  'a presale': {
    start: [presaleSnapshot()],
    messages: [
      ...FACTS,
      pay('p1', 500),
      pay('p2', 1500),
      hold('manual'),
      release('manual', 'operations'),
      CANCEL,
      ship('T', { 1: 2 }),
      deliver('S1'),
    ],
    ledgers: [reservedFrom('w1'), outOfStock],
  },
};

const reached = new Set<string>();
for (const [name, entry] of Object.entries(WALKS))
  test(`every state that can be reached keeps the rules: ${name}`, (t) => {
    const { states, moves } = walk(entry);
    for (const move of moves) reached.add(move);
    t.diagnostic(`${states} states, ${moves.size} moves of the status`);
    assert.ok(states > 5);
  });

test('the table of transitions has no entry that cannot happen', () => {
  const dead = (Object.keys(ORDER_TRANSITIONS) as OrderStatus[]).flatMap((from) =>
    ORDER_TRANSITIONS[from].filter((to) => !reached.has(`${from} → ${to}`)).map((to) => `${from} → ${to}`),
  );
  assert.deepEqual(dead, []);
});

test('the walk notices a ledger that reserves too little', () => {
  const tooLittle: Ledger = () => ({
    state: 'reserved',
    allocations: [{ warehouseId: 'w1', courier: null, lines: [{ lineId: '1', quantity: 1 }] }],
    handedOver: ['w1'],
  });
  assert.throws(
    () => walk({ start: [paidSnapshot()], messages: FACTS, ledgers: [tooLittle] }),
    /what remains to be sent is reserved, all of it/,
  );
});
