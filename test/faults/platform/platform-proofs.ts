import type { Connection } from 'mongoose';
import { deliveryCodeOf } from '../../../domain/delivery-orders.ts';
import { inboxCollection } from '../../../models/inbox.ts';
import { orderCollection, type OrderRecord } from '../../../models/order-records.ts';
import { Sealer } from '../../../runtime/sealing.ts';
import type { Books, TradeEntry } from '../../../simulators/channels/taobao/control.ts';
import type { Delivery } from '../../../simulators/wms/delivery-book.ts';
import type { WmsBooks } from '../../../simulators/wms/wms-control.ts';
import { ORDER_WORKFLOW } from '../../../workflows/contract.ts';
import { readHistory, type EngineFigures } from '../engine-proofs.ts';
import type { InstanceData } from '../instance-data.ts';
import { Claim, type Proof } from '../proof.ts';
import type { DrivenTrade } from './driven-trades.ts';
import { TAOBAO_SHOP } from './trade-story.ts';

export interface OutsideBooks {
  taobao: Books;
  wms: WmsBooks;
}

interface Side extends DrivenTrade {
  trade: TradeEntry | undefined;
  record: OrderRecord | undefined;
}

/** What the books of platform and warehouse say, beside our own. */
export const provePlatform = async (
  data: InstanceData,
  driven: readonly DrivenTrade[],
  books: OutsideBooks,
): Promise<Proof[]> => {
  const records = await orderCollection(data.connection).find({ shopId: TAOBAO_SHOP }).toArray();
  const byId = new Map(records.map((record) => [record._id, record]));
  const trades = new Map(books.taobao.trades.map((trade) => [trade.tid, trade]));
  const sides = driven.map((one): Side => ({
    ...one,
    trade: trades.get(one.story.tid),
    record: byId.get(one.story.orderId),
  }));
  return [
    proveTrades(sides, books.taobao, byId),
    proveTold(sides),
    proveDeliveries(sides, books.wms),
    proveReports(books.wms),
    await proveInbox(data, sides),
    await proveCollecting(data),
  ];
};

const proveTrades = (sides: readonly Side[], { trades }: Books, records: ReadonlyMap<string, OrderRecord>): Proof => {
  const claim = new Claim('each trade stands on the platform as its order does here, and each has one order');
  for (const { story, path, trade, record } of sides) {
    claim.examined += 1;
    claim.same(`status of trade ${story.tid} (${path.name})`, trade?.status, path.end.trade);
    claim.same(`the order's id on the platform (${path.name})`, record?.platformOrderId, story.tid);
    claim.holds(record?.untold === undefined, `${story.orderId} has not heard the newest of its trade`);
  }
  claim.same('number of trades', trades.length, sides.length);
  claim.same('number of orders', records.size, sides.length);
  return claim;
};

const sorted = (texts: readonly string[]): string[] => [...texts].sort();

const proveTold = (sides: readonly Side[]): Proof => {
  const claim = new Claim('each parcel was told to the platform once, with its goods, and nothing else was');
  for (const { story, path, trade, record } of sides) {
    const told = trade?.consigns ?? [];
    claim.examined += told.length;
    claim.same(`number of parcels that ${story.tid} (${path.name}) was told of`, told.length, path.end.parcels);
    claim.same(
      `parcels of ${story.tid} (${path.name})`,
      sorted(
        told.map(({ out_sid: waybill, company_code: courier, oids }) => `${courier} ${waybill} ${sorted(oids).join()}`),
      ),
      sorted(
        (record?.shipments ?? []).map(
          ({ courier, trackingNo, lines }) =>
            `${courier} ${trackingNo} ${sorted(lines.map(({ lineId }) => lineId)).join()}`,
        ),
      ),
    );
  }
  return claim;
};

const unitsOf = (lines: readonly { itemCode: string; quantity: number }[]): Record<string, number> => {
  const units: Record<string, number> = {};
  for (const { itemCode, quantity } of lines) units[itemCode] = (units[itemCode] ?? 0) + quantity;
  return units;
};

const sentOf = ({ reports }: Delivery) =>
  unitsOf(
    reports.flatMap(({ content }) => (content.kind === 'confirm' ? content.parcels : [])).flatMap((p) => p.items),
  );

const proveDeliveries = (sides: readonly Side[], { orders }: WmsBooks): Proof => {
  const claim = new Claim('each delivery was created once at the warehouse, and what was stopped was not sent');
  const left = new Map(Object.entries(orders));
  for (const { story, path, record } of sides) {
    const about = (what: string) => `${what} of ${story.orderId} (${path.name})`;
    const found: Delivery[] = [];
    for (let number = 1; left.has(deliveryCodeOf(story.orderId, number)); number += 1) {
      const code = deliveryCodeOf(story.orderId, number);
      found.push(left.get(code) as Delivery);
      left.delete(code);
    }
    claim.examined += found.length;
    claim.same(
      about('deliveries'),
      found.map(({ state }) => state),
      path.end.deliveries,
    );
    for (const delivery of found) {
      const wanted = delivery.state === 'shipped' ? unitsOf(delivery.lines) : {};
      claim.same(about(`goods sent as ${delivery.code}`), sentOf(delivery), wanted);
    }
    if (story.planted)
      for (const { code, receiver } of found) {
        const { name, phone, address } = story.planted;
        claim.same(about(`receiver of ${code}`), [receiver['name'], receiver['mobile']], [name, phone]);
        claim.holds(receiver['detailAddress']?.includes(address) ?? false, about(`address of ${code} is not that`));
      }
    const atWarehouse = (record?.shipments ?? []).filter(({ deliveryOrderCode }) => deliveryOrderCode !== undefined);
    const reported = found.flatMap(({ reports }) =>
      reports.flatMap(({ content }) => (content.kind === 'confirm' ? content.parcels : [])),
    );
    claim.same(
      about('parcels from the warehouse'),
      sorted(atWarehouse.map(({ trackingNo }) => trackingNo)),
      sorted(reported.map(({ expressCode }) => expressCode)),
    );
  }
  for (const code of left.keys()) claim.problems.push(`the warehouse has ${code}, which belongs to no order`);
  return claim;
};

const proveReports = ({ orders }: WmsBooks): Proof => {
  const claim = new Claim('every report of the warehouse was taken in the end');
  for (const { code, reports, state } of Object.values(orders))
    for (const { number, isDone, answers, content } of reports) {
      claim.examined += 1;
      const isOld = content.kind === 'progress' && state === 'stopped';
      claim.holds(isDone || isOld, `report ${number} of ${code} was answered ${answers.join(', ')}`);
    }
  return claim;
};

/** The text as the platform sent it, sealed: nothing that it said is lost, whatever we made of it. */
const proveInbox = async ({ connection, keyring }: InstanceData, sides: readonly Side[]): Promise<Proof> => {
  const claim = new Claim(
    'every raw payload is in the inbox: each status that an order went by, the newest among them',
  );
  const sealer = new Sealer(keyring);
  const said = new Map<string, { status: string; contentHash: string }[]>();
  const raws = new Map<string, string>();
  for await (const { _id, platformOrderId, contentHash, rawSealed } of inboxCollection(connection).find({})) {
    const { raw } = sealer.unseal<{ raw: string }>(rawSealed, `inbox/${_id}`);
    const { tid, status } = fieldsOf(raw);
    claim.examined += 1;
    claim.same(`trade of raw payload ${_id}`, tid, platformOrderId);
    raws.set(platformOrderId, (raws.get(platformOrderId) ?? '') + raw);
    said.set(platformOrderId, [...(said.get(platformOrderId) ?? []), { status, contentHash }]);
  }
  for (const { story, path, trade, record } of sides) {
    const payloads = said.get(story.tid) ?? [];
    const statuses = new Set(payloads.map(({ status }) => status));
    const missing = [...story.heard, trade?.status ?? ''].filter((status) => !statuses.has(status));
    claim.same(`statuses of ${story.orderId} (${path.name}) that are not in the inbox`, missing, []);
    for (const [field, value] of Object.entries(story.planted ?? {}))
      claim.holds(
        raws.get(story.tid)?.includes(String(value)) ?? false,
        `${field} of ${story.orderId} did not come in`,
      );
    const isKept = payloads.some(({ contentHash }) => contentHash === record?.contentHash);
    claim.holds(isKept, `what ${story.orderId} (${path.name}) was made of is not in the inbox`);
  }
  return claim;
};

/** Ids are bare numbers beyond what a double holds, so that they are read as text. */
const fieldsOf = (raw: string): { tid: string; status: string } => {
  const tid = /"tid":"?(\d+)/.exec(raw)?.[1] ?? '';
  const { orders: _, ...trade } = JSON.parse(raw) as { orders?: unknown; status?: string };
  return { tid, status: trade.status ?? '' };
};

const CLOSED_WELL = ['COMPLETED', 'CONTINUED_AS_NEW', 'RUNNING'];

/** Workflows that collect and distribute: none has failed, none has met a history that it does not know. */
const proveCollecting = async ({ client }: InstanceData): Promise<Proof> => {
  const claim = new Claim('no workflow that collects or distributes has failed or met a non-determinism');
  const figures: EngineFigures = { failedTasks: {}, mostEvents: 0 };
  for await (const { workflowId, runId, status } of client.workflow.list({
    query: `WorkflowType != "${ORDER_WORKFLOW}"`,
  })) {
    claim.holds(CLOSED_WELL.includes(status.name), `${workflowId} is ${status.name}`);
    // Activities of these may fail: the next run makes up for it.
    const one = new Claim('');
    await readHistory(client.workflow.getHandle(workflowId, runId), one, figures);
    claim.examined += 1;
    claim.problems.push(...one.problems.filter((problem) => !problem.includes('EVENT_TYPE_ACTIVITY_TASK')));
  }
  return claim;
};

/** How often things were asked for again, by the books. */
export const figuresOf = ({ taobao, wms }: OutsideBooks, weather: Readonly<Record<string, number>>): string[] => {
  const { totals, orders } = wms;
  const answers = Object.values(orders)
    .flatMap(({ reports }) => reports)
    .map((report) => report.answers.length);
  const sendings = answers.reduce((sum, count) => sum + count, 0);
  const faults = sorted(Object.entries(weather).map(([name, count]) => `${name} ${count}`));
  const consigns = taobao.trades.reduce((sum, { consigns: parcels }) => sum + parcels.length, 0);
  return [
    `Warehouse: ${totals.deliveries} deliveries asked for ${totals.creates} times, ${totals.stops} stopped, ${totals.refusedStops} stops refused, ${totals.reports} reports sent ${sendings} times. Platform: ${consigns} parcels.`,
    `Faults outside: ${faults.join(', ')}.`,
  ];
};

export const countOrders = (connection: Connection): Promise<number> =>
  orderCollection(connection).countDocuments({ shopId: TAOBAO_SHOP });
