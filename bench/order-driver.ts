import { RestClient, signedIn } from '../simulators/rest-client.ts';
import { inParallel } from './rounds.ts';

interface OrderAnswer {
  orderId: string;
  status: string;
}

const LINES = ['BENCH-A', 'BENCH-B', 'BENCH-C'];
export const RECEIVER = {
  name: '张三丰',
  phone: '13800138000',
  province: '浙江省',
  city: '杭州市',
  district: '西湖区',
  address: '文三路 90 号 1 幢 101 室',
  pickupStation: false,
};

/** Prepares a shop, a warehouse with plenty of goods, a service's key and `autoComplete` zero; returns the service. */
export const setUp = async (url: string, password: string, signal: AbortSignal): Promise<RestClient> => {
  const admin = new RestClient(url, signal, signedIn(url, 'admin', password));
  await admin.put('/v1/shops/bench', { channel: 'own', name: 'Bench', currency: 'CNY', credentials: {} });
  await admin.put('/v1/warehouses/bench-wh', { name: 'Bench', province: '浙江省', city: '杭州市' });
  const { revision: _, ...timers } = await admin.get<{ revision: number }>('/v1/config/timers');
  await admin.put('/v1/config/timers', { ...timers, autoComplete: 'PT0S' });
  const lines = LINES.map((skuCode) => ({ skuCode, quantity: 1_000_000 }));
  await admin.post('/v1/stock/receipts', { warehouseId: 'bench-wh', lines });
  const { apiKey } = await admin.post<{ apiKey: string }>('/v1/api-keys', { name: 'bench', roles: ['service'] });
  return new RestClient(url, signal, async () => apiKey);
};

/** Takes orders from `POST /v1/orders` to completed; returns how long each POST of an order took, in milliseconds. */
export const driveOrders = async (
  service: RestClient,
  count: number,
  concurrency: number,
  prefix: string,
): Promise<number[]> => {
  const posts: number[] = [];
  await inParallel(count, concurrency, async (index) => {
    const startedAt = performance.now();
    let order = await service.post<OrderAnswer>('/v1/orders', benchOrder(`${prefix}-${index}`));
    posts.push(performance.now() - startedAt);
    for (let tries = 0; order.status !== 'awaiting_shipment' && tries < 500; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      order = await service.get<OrderAnswer>(`/v1/orders/${order.orderId}`);
    }
    const path = `/v1/orders/${order.orderId}`;
    const lines = LINES.map((_, n) => ({ lineId: String(n + 1), quantity: 1 }));
    await service.post(`${path}/shipments`, {
      warehouseId: 'bench-wh',
      courier: 'SF',
      trackingNo: `SF-${prefix}-${index}`,
      lines,
    });
    const end = await service.post<OrderAnswer>(`${path}/deliveries`, { shipmentId: 'S1' });
    if (end.status !== 'completed') throw new Error(`${order.orderId} is ${end.status}, not completed`);
  });
  return posts;
};

export const benchOrder = (platformOrderId: string) => {
  const now = new Date().toISOString();
  return {
    shopId: 'bench',
    platformOrderId,
    type: 'normal',
    placedAt: now,
    currency: 'CNY',
    buyer: { id: 'buyer-1', firstOrder: false },
    receiver: RECEIVER,
    lines: LINES.map((skuCode, n) => ({
      lineId: String(n + 1),
      skuCode,
      title: `Article ${skuCode}`,
      quantity: 1,
      unitPrice: 10_000,
      discount: 0,
    })),
    orderDiscount: 3000,
    freight: 1000,
    payable: 28_000,
    payments: [
      { paymentId: 'p1', method: 'alipay', transactionId: `T${platformOrderId}`, amount: 28_000, paidAt: now },
    ],
  };
};
