import type { DemoCast } from './demo-cast.ts';
import { someOrder, somePayment, someReceiver, type DemoLine } from './demo-orders.ts';

interface OrderAnswer {
  orderId: string;
  status: string;
  totals: { payable: number };
  allocations: { warehouseId: string; lines: { lineId: string; quantity: number }[] }[];
  shipments: { shipmentId: string; status: string }[];
}

const BOTH: DemoLine[] = [{ skuCode: 'DEMO-TEE', quantity: 2 }, { skuCode: 'DEMO-MUG' }];

const place = (cast: DemoCast, ...args: [DemoLine[], number?, Record<string, unknown>?]) =>
  cast.merchant.post<OrderAnswer>('/v1/orders', someOrder(cast.shopId, ...args));

const read = (cast: DemoCast, orderId: string) => cast.merchant.get<OrderAnswer>(`/v1/orders/${orderId}`);

const pay = (cast: DemoCast, orderId: string, paymentId: string, amount: number) =>
  cast.merchant.post(`/v1/orders/${orderId}/payments`, somePayment(paymentId, amount));

let waybill = Date.now();

const OPEN_AT_START = ['on_hold', 'partially_shipped', 'awaiting_shipment', 'shipped'] as const;

export type LeftOrder = Pick<OrderAnswer, 'orderId' | 'status'>;

/** What the demo had under way when it was stopped. */
export const openOrders = async (cast: DemoCast): Promise<LeftOrder[]> => {
  const found: LeftOrder[] = [];
  for (const status of OPEN_AT_START) {
    const query = `shopId=${cast.shopId}&status=${status}&limit=100`;
    found.push(...(await cast.merchant.get<{ items: OrderAnswer[] }>(`/v1/orders?${query}`)).items);
  }
  return found;
};

/** Takes care of them: nobody else would. */
export const finishLeftovers = async (cast: DemoCast, left: readonly LeftOrder[]): Promise<void> => {
  for (const { orderId, status } of left)
    if (status === 'shipped') await receive(cast, orderId, 1);
    else if (status === 'awaiting_shipment') await fulfil(cast, orderId, { seconds: 1, deliver: false });
    else await cancel(cast, orderId, 'the demo was stopped meanwhile');
};

const cancel = (cast: DemoCast, orderId: string, reason: string) =>
  cast.operations.post(`/v1/orders/${orderId}/cancel`, { reason });

/** The warehouse sends what is allocated, parcel by parcel; the courier delivers a little later. */
const fulfil = async (
  cast: DemoCast,
  orderId: string,
  { parcels = Infinity, deliver = true, seconds = 8 } = {},
): Promise<void> => {
  await cast.pause(seconds);
  const { allocations } = await read(cast, orderId);
  for (const { warehouseId, lines } of allocations.slice(0, parcels)) {
    const body = { warehouseId, courier: 'SF', trackingNo: `SF${(waybill += 1)}`, lines };
    await cast.warehouse.post(`/v1/orders/${orderId}/shipments`, body);
    await cast.pause(4);
  }
  if (deliver) await receive(cast, orderId);
};

const receive = async (cast: DemoCast, orderId: string, seconds = 10): Promise<void> => {
  await cast.pause(seconds);
  const { shipments } = await read(cast, orderId);
  for (const { shipmentId, status } of shipments)
    if (status === 'shipped') await cast.warehouse.post(`/v1/orders/${orderId}/deliveries`, { shipmentId });
};

/** Each story takes one order through one path of its life. */
export const STORIES: Record<string, (cast: DemoCast) => Promise<void>> = {
  async ordinary(cast) {
    const { orderId } = await place(cast, BOTH);
    await fulfil(cast, orderId);
  },
  async 'paid a little later'(cast) {
    const { orderId, totals } = await place(cast, BOTH, 0);
    await cast.pause(10);
    await pay(cast, orderId, 'p1', totals.payable);
    await fulfil(cast, orderId);
  },
  async 'two parcels by split'(cast) {
    const { orderId } = await place(cast, BOTH);
    await cast.pause(5);
    const groups = [{ lines: [{ lineId: '1', quantity: 2 }] }, { lines: [{ lineId: '2', quantity: 1 }] }];
    await cast.operations.post(`/v1/orders/${orderId}/split`, { groups });
    await fulfil(cast, orderId);
  },
  async 'merged into one parcel'(cast) {
    const buyer = { buyer: { id: `buyer-m${Date.now().toString(36)}`, firstOrder: false }, receiver: someReceiver() };
    const [first, second] = [await place(cast, BOTH, 1, buyer), await place(cast, BOTH, 1, buyer)];
    await cast.pause(5);
    await cast.operations.post('/v1/orders/merge', { orderIds: [first.orderId, second.orderId] });
    await fulfil(cast, first.orderId);
    await receive(cast, second.orderId, 1);
  },
  async 'paid too late, brought back'(cast) {
    const { orderId, totals } = await place(cast, BOTH, 0);
    await cast.pause(120);
    await pay(cast, orderId, 'p1', totals.payable);
    await cast.pause(10);
    const { items } = await cast.operations.get<{ items: { caseId: string; code: string }[] }>(
      `/v1/cases?state=open&orderId=${orderId}`,
    );
    const late = items.find(({ code }) => code === 'late_payment');
    if (late) await cast.operations.post(`/v1/cases/${late.caseId}/resolve`, { note: 'sell it', action: 'reinstate' });
    await fulfil(cast, orderId);
  },
  async 'never paid'(cast) {
    await place(cast, BOTH, 0);
  },
  async 'held and released'(cast) {
    const { orderId } = await place(cast, BOTH);
    await cast.operations.post(`/v1/orders/${orderId}/hold`, { code: 'manual', detail: 'gift card to be added' });
    await cast.pause(15);
    await cast.operations.post(`/v1/orders/${orderId}/release`, { code: 'manual' });
    await fulfil(cast, orderId);
  },
  async 'without stock'(cast) {
    const { orderId } = await place(cast, [{ skuCode: 'DEMO-RARE' }]);
    await cast.pause(25);
    const lines = [{ skuCode: 'DEMO-RARE', quantity: 1 }];
    await cast.warehouse.post('/v1/stock/receipts', { warehouseId: 'demo-hz', lines });
    await fulfil(cast, orderId);
  },
  async 'paid in two parts'(cast) {
    const { orderId, totals } = await place(cast, BOTH, 0);
    const half = Math.floor(totals.payable / 2);
    await pay(cast, orderId, 'p1', half);
    await cast.pause(12);
    await pay(cast, orderId, 'p2', totals.payable - half);
    await fulfil(cast, orderId);
  },
  async 'paid twice'(cast) {
    const { orderId, totals } = await place(cast, BOTH);
    await pay(cast, orderId, 'p2', totals.payable);
    await cast.pause(20);
    await cast.finance.post(`/v1/orders/${orderId}/release`, { code: 'overpaid' });
    await fulfil(cast, orderId);
  },
  async 'confirmed by phone'(cast) {
    const { orderId } = await place(cast, BOTH);
    await cast.operations.post(`/v1/orders/${orderId}/hold`, { code: 'phone_confirmation', detail: 'high amount' });
    await cast.pause(12);
    await cast.operations.post(`/v1/orders/${orderId}/phone-confirmation`, { outcome: 'confirmed', note: 'called' });
    await fulfil(cast, orderId);
  },
  async 'refused by phone, cancelled'(cast) {
    const { orderId } = await place(cast, BOTH);
    await cast.operations.post(`/v1/orders/${orderId}/hold`, { code: 'phone_confirmation', detail: 'unusual address' });
    await cast.pause(10);
    await cast.operations.post(`/v1/orders/${orderId}/phone-confirmation`, { outcome: 'refused', note: 'not ordered' });
    await cast.pause(10);
    await cast.operations.post(`/v1/orders/${orderId}/cancel`, { reason: 'the buyer did not order this' });
  },
  async 'unknown article'(cast) {
    const platformSku = `NEW-${Date.now().toString(36)}`;
    const { orderId } = await place(cast, [{ platformSku }]);
    await cast.pause(15);
    await cast.operations.put(`/v1/sku-mappings/${cast.shopId}/${platformSku}`, { skuCode: 'DEMO-TEE' });
    await fulfil(cast, orderId);
  },
  async 'incomplete address'(cast) {
    const { orderId } = await place(cast, BOTH, 1, { receiver: { ...someReceiver(), phone: '' } });
    await cast.pause(12);
    await cast.operations.post(`/v1/orders/${orderId}/address`, { receiver: someReceiver() });
    await fulfil(cast, orderId);
  },
  async 'rest cancelled after a first parcel'(cast) {
    const { orderId } = await place(cast, BOTH);
    await cast.pause(5);
    const groups = [{ lines: [{ lineId: '1', quantity: 2 }] }, { lines: [{ lineId: '2', quantity: 1 }] }];
    await cast.operations.post(`/v1/orders/${orderId}/split`, { groups });
    await fulfil(cast, orderId, { parcels: 1, deliver: false });
    await cast.operations.post(`/v1/orders/${orderId}/cancel`, { reason: 'the mug broke in the warehouse' });
    await receive(cast, orderId);
  },
  async 'moved to another warehouse'(cast) {
    const { orderId, allocations } = await place(cast, BOTH);
    await cast.pause(5);
    const warehouseId = allocations[0]?.warehouseId === 'demo-hz' ? 'demo-sz' : 'demo-hz';
    await cast.operations.post(`/v1/orders/${orderId}/allocate`, { warehouseId });
    await fulfil(cast, orderId);
  },
  async 'presale with balance'(cast) {
    const presale = { deposit: 3000, ...soon(60) };
    const { orderId, totals } = await place(cast, BOTH, 0, {
      type: 'presale',
      presale,
      payments: [somePayment('p1', 3000)],
    });
    await cast.pause(15);
    await pay(cast, orderId, 'p2', totals.payable - 3000);
    await fulfil(cast, orderId);
  },
  async 'presale without balance'(cast) {
    await place(cast, BOTH, 0, {
      type: 'presale',
      presale: { deposit: 3000, ...soon(30) },
      payments: [somePayment('p1', 3000)],
    });
  },
};

const soon = (seconds: number) => ({
  balanceDueAt: new Date(Date.now() + seconds * 1000).toISOString(),
  promisedShipAt: new Date(Date.now() + 86_400_000).toISOString(),
});
