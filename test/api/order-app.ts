import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { after } from 'node:test';
import type { ApiDeps } from '../../api/deps.ts';
import type { Route } from '../../api/route.ts';
import { createConfigRoutes } from '../../api/config/config-routes.ts';
import { createCaseRoutes } from '../../api/cases/case-routes.ts';
import { orderServicesOf, type OrderServices } from '../../api/orders/order-services.ts';
import { createOrderWriteRoutes } from '../../api/orders/order-write-routes.ts';
import { createSkuMappingRoutes } from '../../api/sku-mappings/sku-mapping-routes.ts';
import { commitHubOf } from '../../models/commit-hub.ts';
import { orderCollection, type OrderRecord } from '../../models/order-records.ts';
import { shopCollection } from '../../models/shop-records.ts';
import { warehouseCollection } from '../../models/warehouse-records.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { EncryptionCodec } from '../../runtime/payload-codec.ts';
import { connectTemporal, ensureNamespace, ensureSearchAttributes, type TemporalLink } from '../../runtime/temporal.ts';
import type { RunningRole } from '../../runtime/app-context.ts';
import type { Channel } from '../../domain/order-model.ts';
import { startWorkers } from '../../workers/main.ts';
import { temporalAddress } from '../support/servers.ts';
import { addWarehouses, receive } from '../support/stored-orders.ts';
import { eventually, startTestApi, testKeyring, type Answer, type TestApi } from './api-harness.ts';

export interface OrderApp extends TestApi {
  services: OrderServices;
  temporal: TemporalLink;
  /** An admin's. */
  token: string;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  addShop(shopId: string, options?: { currency?: string; channel?: Channel }): Promise<void>;
  receive(warehouseId: string, skuCode: string, quantity: number): Promise<void>;
  /** As the admin, unless another token is given. */
  post(path: string, body?: unknown, options?: { token?: string; headers?: Record<string, string> }): Promise<Answer>;
  get(path: string, token?: string): Promise<Answer>;
  /** The order's record; fails when there is none. */
  stored(orderId: string): Promise<OrderRecord>;
  /** Waits until the order's record is as wanted. */
  until(orderId: string, isWanted: (record: OrderRecord) => boolean, timeoutMs?: number): Promise<OrderRecord>;
}

/** API, worker, MongoDB and Temporal of one test file, with two own shops and two warehouses. Call it at the top of the file. */
export async function startOrderApp({
  isWorking = true,
  moreRoutes = () => [],
}: { isWorking?: boolean; moreRoutes?: (deps: ApiDeps) => Route[] } = {}): Promise<OrderApp> {
  const logger = createLogger({ stream: new PassThrough().resume() });
  const config = loadConfig({
    TEMPORAL_ADDRESS: await temporalAddress(),
    TEMPORAL_NAMESPACE: `orders-${randomUUID()}`,
    MONGODB_URI: 'mongodb://unused',
  });
  const temporal = await connectTemporal(config, new EncryptionCodec(testKeyring()), logger);
  await ensureNamespace(temporal.connection, config.temporal.namespace, logger);
  await ensureSearchAttributes(temporal.connection, config.temporal.namespace, logger);
  let worker: RunningRole | undefined;
  const stopWorker = async () => {
    await worker?.stop();
    worker = undefined;
  };
  // Before the hooks of the API, which close what a worker needs.
  after(async () => {
    await stopWorker();
    await temporal.close();
  });

  const api = await startTestApi({
    temporal: temporal.client,
    routes: (deps) => {
      warehouseCollection(deps.connection);
      return [
        ...createOrderWriteRoutes(deps),
        ...createCaseRoutes(deps),
        ...createSkuMappingRoutes(deps),
        ...createConfigRoutes(deps),
        ...moreRoutes(deps),
      ];
    },
  });
  const services = orderServicesOf(api.deps);
  const { connection, keyring, metrics } = api.deps;
  const startWorker = async () => {
    worker = await startWorkers({ config, logger, keyring, mongo: connection, temporal, metrics });
  };
  if (isWorking) await startWorker();
  const token = await api.as('root', ['admin']);

  const addShop: OrderApp['addShop'] = async (shopId, { currency = 'CNY', channel = 'own' } = {}) => {
    const at = new Date();
    await shopCollection(connection).insertOne({
      _id: shopId,
      shopId,
      channel,
      name: shopId,
      currency,
      baseUrl: null,
      credentialsSealed: '',
      credentialsSet: [],
      polling: { enabled: false, everySec: 300, overlapSec: 120 },
      paymentChannels: {},
      revision: 1,
      createdAt: at,
      updatedAt: at,
    });
  };
  await addShop('own1');
  await addShop('own2');
  await addShop('usd1', { currency: 'USD' });
  await addShop('tao1', { channel: 'taobao' });
  await addWarehouses(connection, 'wh1', 'wh2');

  const stored = async (orderId: string): Promise<OrderRecord> => {
    const record = await orderCollection(connection).findOne({ _id: orderId });
    if (!record) throw new Error(`there is no order ${orderId}`);
    return record;
  };

  return {
    ...api,
    services,
    temporal,
    token,
    startWorker,
    stopWorker,
    addShop,
    receive: async (warehouseId, skuCode, quantity) => {
      await receive(commitHubOf(connection).committer, warehouseId, skuCode, quantity);
    },
    post: (path, body = {}, options = {}) => api.call('POST', path, { token, body, ...options }),
    get: (path, as = token) => api.call('GET', path, { token: as }),
    stored,
    until: (orderId, isWanted, timeoutMs = 5000) =>
      eventually(async () => {
        const record = await stored(orderId);
        if (!isWanted(record)) throw new Error(`${orderId} is ${record.status} at revision ${record.revision}`);
        return record;
      }, timeoutMs),
  };
}

export interface OrderBody {
  [field: string]: unknown;
}

/** A paid order of one line, 2 × 10000, unless told otherwise. */
export const orderBody = (platformOrderId: string, changes: OrderBody = {}): OrderBody => ({
  shopId: 'own1',
  platformOrderId,
  type: 'normal',
  placedAt: '2026-11-22T10:00:00+08:00',
  currency: 'CNY',
  buyer: { id: 'u1', firstOrder: false },
  receiver: {
    name: '张三丰',
    phone: '13812348000',
    province: '浙江省',
    city: '杭州市',
    district: '西湖区',
    address: '文三路 138 号 3-201',
    pickupStation: false,
  },
  lines: [{ lineId: '1', skuCode: 'TEE-M', title: 'T-shirt M', quantity: 2, unitPrice: 10000, discount: 0 }],
  orderDiscount: 0,
  freight: 0,
  payments: [payment('p1', 20000)],
  ...changes,
});

export const payment = (paymentId: string, amount: number, changes: OrderBody = {}): OrderBody => ({
  paymentId,
  method: 'alipay',
  transactionId: `T-${paymentId}`,
  amount,
  paidAt: '2026-11-22T02:00:00Z',
  ...changes,
});

/** The code of a problem, and the first wrong field where it names one. */
export const problemOf = ({ status, body }: Answer): string =>
  [status, body?.code, body?.errors?.[0]?.path].filter((part) => part !== undefined).join(' ');
