import type { Allocation } from './order-model.ts';
import type { ReserveLine } from './order-step.ts';

export interface Warehouse {
  warehouseId: string;
  province: string;
  city: string;
  /** Worked by a warehouse management system; otherwise through REST. */
  hasWms: boolean;
}

/** Nearest first: same city, same province, the rest; by id within each. */
export const byNearness = (warehouses: readonly Warehouse[], province: string, city: string): Warehouse[] => {
  const rank = (warehouse: Warehouse) => (warehouse.province !== province ? 2 : warehouse.city !== city ? 1 : 0);
  return [...warehouses].sort(
    (a, b) => rank(a) - rank(b) || (a.warehouseId < b.warehouseId ? -1 : a.warehouseId > b.warehouseId ? 1 : 0),
  );
};

/**
 * Where the goods come from: the first warehouse that has all of them, else as few units as possible from each further
 * one in order; `null` when all together have too little. `availableAt` is units, never negative.
 */
export const chooseWarehouses = (
  lines: readonly ReserveLine[],
  warehouseIds: readonly string[],
  availableAt: (warehouseId: string, skuCode: string) => number,
): Allocation[] | null => {
  for (const warehouseId of warehouseIds) {
    const taken = take(lines, warehouseId, availableAt);
    if (taken.left.length === 0) return [taken.allocation];
  }
  const allocations: Allocation[] = [];
  let left = [...lines];
  for (const warehouseId of warehouseIds) {
    const taken = take(left, warehouseId, availableAt);
    if (taken.allocation.lines.length > 0) allocations.push(taken.allocation);
    left = taken.left;
    if (left.length === 0) return allocations;
  }
  return null;
};

const take = (
  lines: readonly ReserveLine[],
  warehouseId: string,
  availableAt: (warehouseId: string, skuCode: string) => number,
): { allocation: Allocation; left: ReserveLine[] } => {
  const used = new Map<string, number>();
  const allocation: Allocation = { warehouseId, courier: null, lines: [] };
  const left: ReserveLine[] = [];
  for (const line of lines) {
    const free = availableAt(warehouseId, line.skuCode) - (used.get(line.skuCode) ?? 0);
    const quantity = Math.min(line.quantity, Math.max(0, free));
    if (quantity > 0) allocation.lines.push({ lineId: line.lineId, quantity });
    if (quantity < line.quantity) left.push({ ...line, quantity: line.quantity - quantity });
    used.set(line.skuCode, (used.get(line.skuCode) ?? 0) + quantity);
  }
  return { allocation, left };
};
