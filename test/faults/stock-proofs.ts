import type { Connection } from 'mongoose';
import {
  backorderCollection,
  movementCollection,
  stockCollection,
  type MovementRecord,
} from '../../models/stock-records.ts';
import type { Expected } from './order-proofs.ts';
import type { Units } from './order-paths.ts';
import { Claim, type Proof } from './proof.ts';

type Counters = Record<'onHand' | 'reserved' | 'awaitingQc' | 'damaged', number>;
const COUNTERS = ['onHand', 'reserved', 'awaitingQc', 'damaged'] as const;
const none = (): Counters => ({ onHand: 0, reserved: 0, awaitingQc: 0, damaged: 0 });

const add = (units: Units, skuCode: string, quantity: number): void => {
  units[skuCode] = (units[skuCode] ?? 0) + quantity;
};

/** `received`: units by SKU that callers brought in, each receipt once. */
export const proveStock = async (
  connection: Connection,
  expected: readonly Expected[],
  received: Units,
): Promise<Proof[]> => {
  const movements = await movementCollection(connection).find({}).toArray();
  return [
    await proveLedger(connection, movements),
    proveOrderMovements(movements, expected),
    await proveTotals(connection, expected, received),
    await proveQueue(connection, expected),
  ];
};

const proveLedger = async (connection: Connection, movements: readonly MovementRecord[]): Promise<Proof> => {
  const claim = new Claim('the stock counters equal the sums of their movements, and none is negative');
  const sums = new Map<string, Counters>();
  for (const movement of movements) {
    const id = `${movement.warehouseId}/${movement.skuCode}`;
    const sum = sums.get(id) ?? none();
    for (const name of COUNTERS) sum[name] += movement[name];
    sums.set(id, sum);
  }
  const counters = await stockCollection(connection).find({}).toArray();
  for (const { _id, onHand, reserved, awaitingQc, damaged, available } of counters) {
    claim.examined += 1;
    claim.same(`counters of ${_id}`, { onHand, reserved, awaitingQc, damaged }, sums.get(_id) ?? none());
    claim.same(`available of ${_id}`, available, onHand - reserved);
    claim.holds(Math.min(onHand, reserved, awaitingQc, damaged, available) >= 0, `a counter of ${_id} is negative`);
    sums.delete(_id);
  }
  for (const id of sums.keys()) claim.problems.push(`there are movements of ${id} and no counter`);
  return claim;
};

const proveOrderMovements = (movements: readonly MovementRecord[], expected: readonly Expected[]): Proof => {
  const claim = new Claim('each order moved exactly the goods of its path, each movement once');
  const ofOrder = new Map<string, MovementRecord[]>();
  for (const movement of movements)
    if (movement.orderId !== null) ofOrder.set(movement.orderId, [...(ofOrder.get(movement.orderId) ?? []), movement]);
  for (const { orderId, path } of expected) {
    const moved = { reserve: {} as Units, release: {} as Units, ship: {} as Units };
    for (const { kind, skuCode, onHand, reserved } of ofOrder.get(orderId) ?? []) {
      claim.examined += 1;
      if (kind === 'reserve') add(moved.reserve, skuCode, reserved);
      else if (kind === 'release') add(moved.release, skuCode, -reserved);
      else if (kind === 'ship') add(moved.ship, skuCode, -onHand);
      else claim.problems.push(`${orderId} has a movement ${kind}`);
    }
    const { shipped, released, kept } = path.end;
    const reserve: Units = {};
    for (const units of [shipped, released, kept])
      for (const [sku, quantity] of Object.entries(units)) add(reserve, sku, quantity);
    claim.same(`movements of ${orderId} (${path.name})`, moved, { reserve, release: released, ship: shipped });
    ofOrder.delete(orderId);
  }
  for (const orderId of ofOrder.keys()) claim.problems.push(`there are movements of ${orderId}, which nobody posted`);
  return claim;
};

const proveTotals = async (connection: Connection, expected: readonly Expected[], received: Units): Promise<Proof> => {
  const claim = new Claim('on hand = received − sent, reserved = what open orders keep, over all orders');
  const onHand: Units = {};
  const reserved: Units = {};
  for (const [sku, quantity] of Object.entries(received)) add(onHand, sku, quantity);
  for (const { path } of expected) {
    for (const [sku, quantity] of Object.entries(path.end.shipped)) add(onHand, sku, -quantity);
    for (const [sku, quantity] of Object.entries(path.end.kept)) add(reserved, sku, quantity);
  }
  const found: Record<'onHand' | 'reserved', Units> = { onHand: {}, reserved: {} };
  for (const counter of await stockCollection(connection).find({}).toArray()) {
    add(found.onHand, counter.skuCode, counter.onHand);
    add(found.reserved, counter.skuCode, counter.reserved);
  }
  for (const sku of Object.keys(onHand)) {
    claim.examined += 1;
    claim.same(`on hand of ${sku}`, found.onHand[sku], onHand[sku]);
    claim.same(`reserved of ${sku}`, found.reserved[sku], reserved[sku] ?? 0);
  }
  return claim;
};

const proveQueue = async (connection: Connection, expected: readonly Expected[]): Promise<Proof> => {
  const claim = new Claim('the queue for goods holds the orders that wait for them, and no other');
  const queue = await backorderCollection(connection).find({}).toArray();
  const waiting = expected.filter(({ path }) => path.end.status === 'backordered').map(({ orderId }) => orderId);
  claim.examined = queue.length;
  claim.same(
    'the queue',
    queue.map(({ _id, state }) => `${_id} ${state}`).sort(),
    waiting.map((orderId) => `${orderId} waiting`).sort(),
  );
  return claim;
};
