import type { LineInput } from '../../../simulators/channels/taobao/new-trade.ts';
import type { DeliveryState } from '../../../simulators/wms/delivery-book.ts';
import type { OrderEnd, Units } from '../order-paths.ts';
import type { TradeStory } from './trade-story.ts';

/** How a trade and its order must stand in the end, whatever happened on the way. */
export interface TradeEnd extends Omit<OrderEnd, 'payments'> {
  /** The trade's own status. */
  trade: string;
  isPaid: boolean;
  /** What the warehouse's books say of each delivery that it was asked for, first to last. */
  deliveries: DeliveryState[];
  /** Parcels that the platform knows of, when not all were to be told. */
  told?: number;
}

export interface TradePath {
  name: string;
  /** Trades of this path among 100. */
  share: number;
  end: TradeEnd;
  run(story: TradeStory): Promise<void>;
}

/** Worked by its own system, and through REST. */
export const WMS_WAREHOUSE = 'faults-wms';
export const REST_WAREHOUSE = 'faults-rest';

const PRICE = 5000;
const goods = (outerSkuId: string, num: number): LineInput => ({ outerSkuId, num, price: PRICE, discount: 0 });
const BOTH = [goods('P-TEE', 2), goods('P-MUG', 1)];
const ALL: Units = { 'P-TEE': 2, 'P-MUG': 1 };
const NOTHING: Units = {};

const finished = (more: Partial<TradeEnd> = {}): TradeEnd => ({
  status: 'completed',
  trade: 'TRADE_FINISHED',
  isPaid: true,
  deliveries: ['shipped'],
  shipped: ALL,
  released: NOTHING,
  kept: NOTHING,
  parcels: 1,
  open: [],
  resolved: [],
  ...more,
});
const unsent = (more: Partial<TradeEnd>): TradeEnd =>
  finished({ shipped: NOTHING, parcels: 0, deliveries: [], ...more });

export const TRADE_PATHS: TradePath[] = [
  {
    name: 'ordinary',
    share: 22,
    end: finished(),
    async run(story) {
      await story.order(BOTH);
      await story.fulfil();
    },
  },
  {
    name: 'paid later',
    share: 7,
    end: finished(),
    async run(story) {
      await story.order(BOTH, { status: 'WAIT_BUYER_PAY' });
      await story.untilHeard('pending_payment');
      await story.status('pay', 'WAIT_SELLER_SEND_GOODS');
      await story.fulfil();
    },
  },
  {
    name: 'presale with balance',
    share: 5,
    end: finished(),
    async run(story) {
      await story.order(BOTH, { type: 'step' });
      await story.untilHeard('pending_payment');
      await story.change('pay', {}, ({ stepStatus }) => stepStatus !== 'FRONT_NOPAID_FINAL_NOPAID');
      await story.until('its deposit is there', ({ totals }) => totals.paid > 0);
      await story.change('pay', {}, ({ stepStatus }) => stepStatus === 'FRONT_PAID_FINAL_PAID');
      await story.fulfil();
    },
  },
  {
    name: 'locked at first',
    share: 4,
    end: finished(),
    async run(story) {
      await story.order(BOTH, { status: 'PAID_FORBID_CONSIGN' });
      await story.untilHeld('platform_hold');
      await story.status('unlock', 'WAIT_SELLER_SEND_GOODS');
      await story.fulfil();
    },
  },
  {
    name: 'locked while the warehouse has it',
    share: 4,
    end: finished({ deliveries: ['stopped', 'shipped'] }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.status('lock', 'PAID_FORBID_CONSIGN');
      await story.untilStopped(1);
      await story.status('unlock', 'WAIT_SELLER_SEND_GOODS');
      await story.fulfil(2);
    },
  },
  {
    name: 'closed unpaid',
    share: 4,
    end: unsent({ status: 'cancelled', trade: 'TRADE_CLOSED_BY_TAOBAO', isPaid: false }),
    async run(story) {
      await story.order(BOTH, { status: 'WAIT_BUYER_PAY' });
      await story.untilHeard('pending_payment');
      // Stored and closed before its turn came, it would need no workflow.
      await story.until('its workflow has it', ({ revision }) => revision > 0);
      await story.status('close', 'TRADE_CLOSED_BY_TAOBAO');
      await story.untilHeard('cancelled');
    },
  },
  {
    name: 'over before it was seen',
    share: 2,
    end: unsent({
      status: 'cancelled',
      trade: 'TRADE_CLOSED_BY_TAOBAO',
      isPaid: false,
      hasNoWorkflow: true,
    }),
    async run(story) {
      await story.order(BOTH, { status: 'TRADE_CLOSED_BY_TAOBAO' });
      await story.untilHeard('cancelled');
    },
  },
  {
    name: 'refunded before it is sent',
    share: 5,
    end: unsent({
      status: 'closed',
      trade: 'TRADE_CLOSED',
      deliveries: ['stopped'],
      released: ALL,
      open: ['refunded_by_platform'],
    }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.status('refund', 'TRADE_CLOSED');
      await story.untilHeard('closed');
    },
  },
  {
    name: 'one line refunded',
    share: 5,
    end: finished({
      deliveries: ['stopped', 'shipped'],
      shipped: { 'P-TEE': 2 },
      released: { 'P-MUG': 1 },
      open: ['refunded_by_platform'],
    }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.refundLine(1, 'SUCCESS');
      await story.fulfil(2);
    },
  },
  {
    name: 'refund asked for and taken back',
    share: 4,
    end: finished({ deliveries: ['stopped', 'shipped'] }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.refundLine(0, 'WAIT_SELLER_AGREE');
      await story.untilHeld('refund_open');
      await story.untilStopped(1);
      await story.refundLine(0, 'CLOSED');
      await story.fulfil(2);
    },
  },
  {
    name: 'address changed',
    share: 5,
    end: finished({ deliveries: ['stopped', 'shipped'] }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.changeAddress();
      await story.fulfil(2);
    },
  },
  {
    name: 'address changed too late',
    share: 3,
    end: finished({ open: ['address_changed_late'] }),
    async run(story) {
      await story.order(BOTH);
      await story.pack();
      await story.changeAddress();
      await story.untilStopRefused(1);
      await story.fulfil();
    },
  },
  {
    name: 'two parcels',
    share: 6,
    end: finished({ parcels: 2 }),
    async run(story) {
      await story.order(BOTH);
      await story.pack();
      await story.send(1, [[await story.goods(1, 'P-TEE', 2)], [await story.goods(1, 'P-MUG', 1)]]);
      await story.untilTold(2);
      await story.finish();
    },
  },
  {
    name: 'part quantities',
    share: 6,
    end: finished({ parcels: 2, shipped: { 'P-TEE': 3 } }),
    async run(story) {
      await story.order([goods('P-TEE', 3)]);
      await story.pack();
      await story.send(1, [[await story.goods(1, 'P-TEE', 1)]], false);
      await story.until('one has left', ({ lines }) => (lines[0]?.shipped ?? 0) > 0);
      await story.send(1, [[await story.goods(1, 'P-TEE', 2)]]);
      await story.untilTold(2);
      await story.finish();
    },
  },
  {
    name: 'another sum than its lines',
    share: 4,
    end: finished({ resolved: ['amount_mismatch'] }),
    async run(story) {
      await story.order(BOTH, { payment: 3 * PRICE - 300 + 800 - 100 });
      await story.untilHeld('amount_mismatch');
      await story.acceptSum();
      await story.fulfil();
    },
  },
  {
    name: 'unknown article',
    share: 4,
    end: finished({ shipped: { 'P-MUG': 1 }, resolved: ['unknown_sku'] }),
    async run(story) {
      const skuId = `77${story.tid.slice(-9)}`;
      await story.order([{ skuId, outerSkuId: null, outerIid: null, num: 1, price: PRICE, discount: 0 }]);
      await story.untilHeld('unknown_sku');
      await story.mapSku(skuId, 'P-MUG');
      await story.fulfil();
    },
  },
  {
    name: 'cancelled in time',
    share: 4,
    end: unsent({
      status: 'cancelled',
      trade: 'TRADE_CLOSED',
      deliveries: ['stopped'],
      released: ALL,
      resolved: ['refund_due'],
      stepsAfterEnd: 1,
    }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.cancel();
      await story.status('refund', 'TRADE_CLOSED');
      await story.untilCase('refund_due', 'resolved');
    },
  },
  {
    name: 'cancelled too late',
    share: 4,
    end: finished(),
    async run(story) {
      await story.order(BOTH);
      await story.pack();
      await story.cancelInVain();
      await story.fulfil();
    },
  },
  {
    name: 'not understood at first',
    share: 4,
    end: finished({ resolved: ['mapping_failed'] }),
    async run(story) {
      await story.order(BOTH, { raw: { payment: 'to be told' } });
      await story.untilHeld('manual');
      await story.mend();
      await story.fulfil();
    },
  },
  {
    name: 'unknown status at first',
    share: 3,
    end: finished({ resolved: ['unknown_status'] }),
    async run(story) {
      await story.order(BOTH, { status: 'WAIT_STARS_TO_ALIGN' });
      await story.untilHeld('unknown_status');
      await story.status('status', 'WAIT_SELLER_SEND_GOODS', { status: 'WAIT_SELLER_SEND_GOODS' });
      await story.fulfil();
    },
  },
  {
    name: 'sent by hand',
    share: 4,
    end: finished({ deliveries: [], shipped: { 'P-REST': 2 } }),
    async run(story) {
      await story.order([goods('P-REST', 2)]);
      await story.sendByHand(REST_WAREHOUSE);
      await story.untilTold(1);
      await story.finish();
    },
  },
  {
    name: 'from both warehouses',
    share: 3,
    end: finished({ parcels: 2, shipped: { 'P-TEE': 2, 'P-REST': 1 } }),
    async run(story) {
      await story.order([goods('P-TEE', 2), goods('P-REST', 1)]);
      await story.pack();
      await story.send(1);
      await story.sendByHand(REST_WAREHOUSE);
      await story.untilTold(2);
      await story.finish();
    },
  },
  {
    name: 'left unpaid',
    share: 2,
    end: unsent({
      status: 'pending_payment',
      trade: 'WAIT_BUYER_PAY',
      isPaid: false,
      waits: /^pending_payment: waits for payment, 0 of \d+ paid/,
    }),
    async run(story) {
      await story.order(BOTH, { status: 'WAIT_BUYER_PAY' });
      await story.untilHeard('pending_payment');
    },
  },
  {
    name: 'left locked',
    share: 2,
    end: unsent({
      status: 'on_hold',
      trade: 'PAID_FORBID_CONSIGN',
      kept: ALL,
      waits: /^on_hold: held by platform_hold/,
    }),
    async run(story) {
      await story.order(BOTH, { status: 'PAID_FORBID_CONSIGN' });
      await story.untilHeld('platform_hold');
      await story.until('its goods are reserved', ({ allocations }) => allocations.length > 0);
    },
  },
  {
    name: 'left with the warehouse',
    share: 2,
    end: unsent({
      status: 'awaiting_shipment',
      trade: 'WAIT_SELLER_SEND_GOODS',
      deliveries: ['new'],
      kept: ALL,
      waits: /^awaiting_shipment: waits for faults-wms to send the goods/,
    }),
    async run(story) {
      await story.order(BOTH);
      await story.delivery(1);
      await story.untilStatus('awaiting_shipment');
    },
  },
];
