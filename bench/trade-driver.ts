import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { deliveryCodeOf } from '../domain/delivery-orders.ts';
import { orderIdOf } from '../domain/ids.ts';
import type { CollectedOrder, PlatformPhase } from '../domain/platform-order.ts';
import { orderCollection } from '../models/order-records.ts';
import { loadKeyring } from '../runtime/keyring.ts';
import { createLogger } from '../runtime/logger.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { connectMongo } from '../runtime/mongo.ts';
import { EncryptionCodec } from '../runtime/payload-codec.ts';
import { createDataConverter } from '../runtime/temporal.ts';
import { RestClient, signedIn } from '../simulators/rest-client.ts';
import { channelDeps } from '../workers/channel-deps.ts';
import type { Instance } from './instance.ts';
import { LoopbackOutside, WMS } from './loopback-outside.ts';
import { RECEIVER } from './order-driver.ts';
import { inParallel } from './rounds.ts';

const SHOP = { shopId: 'bench-tb', channel: 'taobao', currency: 'CNY' } as const;
const WAREHOUSE = 'bench-wms';
const LINES = ['TRADE-A', 'TRADE-B', 'TRADE-C'].map((skuCode, n) => ({ lineId: String(n + 1), skuCode, quantity: 1 }));
const TICK_MS = 20;
const AT_MOST_MS = 60_000;

export interface TradeDriver {
  /** Takes trades from intake to completed; returns how long each report of the warehouse took, in milliseconds. */
  drive(count: number, concurrency: number, prefix: string): Promise<number[]>;
}

/**
 * Drives platforms' orders as intake does: through its stores, then started and told by its own client. Collecting itself
 * has a bench of its own. Warehouse and platform answer on loopback.
 */
export const tradeDriver = async (instance: Instance<'app'>, signal: AbortSignal): Promise<TradeDriver> => {
  const outside = new LoopbackOutside();
  const origin = await outside.start();
  const admin = new RestClient(instance.url, signal, signedIn(instance.url, 'admin', instance.adminPassword));
  await addShopAndWarehouse(admin, origin);

  const logger = createLogger({ stream: new PassThrough().resume() });
  const keyring = await loadKeyring(join(instance.folder, 'data'));
  const connection = await connectMongo(instance.mongo.uri, logger, { poolSize: 8, connectTimeoutMs: 10_000 });
  const client = new Client({
    connection: await NativeConnection.connect({ address: instance.temporalAddress }),
    dataConverter: createDataConverter(new EncryptionCodec(keyring)),
  });
  const createClient = () => {
    throw new Error('nothing is collected here');
  };
  const deps = channelDeps({ connection, client, keyring, logger, metrics: createMetrics(), createClient });
  const news = new News(deps);
  const revisions = new Revisions(orderCollection(connection));

  return {
    async drive(count, concurrency, prefix) {
      const reports: number[] = [];
      const ticking = new AbortController();
      const ticks = tick(ticking.signal, () => Promise.all([news.flush(), revisions.look()]));
      const one = async (index: number): Promise<void> => {
        const platformOrderId = `${prefix}-${index}`;
        const orderId = orderIdOf(SHOP.shopId, platformOrderId);
        const code = deliveryCodeOf(orderId, 1);
        const taken = outside.hears(code);
        await news.add(tradeOf(platformOrderId, 'paid'));
        await taken;
        await revisions.reaches(orderId, HANDED_OVER);
        const told = outside.hears(platformOrderId);
        const startedAt = performance.now();
        await outside.report(`${instance.url}/v1/qimen/${WAREHOUSE}`, { code, warehouseId: WAREHOUSE, lines: LINES });
        reports.push(performance.now() - startedAt);
        await told;
        await revisions.reaches(orderId, TOLD);
        await news.add(tradeOf(platformOrderId, 'finished'));
        await revisions.reaches(orderId, COMPLETED);
      };
      await Promise.race([inParallel(count, concurrency, one), ticks]);
      ticking.abort();
      await ticks;
      return reports;
    },
  };
};

/** Of an order to which nothing else happens. */
const [HANDED_OVER, TOLD, COMPLETED] = [2, 4, 5] as const;

const tick = async (signal: AbortSignal, work: () => Promise<unknown>): Promise<void> => {
  while (!signal.aborted) {
    await work();
    await sleep(TICK_MS);
  }
};

const addShopAndWarehouse = async (admin: RestClient, origin: string): Promise<void> => {
  await admin.put(`/v1/shops/${SHOP.shopId}`, {
    channel: SHOP.channel,
    name: 'Bench',
    currency: SHOP.currency,
    baseUrl: origin,
    credentials: { appKey: 'bench', appSecret: 'bench-secret', sessionKey: 'bench-session' },
    polling: { enabled: false },
  });
  const wms = { type: 'qimen', baseUrl: `${origin}/qimen`, ...WMS };
  await admin.put(`/v1/warehouses/${WAREHOUSE}`, { name: 'Bench WMS', province: '浙江省', city: '杭州市', wms });
  const lines = LINES.map(({ skuCode }) => ({ skuCode, quantity: 1_000_000 }));
  await admin.post('/v1/stock/receipts', { warehouseId: WAREHOUSE, lines });
};

/** What the platform says, stored and told a batch at a time, as intake does with a page. */
class News {
  readonly #deps: ReturnType<typeof channelDeps>;
  #batch: { order: CollectedOrder; done: () => void }[] = [];

  constructor(deps: ReturnType<typeof channelDeps>) {
    this.#deps = deps;
  }

  /** Returns when the order's workflow was started or told. */
  add(order: CollectedOrder): Promise<void> {
    return new Promise((resolve) => this.#batch.push({ order, done: resolve }));
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    const { collector, orders, distribution } = this.#deps;
    const { teller } = distribution;
    await collector.add(
      batch.map(({ order }) => order),
      { shop: SHOP, source: 'poll', backfillId: null },
    );
    const untold = await orders.untold(batch.map(({ order }) => orderIdOf(SHOP.shopId, order.platformOrderId)));
    const telling = untold.map(({ _id, revision, snapshot, origin }) =>
      revision === 0 ? teller.start({ snapshot, origin }) : teller.tellChanged(_id, snapshot),
    );
    await Promise.all(telling);
    await orders.settle(untold.map(({ _id: orderId, heard }) => ({ orderId, heard })));
    for (const { done } of batch) done();
  }
}

/** Waits for many orders' revisions by one query a tick. */
class Revisions {
  readonly #orders: ReturnType<typeof orderCollection>;
  readonly #waiting = new Map<string, { revision: number; since: number; resolve: () => void }>();

  constructor(orders: ReturnType<typeof orderCollection>) {
    this.#orders = orders;
  }

  reaches(orderId: string, revision: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(orderId, { revision, since: Date.now(), resolve }));
  }

  async look(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const wanted = [...this.#waiting.keys()];
    const found = this.#orders.find({ _id: { $in: wanted } }, { projection: { revision: 1, status: 1 } });
    for await (const { _id, revision, status } of found) {
      const one = this.#waiting.get(_id);
      if (!one) continue;
      if (Date.now() - one.since > AT_MOST_MS)
        throw new Error(`${_id} is ${status} at ${revision}, not ${one.revision}`);
      if (revision < one.revision) continue;
      this.#waiting.delete(_id);
      one.resolve();
    }
  }
}

/** One order as the platform's adapter gives it. */
const tradeOf = (platformOrderId: string, phase: PlatformPhase): CollectedOrder => {
  const now = new Date();
  // Platforms count in whole seconds, and its second word is a later one.
  const modifiedAt = new Date(now.getTime() - (phase === 'paid' ? 5000 : 0)).toISOString();
  const content: NonNullable<CollectedOrder['content']> = {
    type: 'normal',
    placedAt: modifiedAt,
    currency: 'CNY',
    buyer: { id: 'buyer-1', firstOrder: false },
    receiver: { ...RECEIVER, token: 'bench-token' },
    lines: LINES.map(({ lineId, skuCode, quantity }) => ({
      lineId,
      merchantCode: skuCode,
      title: `Article ${skuCode}`,
      quantity,
      unitPrice: 10_000,
      discount: 0,
    })),
    orderDiscount: 3000,
    freight: 1000,
    payable: 28_000,
    payments: [{ paymentId: `${platformOrderId}-p`, method: 'platform', amount: 28_000, paidAt: modifiedAt }],
    platform: {
      status: phase === 'paid' ? 'WAIT_SELLER_SEND_GOODS' : 'TRADE_FINISHED',
      phase,
      lockedBy: null,
      modifiedAt,
      paid: 28_000,
      refundOpen: [],
      refunded: [],
      parcels: [],
      ...(phase === 'finished' ? { endedAt: modifiedAt } : {}),
    },
  };
  return { platformOrderId, raw: JSON.stringify(content), modifiedAt, content, problem: null };
};
