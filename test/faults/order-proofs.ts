import type { Connection } from 'mongoose';
import { orderEntity } from '../../domain/ids.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { verifyAudit } from '../../models/audit-verification.ts';
import { AuditSeals, type SealKeys } from '../../models/audit-seals.ts';
import { caseCollection } from '../../models/case-records.ts';
import { orderCollection, type OrderRecord } from '../../models/order-records.ts';
import type { OrderEnd } from './order-paths.ts';
import { Claim, type Proof } from './proof.ts';

/** An order of a run, and how its path says that it must stand. */
export interface Expected {
  orderId: string;
  path: { name: string; end: OrderEnd };
}

const openWork = new Set(['pending_payment', 'on_hold', 'backordered', 'awaiting_shipment']);

/** Views: there is one for each order, and it shows the end of its path, each payment and each parcel once. */
export const proveOrders = async (connection: Connection, expected: readonly Expected[]): Promise<Proof[]> => {
  const ends = new Claim('every order stands as its path says, each payment and parcel counted once');
  const records = await orderCollection(connection).find({}).toArray();
  const byId = new Map(records.map((record) => [record._id, record]));
  for (const { orderId, path } of expected) {
    ends.examined += 1;
    const record = byId.get(orderId);
    byId.delete(orderId);
    if (record) proveOrder(ends, record, path);
    else ends.problems.push(`${orderId} (${path.name}) is not there`);
  }
  for (const orderId of byId.keys()) ends.problems.push(`${orderId} is there, and nobody posted it`);
  return [ends, await proveCases(connection, expected)];
};

const proveOrder = (claim: Claim, record: OrderRecord, { name, end }: Expected['path']): void => {
  const about = (what: string) => `${what} of ${record._id} (${name})`;
  claim.same(about('status'), record.status, end.status);
  const payments = Object.fromEntries(record.payments.map(({ paymentId, amount }) => [paymentId, amount]));
  claim.same(about('number of payments'), record.payments.length, Object.keys(end.payments).length);
  claim.same(about('payments'), payments, end.payments);
  claim.same(
    about('totals.paid'),
    record.totals.paid,
    Object.values(end.payments).reduce((sum, amount) => sum + amount, 0),
  );
  claim.same(about('number of parcels'), record.shipments.length, end.parcels);
  const skuOf = new Map(record.lines.map(({ lineId, skuCode }) => [lineId, skuCode ?? '']));
  const shipped: Record<string, number> = {};
  for (const { lineId, quantity } of record.shipments.flatMap(({ lines }) => lines)) {
    const sku = skuOf.get(lineId) ?? '';
    shipped[sku] = (shipped[sku] ?? 0) + quantity;
  }
  claim.same(about('goods sent'), shipped, end.shipped);
  claim.holds(
    openWork.has(record.status) === (record.final === null),
    `${about('state at the end')} does not fit its status`,
  );
  if (!openWork.has(record.status)) claim.same(about('holds'), record.holds, []);
};

const proveCases = async (connection: Connection, expected: readonly Expected[]): Promise<Proof> => {
  const claim = new Claim('there are the cases that there should be, and none is open twice');
  const found = await caseCollection(connection).find({}).toArray();
  for (const { orderId, path } of expected) {
    const cases = found.filter((record) => record.orderId === orderId);
    const codes = (state: 'open' | 'resolved') =>
      cases
        .filter((record) => record.state === state)
        .map(({ code }) => code)
        .sort();
    claim.examined += cases.length;
    claim.same(`open cases of ${orderId} (${path.name})`, codes('open'), [...path.end.open].sort());
    claim.same(`resolved cases of ${orderId} (${path.name})`, codes('resolved'), [...path.end.resolved].sort());
  }
  claim.same('cases of all orders', found.length, claim.examined);
  return claim;
};

/** Audit: an entry for each revision of an order, none missing, none twice; chains and seals intact. */
export const proveAudit = async (
  connection: Connection,
  keys: SealKeys,
  expected: readonly Expected[],
): Promise<Proof[]> => {
  const revisions = new Claim('each order has one audit entry for each of its revisions, without gaps');
  const entries = auditCollection(connection);
  for (const { orderId } of expected) {
    const record = await orderCollection(connection).findOne({ _id: orderId });
    const chain = await entries
      .find({ entity: orderEntity(orderId) })
      .sort({ seq: 1 })
      .toArray();
    revisions.examined += chain.length;
    revisions.same(
      `numbers in the audit of ${orderId}`,
      chain.map(({ seq }) => seq),
      upTo(record?.revision ?? -1),
    );
    revisions.same(`newest audit entry of ${orderId}`, chain.at(-1)?.hash, record?.lastStep?.auditHash);
  }
  const chains = new Claim('the hash chains of all entities and the chain of seals verify');
  const report = await verifyAudit(connection, keys);
  chains.examined = report.entries;
  if (report.broken !== undefined) chains.problems.push(report.broken);
  const sealed = new Claim('every audit entry is sealed once');
  let count = 0;
  for await (const seal of new AuditSeals(connection).all()) count += seal.entries.length;
  sealed.examined = count;
  sealed.same('number of sealed entries', count, report.entries);
  sealed.same('number of entries without a seal', report.unsealed, 0);
  return [revisions, chains, sealed];
};

const upTo = (last: number): number[] => Array.from({ length: Math.max(0, last) }, (_, index) => index + 1);
