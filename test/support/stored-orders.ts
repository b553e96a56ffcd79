import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { after } from 'node:test';
import type { Connection } from 'mongoose';
import { decide } from '../../domain/order-decide.ts';
import { initialState } from '../../domain/order-life.ts';
import { auditFacets, orderViewOf } from '../../domain/order-view.ts';
import { searchFieldsOf, stepRequest } from '../../domain/step-request.ts';
import { withOutcome, type Step, type StepContext } from '../../domain/order-step.ts';
import type { OrderMessage, Origin } from '../../domain/order-messages.ts';
import type { OrderSnapshot, OrderState } from '../../domain/order-model.ts';
import { chainEntry } from '../../models/audit-log.ts';
import { isOutage, isTransient } from '../../models/transaction.ts';
import { orderCollection, type OrderRecord } from '../../models/order-records.ts';
import type { CommitAnswer, OrderStepRequest, StepCommitter } from '../../models/step-committer.ts';
import { movementCollection, stockCollection } from '../../models/stock-records.ts';
import { warehouseCollection } from '../../models/warehouse-records.ts';
import { createLogger } from '../../runtime/logger.ts';
import { connectMongo, ensureIndexes } from '../../runtime/mongo.ts';
import { mongoUri } from './servers.ts';

const logger = createLogger({ stream: new PassThrough().resume() });

/** A database of its own with the indexes of all that `register` registers, gone when the file's tests are done. */
export async function openDatabase(register: (connection: Connection) => void): Promise<Connection> {
  const url = new URL(await mongoUri());
  url.pathname = `/stores_${randomUUID().slice(0, 8)}`;
  const connection = await connectMongo(url.href, logger);
  register(connection);
  warehouseCollection(connection);
  await ensureIndexes(connection, logger);
  after(async () => {
    await connection.dropDatabase();
    await connection.close();
  });
  return connection;
}

export const ORIGIN: Origin = { actor: { kind: 'service', id: 'tester' }, requestId: 'r1' };
export const TIMERS = { paymentTimeoutMs: 1_800_000, autoCompleteMs: 864_000_000 };

export interface OrderSpec {
  orderId: string;
  /** Quantity by SKU; a line per SKU, its id is the SKU. */
  units: Record<string, number>;
  /** Of the payment; absent: paid when it was placed. null: unpaid. */
  paidAt?: string | null;
  placedAt?: string;
  shopId?: string;
  channel?: OrderSnapshot['channel'];
  province?: string;
  phone?: string;
}

export const PLACED_AT = '2026-11-22T02:00:00.000Z';

export const snapshotOf = (spec: OrderSpec): OrderSnapshot => {
  const { orderId, units, placedAt = PLACED_AT, paidAt = placedAt, shopId = orderId.split('.')[0] ?? '' } = spec;
  const lines = Object.entries(units).map(([skuCode, quantity]) => ({
    lineId: skuCode,
    skuCode,
    title: `Item ${skuCode}`,
    quantity,
    unitPrice: 1000,
    discount: 0,
  }));
  const payable = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  return {
    orderId,
    shopId,
    channel: spec.channel ?? 'own',
    platformOrderId: orderId.split('.')[1] ?? orderId,
    type: 'normal',
    placedAt,
    receivedAt: placedAt,
    currency: 'CNY',
    buyer: { id: 'buyer-1', firstOrder: false },
    receiver: {
      province: spec.province ?? '浙江省',
      city: '杭州市',
      district: '西湖区',
      pickupStation: false,
      masked: { name: '张*', phone: '138****8000', address: '浙江省杭州市西湖区' },
      sealed: 'v1.none.sealed',
      phoneIndex: spec.phone ?? 'phone-index',
      addressIndex: 'address-index',
      missing: [],
    },
    lines,
    orderDiscount: 0,
    freight: 0,
    payable,
    payments: paidAt === null ? [] : [{ paymentId: 'p1', method: 'alipay', amount: payable, paidAt }],
  };
};

/** As intake stores it: revision 0, no workflow yet. */
export const recordOf = (snapshot: OrderSnapshot): OrderRecord => {
  const view = orderViewOf(initialState(snapshot), snapshot.receivedAt);
  return {
    _id: snapshot.orderId,
    ...view,
    ...searchFieldsOf(view),
    snapshot,
    contentHash: 'hash',
    origin: ORIGIN,
    runId: null,
    lastStep: null,
    final: null,
  };
};

const MOST_TRIES = 8;

/** What the database cannot do at this moment is asked for again, as by the engine; a crowded machine is no finding. */
const asWorkersAsk = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await ask();
    } catch (error) {
      if (tries === MOST_TRIES || !(isTransient(error) || isOutage(error))) throw error;
      await sleep(Math.random() * 20 * 2 ** tries);
    }
};

/** Plays the order's workflow: decides by the domain's rules, commits, and takes the outcome over. */
export class PlayedOrder {
  state: OrderState;
  readonly runId: string;

  constructor(spec: OrderSpec, runId = `run-${spec.orderId}`) {
    this.state = initialState(snapshotOf(spec));
    this.runId = runId;
  }

  get orderId(): string {
    return this.state.snapshot.orderId;
  }

  async store(connection: Connection): Promise<this> {
    await asWorkersAsk(() => orderCollection(connection).insertOne(recordOf(this.state.snapshot)));
    return this;
  }

  /** What the workflow asks the store for; throws when the rules refuse or ignore the message. */
  request(message: OrderMessage, now = PLACED_AT): { step: Step; request: OrderStepRequest } {
    const context: StepContext = { now, timers: TIMERS };
    const decision = decide(this.state, message, context);
    if (decision.kind !== 'step') throw new Error(`${message.type} of ${this.orderId}: ${JSON.stringify(decision)}`);
    const input = {
      step: decision.step,
      action: message.type,
      message,
      origin: ORIGIN,
      at: now,
      before: auditFacets(this.state),
      runId: this.runId,
    };
    return { step: decision.step, request: stepRequest(input, chainEntry) };
  }

  take(step: Step, { outcome, auditHash }: CommitAnswer): void {
    if (outcome?.state === 'short') return;
    this.state = { ...withOutcome(step, outcome).next, auditHash };
  }

  async apply(committer: StepCommitter, message: OrderMessage, now = PLACED_AT): Promise<CommitAnswer> {
    const { step, request } = this.request(message, now);
    const answer = await asWorkersAsk(() => committer.commit(request));
    this.take(step, answer);
    return answer;
  }

  /** What the workflow does when the queue has served it. */
  collect(committer: StepCommitter): Promise<CommitAnswer> {
    return this.apply(committer, { type: 'stockReserved', round: this.state.reservation.round });
  }
}

export const addWarehouses = async (connection: Connection, ...ids: string[]): Promise<void> => {
  for (const _id of ids)
    await warehouseCollection(connection).insertOne({
      _id,
      name: _id,
      province: '浙江省',
      city: '杭州市',
      wms: null,
      revision: 1,
      updatedAt: new Date(),
    });
};

export const receive = (
  committer: StepCommitter,
  warehouseId: string,
  skuCode: string,
  quantity: number,
  id: string = randomUUID(),
): Promise<CommitAnswer> =>
  asWorkersAsk(() =>
    committer.commit({
      kind: 'stockChange',
      id,
      movement: quantity > 0 ? 'receipt' : 'adjustment',
      lines: [{ warehouseId, skuCode, quantity }],
      actor: { kind: 'user', id: 'keeper' },
      at: new Date(),
      reason: null,
    }),
  );

/** `onHand/reserved/available` of a counter, and `+n` when so many orders wait for its SKU. */
export const counterOf = async (connection: Connection, warehouseId: string, skuCode: string): Promise<string> => {
  const record = await stockCollection(connection).findOne({ _id: `${warehouseId}/${skuCode}` });
  if (!record) return 'none';
  const { onHand, reserved, available, waiting } = record;
  return `${onHand}/${reserved}/${available}${waiting > 0 ? ` +${waiting}` : ''}`;
};

/** Counters recomputed from the movements, in the form of the stored ones; for comparison. */
export const ledgerSums = async (connection: Connection): Promise<Record<string, number[]>> => {
  const sums: Record<string, number[]> = {};
  for await (const movement of movementCollection(connection).find({})) {
    const id = `${movement.warehouseId}/${movement.skuCode}`;
    const sum = (sums[id] ??= [0, 0, 0, 0]);
    [movement.onHand, movement.reserved, movement.awaitingQc, movement.damaged].forEach((units, index) => {
      sum[index] = (sum[index] ?? 0) + units;
    });
  }
  return sums;
};

export const storedCounters = async (connection: Connection): Promise<Record<string, number[]>> => {
  const records = await stockCollection(connection).find({}).toArray();
  return Object.fromEntries(
    records.map((record) => [record._id, [record.onHand, record.reserved, record.awaitingQc, record.damaged]]),
  );
};
