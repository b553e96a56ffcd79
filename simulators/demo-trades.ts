import { randomInt } from 'node:crypto';
import type { TaobaoControl } from './channels/taobao/control.ts';
import type { LineInput, TradeInput } from './channels/taobao/new-trade.ts';
import type { DemoCast } from './demo-cast.ts';
import { DEMO_PLATFORM_SHOP } from './demo-setup.ts';
import type { Delivery, DeliveryState } from './wms/delivery-book.ts';
import type { WmsControl } from './wms/wms-control.ts';

/** Where trades play. */
export interface TradeStage {
  cast: DemoCast;
  taobao: TaobaoControl;
  wms: WmsControl;
}

const ARTICLES = [
  { numIid: '620000000101', skuId: '4800000000101', outerSkuId: 'DEMO-CAP', title: '棒球帽', price: 5900 },
  { numIid: '620000000102', skuId: '4800000000102', outerSkuId: 'DEMO-BAG', title: '帆布包', price: 12900 },
  { numIid: '620000000103', skuId: '4800000000103', outerSkuId: 'DEMO-CUP', title: '保温杯', price: 8800 },
] as const satisfies LineInput[];

export const TRADED_GOODS: readonly string[] = ARTICLES.map(({ outerSkuId }) => outerSkuId);
/** Never in stock before somebody has ordered it. */
export const RARE_GOODS = 'DEMO-LAMP';

const someLines = (count = 1 + randomInt(2)): LineInput[] => {
  const first = randomInt(ARTICLES.length);
  return Array.from({ length: count }, (_, index) => ({
    ...ARTICLES[(first + index) % ARTICLES.length],
    num: 1 + randomInt(2),
  }));
};

const unknownLine = (): LineInput => {
  const skuId = `49${Date.now()}`;
  return { numIid: '620000000199', skuId, outerIid: null, outerSkuId: null, title: '新品', price: 4900, num: 1 };
};

/** Each takes one trade through one path of its life; whatever then needs a person is seen to by `demo-care.ts`. */
export const TRADE_STORIES: Readonly<Record<string, (stage: TradeStage) => Promise<unknown>>> = {
  ordinary: async (stage) => order(stage),
  'paid a little later': async (stage) => order(stage, { status: 'WAIT_BUYER_PAY' }),
  'never paid, closed by the platform': async (stage) => order(stage, { status: 'WAIT_BUYER_PAY', neverPays: true }),
  'presale with balance': async (stage) => order(stage, { type: 'step' }),
  'presale without balance': async (stage) =>
    order(stage, {
      type: 'step',
      status: 'WAIT_BUYER_PAY',
      stepStatus: 'FRONT_PAID_FINAL_NOPAID',
      neverPays: true,
    }),
  'locked by the platform': async (stage) => order(stage, { status: 'PAID_FORBID_CONSIGN' }),
  'a status that is new': async (stage) => order(stage, { status: 'WAIT_GROUP_BUY_SUCCESS' }),
  'amounts that differ': async (stage) =>
    order(stage, { lines: [{ ...ARTICLES[0], num: 1, discount: 0 }], discount: 0, postFee: 800, payment: 6600 }),
  'unknown article': async (stage) => order(stage, { lines: [...someLines(1), unknownLine()] }),
  'not to be understood': async (stage) => order(stage, { raw: { post_fee: 'free' } }),
  'without stock': async (stage) =>
    order(stage, {
      lines: [{ ...ARTICLES[0], skuId: '4800000000104', outerSkuId: RARE_GOODS, title: '台灯', num: 1 }],
    }),
  'address is missing': async (stage) => order(stage, { raw: { oaid: null, receiver_address: '' } }),
  async 'two parcels'(stage) {
    const tid = order(stage, { lines: someLines(2) });
    const delivery = await untilDelivery(stage, tid, 'packed');
    const [first] = delivery.lines;
    if (!first) return;
    const parcel = { logisticsCode: 'ZTO', expressCode: `75${Date.now()}`, items: [{ ...first, quantity: 1 }] };
    stage.wms.ship(delivery.code, { parcels: [parcel], isFinal: false });
  },
  async 'refused by the warehouse'(stage) {
    const tid = order(stage);
    stage.wms.faults.add({ kind: 'refuse-create', code: `${orderIdOf(tid)}.D1`, times: 1 });
  },
  async 'a line refunded'(stage) {
    const tid = order(stage, { lines: someLines(2) });
    const line = stage.taobao.trade(tid)?.lines[1];
    await untilDelivery(stage, tid, 'new');
    if (line) stage.taobao.refundLine(tid, line.oid, 'WAIT_SELLER_AGREE');
    await poll(stage);
  },
  async 'refunded before it is sent'(stage) {
    const tid = order(stage);
    await untilDelivery(stage, tid, 'new');
    stage.taobao.refund(tid);
    await poll(stage);
  },
  async 'address changed in time'(stage) {
    const tid = order(stage);
    await untilDelivery(stage, tid, 'new');
    stage.taobao.changeAddress(tid);
    await poll(stage);
  },
  async 'address changed when packed'(stage) {
    const tid = order(stage);
    await untilDelivery(stage, tid, 'packed');
    stage.taobao.changeAddress(tid);
    await poll(stage);
  },
  async 'cancelled in time'(stage) {
    const tid = order(stage);
    await untilDelivery(stage, tid, 'new');
    await cancel(stage, tid);
  },
  async 'cancelled when packed'(stage) {
    const tid = order(stage);
    await untilDelivery(stage, tid, 'packed');
    // The warehouse refuses, and so does OrderHub: the order goes on.
    await cancel(stage, tid).catch(() => undefined);
  },
};

const order = ({ taobao }: TradeStage, input: TradeInput = {}): string =>
  taobao.createTrade({ lines: someLines(), ...input }).tid;

const orderIdOf = (tid: string): string => `${DEMO_PLATFORM_SHOP}.${tid}`;

/** Collects at once what messages would bring within seconds. */
const poll = ({ cast }: TradeStage) =>
  cast.operations.post(`/v1/shops/${DEMO_PLATFORM_SHOP}/poll`, {}).catch(() => undefined);

const cancel = ({ cast }: TradeStage, tid: string) =>
  cast.operations.post(`/v1/orders/${orderIdOf(tid)}/cancel`, { reason: 'the buyer has changed his mind' });

const GIVE_UP_AFTER_SECONDS = 90;

/** The order's first delivery, as soon as the warehouse has come so far with it. */
const untilDelivery = async ({ cast, wms }: TradeStage, tid: string, state: DeliveryState): Promise<Delivery> => {
  for (let seconds = 0; seconds < GIVE_UP_AFTER_SECONDS; seconds += 0.25) {
    const delivery = wms.delivery(`${orderIdOf(tid)}.D1`);
    if (delivery?.state === state) return delivery;
    await cast.pause(0.25);
  }
  throw new Error(`no delivery of ${orderIdOf(tid)} became ${state}`);
};
