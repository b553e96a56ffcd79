import type { CaseCode, HoldCode, LineQuantity, OrderState } from './order-model.ts';
import { without } from './delivery-orders.ts';
import {
  allocatedRest,
  allocatedWarehouses,
  bySku,
  paidTotal,
  remainingLines,
  reservedStock,
  unitsOf,
} from './order-quantities.ts';
import { closeCases, happen, openCase, type Step, type StepContext } from './order-step.ts';

/** These outlive the unsent rest of an order: they are about money. */
const OF_MONEY: readonly (CaseCode | HoldCode)[] = ['overpaid', 'refund_due', 'refunded_by_platform'];

/** Stock is free at once, what was paid for it is due back. */
export const cancelNow = (step: Step, reason: string, { now }: StepContext): void => {
  const { next } = step;
  const isWhole = next.shipments.length === 0;
  const lines = [...(next.cancellation?.lines ?? []), ...remainingLines(next)];
  releaseAll(step);
  next.cancellation = { at: now, reason, lines, holds: isWhole ? next.holds : [] };
  next.reservation = { ...next.reservation, state: isWhole ? 'none' : 'reserved', allocations: sentOnly(next) };
  next.holds = isWhole ? [] : next.holds.filter(({ code }) => OF_MONEY.includes(code));
  happen(step, 'cancelled', { reason, partly: !isWhole });
  closeCases(step, 'the order was cancelled', ({ code }) => isWhole || !OF_MONEY.includes(code));
  if (isWhole) next.ended = { status: 'cancelled', at: now };
  const paid = paidTotal(next);
  if (paid > 0)
    openCase(step, 'refund_due', `${isWhole ? 'the order' : 'the unsent rest'} was cancelled after ${paid} was paid`);
};

/** The ledger gets back what is reserved, or the place in the queue. */
export const releaseAll = (step: Step): void => {
  const { next } = step;
  const reserved = reservedStock(next);
  if (next.reservation.state === 'backordered') step.stock.push({ kind: 'withdraw', round: next.reservation.round });
  else if (reserved.length > 0) step.stock.push({ kind: 'release', lines: reserved });
};

/** Takes units out of an order that goes on with the others; no warehouse's system may still have them. */
export const withdrawUnits = (
  step: Step,
  units: readonly LineQuantity[],
  reason: string,
  { now }: StepContext,
): void => {
  const { next } = step;
  const isBackordered = next.reservation.state === 'backordered';
  let left: LineQuantity[] = [...units];
  const release: { warehouseId: string; skuCode: string; quantity: number }[] = [];
  const allocations = next.reservation.allocations.map((allocation) => ({ ...allocation }));
  for (const warehouseId of allocatedWarehouses(next)) {
    const rest = allocatedRest(next, warehouseId);
    const taken = without(left, without(left, rest));
    if (taken.length === 0) continue;
    left = without(left, taken);
    release.push(...bySku(next, taken).map((entry) => ({ warehouseId, ...entry })));
    let open: LineQuantity[] = taken;
    for (const allocation of allocations) {
      if (allocation.warehouseId !== warehouseId) continue;
      const kept = without(allocation.lines, open);
      open = without(open, without(allocation.lines, kept));
      allocation.lines = kept;
    }
  }
  next.cancellation = {
    at: now,
    reason,
    lines: [...(next.cancellation?.lines ?? []), ...units],
    holds: next.cancellation?.holds ?? [],
  };
  if (isBackordered) {
    // It stands in the queue for goods that it no longer wants: it asks anew for the others, with its place by payment.
    step.stock.push({ kind: 'withdraw', round: next.reservation.round });
    next.reservation = { ...next.reservation, state: 'none', allocations: [] };
  } else if (release.length > 0) {
    step.stock.push({ kind: 'release', lines: release });
    next.reservation = { ...next.reservation, allocations: allocations.filter(({ lines }) => lines.length > 0) };
  }
  happen(step, 'units_withdrawn', { reason, units: unitsOf(units) });
};

/** Allocations cut down to what has left, so that nothing is shown as still reserved. */
const sentOnly = ({ shipments }: OrderState) =>
  shipments.map(({ warehouseId, courier, lines }) => ({ warehouseId, courier, lines }));
