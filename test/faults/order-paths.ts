import type { CaseCode, OrderStatus } from '../../domain/order-model.ts';
import { payableOf, type OrderStory, type StoryLine } from './order-story.ts';

/** Units by SKU. */
export type Units = Record<string, number>;

/** How an order of a path must stand in the end, whatever happened on the way. */
export interface OrderEnd {
  status: OrderStatus;
  /** Amounts by payment id. */
  payments: Record<string, number>;
  shipped: Units;
  /** Given back to stock. */
  released: Units;
  /** Still reserved. */
  kept: Units;
  parcels: number;
  open: CaseCode[];
  resolved: CaseCode[];
  /** What a workflow that is still open says that it waits for. */
  waits?: RegExp;
  /** It was over when it was first seen. */
  hasNoWorkflow?: true;
  /** Steps that were written past the workflow, once it had ended; none unless said. */
  stepsAfterEnd?: number;
}

export interface OrderPath {
  name: string;
  /** Orders of this path among 100. */
  share: number;
  /** Begun before the others, because it takes a minute by its nature. */
  isSlow?: true;
  end: OrderEnd;
  run(story: OrderStory): Promise<void>;
}

export const EAST = 'faults-east';
export const SOUTH = 'faults-south';
/** Seconds after delivery. */
export const AUTO_COMPLETE_SEC = 2;

export const BOTH: StoryLine[] = [
  { skuCode: 'F-TEE', quantity: 2 },
  { skuCode: 'F-MUG', quantity: 1 },
];
const ALL: Units = { 'F-TEE': 2, 'F-MUG': 1 };
const PAYABLE = payableOf(BOTH);
const NOTHING: Units = {};

const completed = (more: Partial<OrderEnd> = {}): OrderEnd => ({
  status: 'completed',
  payments: { p1: PAYABLE },
  shipped: ALL,
  released: NOTHING,
  kept: NOTHING,
  parcels: 1,
  open: [],
  resolved: [],
  ...more,
});
const unsent = (status: OrderStatus, more: Partial<OrderEnd> = {}): OrderEnd =>
  completed({ status, shipped: NOTHING, parcels: 0, ...more });

/** Long ago, so that the payment's time is over as soon as the rules allow: a minute after intake. */
const placedLongAgo = () => ({ placedAt: new Date(Date.now() - 86_400_000).toISOString() });
const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

export const ORDER_PATHS: OrderPath[] = [
  {
    name: 'ordinary',
    share: 24,
    end: completed(),
    async run(story) {
      await story.place(BOTH);
      await story.fulfil();
    },
  },
  {
    name: 'paid later',
    share: 8,
    end: completed(),
    async run(story) {
      await story.place(BOTH, 0);
      await story.pay('p1', PAYABLE);
      await story.fulfil(60);
    },
  },
  {
    name: 'paid in parts',
    share: 6,
    end: completed({ payments: { p1: 3000, p2: 4000, p3: PAYABLE - 7000 } }),
    async run(story) {
      await story.place(BOTH, 3000);
      await story.pay('p2', 4000);
      await story.pay('p3', PAYABLE - 7000);
      await story.fulfil();
    },
  },
  {
    name: 'two parcels',
    share: 6,
    end: completed({ parcels: 2 }),
    async run(story) {
      await story.place(BOTH);
      await story.untilStatus('awaiting_shipment');
      await story.ship(EAST, [{ lineId: '1', quantity: 2 }]);
      await story.ship(EAST, [{ lineId: '2', quantity: 1 }]);
      await story.deliverAll();
      await story.untilStatus('completed');
    },
  },
  {
    name: 'split into two parcels',
    share: 4,
    end: completed({ parcels: 2 }),
    async run(story) {
      await story.place(BOTH);
      await story.untilStatus('awaiting_shipment');
      await story.split([
        { lines: [{ lineId: '1', quantity: 1 }] },
        {
          lines: [
            { lineId: '1', quantity: 1 },
            { lineId: '2', quantity: 1 },
          ],
        },
      ]);
      await story.fulfil();
    },
  },
  {
    name: 'from two warehouses',
    share: 4,
    end: completed({
      payments: { p1: payableOf([{ quantity: 2 }]) },
      shipped: { 'F-EAST': 1, 'F-SOUTH': 1 },
      parcels: 2,
    }),
    async run(story) {
      await story.place([
        { skuCode: 'F-EAST', quantity: 1 },
        { skuCode: 'F-SOUTH', quantity: 1 },
      ]);
      await story.fulfil(60);
    },
  },
  {
    name: 'moved to another warehouse',
    share: 4,
    end: completed({ released: ALL }),
    async run(story) {
      await story.place(BOTH);
      await story.untilStatus('awaiting_shipment');
      await story.allocate(SOUTH);
      await story.fulfil();
    },
  },
  {
    name: 'sent in part, rest cancelled',
    share: 6,
    end: completed({
      payments: { p1: payableOf([{ quantity: 5 }]) },
      shipped: { 'F-TEE': 2 },
      released: { 'F-TEE': 3 },
      open: ['refund_due'],
    }),
    async run(story) {
      await story.place([{ skuCode: 'F-TEE', quantity: 5 }]);
      await story.untilStatus('awaiting_shipment');
      await story.ship(EAST, [{ lineId: '1', quantity: 2 }]);
      await story.cancel();
      await story.deliverAll();
      await story.untilStatus('completed');
    },
  },
  {
    name: 'cancelled before payment',
    share: 4,
    end: unsent('cancelled', { payments: {} }),
    async run(story) {
      await story.place(BOTH, 0);
      await story.cancel();
    },
  },
  {
    name: 'cancelled after payment',
    share: 4,
    end: unsent('cancelled', { released: ALL, open: ['refund_due'] }),
    async run(story) {
      await story.place(BOTH);
      await story.untilStatus('awaiting_shipment');
      await story.cancel();
    },
  },
  {
    name: 'cancelled, then paid',
    share: 3,
    end: unsent('cancelled', { open: ['late_payment', 'refund_due'], stepsAfterEnd: 1 }),
    async run(story) {
      await story.place(BOTH, 0);
      await story.cancel();
      await story.pay('p1', PAYABLE);
    },
  },
  {
    name: 'cancelled, then paid and brought back',
    share: 3,
    end: completed({ resolved: ['late_payment', 'refund_due'] }),
    async run(story) {
      await story.place(BOTH, 0);
      await story.cancel();
      await story.pay('p1', PAYABLE);
      await story.resolveCase('late_payment', 'reinstate');
      await story.fulfil(60);
    },
  },
  {
    name: 'held and released',
    share: 5,
    end: completed(),
    async run(story) {
      await story.place(BOTH);
      await story.hold('manual');
      await story.pause(1);
      await story.release('manual');
      await story.fulfil();
    },
  },
  {
    name: 'held for a time',
    share: 2,
    isSlow: true,
    end: completed(),
    async run(story) {
      await story.place(BOTH);
      await story.hold('manual', { until: new Date(Date.now() + 45_000).toISOString() });
      await story.fulfil();
    },
  },
  {
    name: 'confirmed by phone',
    share: 2,
    end: completed(),
    async run(story) {
      await story.place(BOTH);
      await story.hold('phone_confirmation');
      await story.confirmByPhone('confirmed');
      await story.fulfil(60);
    },
  },
  {
    name: 'address changed',
    share: 2,
    end: completed(),
    async run(story) {
      await story.place(BOTH);
      await story.changeAddress(story.elsewhere);
      await story.fulfil();
    },
  },
  {
    name: 'unknown article',
    share: 2,
    end: completed({
      payments: { p1: payableOf([{ quantity: 1 }]) },
      shipped: { 'F-MUG': 1 },
      resolved: ['unknown_sku'],
    }),
    async run(story) {
      const platformSku = `new-${story.orderId.replace('.', '-')}`;
      await story.place([{ platformSku, quantity: 1 }]);
      await story.until('the article is found unknown', ({ holds }) =>
        holds.some(({ code }) => code === 'unknown_sku'),
      );
      await story.mapSku(platformSku, 'F-MUG');
      await story.fulfil();
    },
  },
  {
    name: 'without goods, received later',
    share: 6,
    end: completed({ payments: { p1: payableOf([{ quantity: 1 }]) }, shipped: { 'F-RARE': 1 } }),
    async run(story) {
      await story.place([{ skuCode: 'F-RARE', quantity: 1 }]);
      await story.untilStatus('backordered', 'awaiting_shipment');
      await story.pause(1 + 2 * Math.random());
      // Each brings what it needs; who has paid first is served by it.
      await story.receive(EAST, 'F-RARE', 1);
      await story.fulfil();
    },
  },
  {
    name: 'paid twice',
    share: 4,
    end: completed({ payments: { p1: PAYABLE, p2: 1500 }, resolved: ['overpaid'] }),
    async run(story) {
      await story.place(BOTH);
      await story.pay('p2', 1500);
      await story.until('it is held as overpaid', ({ holds }) => holds.some(({ code }) => code === 'overpaid'));
      await story.resolveCase('overpaid', 'release', 'finance');
      await story.fulfil();
    },
  },
  {
    name: 'presale with balance',
    share: 2,
    end: completed({ payments: { p1: 3000, p2: PAYABLE - 3000 } }),
    async run(story) {
      const presale = { deposit: 3000, balanceDueAt: hoursFromNow(2), promisedShipAt: hoursFromNow(48) };
      await story.place(BOTH, 3000, { type: 'presale', presale });
      await story.pay('p2', PAYABLE - 3000);
      await story.fulfil(60);
    },
  },
  {
    name: 'never paid',
    share: 5,
    isSlow: true,
    end: unsent('cancelled', { payments: {} }),
    async run(story) {
      await story.place(BOTH, 0, placedLongAgo());
      await story.untilStatus('cancelled');
    },
  },
  {
    name: 'never paid in full',
    share: 3,
    isSlow: true,
    end: unsent('cancelled', { payments: { p1: 3000 }, open: ['refund_due'] }),
    async run(story) {
      await story.place(BOTH, 3000, placedLongAgo());
      await story.untilStatus('cancelled');
    },
  },
  {
    name: 'left unpaid',
    share: 2,
    end: unsent('pending_payment', {
      payments: {},
      waits: /^pending_payment: waits for payment, 0 of \d+ paid \(until /,
    }),
    async run(story) {
      await story.place(BOTH, 0);
    },
  },
  {
    name: 'left on hold',
    share: 2,
    end: unsent('on_hold', { kept: ALL, waits: /^on_hold: held by manual/ }),
    async run(story) {
      await story.place(BOTH);
      await story.hold('manual');
      await story.until('its goods are reserved', ({ allocations }) => allocations.length > 0);
    },
  },
  {
    name: 'left without goods',
    share: 2,
    end: unsent('backordered', {
      payments: { p1: payableOf([{ quantity: 1 }]) },
      waits: /^backordered: waits for stock/,
    }),
    async run(story) {
      await story.place([{ skuCode: 'F-NEVER', quantity: 1 }]);
      await story.untilStatus('backordered');
    },
  },
  {
    name: 'left to be sent',
    share: 2,
    end: unsent('awaiting_shipment', {
      kept: ALL,
      waits: /^awaiting_shipment: waits for faults-east to send the goods/,
    }),
    async run(story) {
      await story.place(BOTH);
      await story.untilStatus('awaiting_shipment');
    },
  },
];
