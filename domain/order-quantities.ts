import type { LineQuantity, OrderLine, OrderState, Payment } from './order-model.ts';
import { sumMinor } from './money.ts';

/** Methods by which nothing has been paid yet; such an order is held for a person. */
export const isCashOnDelivery = (payment: Payment): boolean => payment.method === 'cod';

const received = (state: OrderState): Payment[] =>
  state.snapshot.payments.filter((payment) => !isCashOnDelivery(payment));

export const paidTotal = (state: OrderState): number => sumMinor(received(state).map((payment) => payment.amount));

/** Of a platform's order that nobody understands, nothing is known. */
export const isFullyPaid = (state: OrderState): boolean =>
  state.snapshot.unmapped === undefined && (state.mismatchAccepted || paidTotal(state) >= state.snapshot.payable);

const quantityOf = (entries: readonly LineQuantity[], lineId: string): number =>
  entries.reduce((sum, entry) => (entry.lineId === lineId ? sum + entry.quantity : sum), 0);

export const shippedUnits = (state: OrderState, lineId: string): number =>
  state.shipments.reduce((sum, shipment) => sum + quantityOf(shipment.lines, lineId), 0);

export const cancelledUnits = (state: OrderState, lineId: string): number =>
  state.cancellation ? quantityOf(state.cancellation.lines, lineId) : 0;

export const unitsOf = (lines: readonly Pick<LineQuantity, 'quantity'>[]): number =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0);

/** Units of each line that are still to be sent; lines without any are left out. */
export const remainingLines = (state: OrderState): LineQuantity[] =>
  state.snapshot.lines
    .map((line) => ({
      lineId: line.lineId,
      quantity: line.quantity - shippedUnits(state, line.lineId) - cancelledUnits(state, line.lineId),
    }))
    .filter((line) => line.quantity > 0);

/** Units allocated to a warehouse and not yet sent from there, per line. */
export const allocatedRest = (state: OrderState, warehouseId: string): LineQuantity[] =>
  state.snapshot.lines
    .map(({ lineId }) => {
      const allocated = state.reservation.allocations
        .filter((allocation) => allocation.warehouseId === warehouseId)
        .reduce((sum, allocation) => sum + quantityOf(allocation.lines, lineId), 0);
      const sent = state.shipments
        .filter((shipment) => shipment.warehouseId === warehouseId)
        .reduce((sum, shipment) => sum + quantityOf(shipment.lines, lineId), 0);
      return { lineId, quantity: allocated - sent };
    })
    .filter((line) => line.quantity > 0);

export const allocatedWarehouses = (state: OrderState): string[] => [
  ...new Set(state.reservation.allocations.map((allocation) => allocation.warehouseId)),
];

export const lineOf = (state: OrderState, lineId: string): OrderLine | undefined =>
  state.snapshot.lines.find((line) => line.lineId === lineId);

export interface SkuQuantity {
  skuCode: string;
  quantity: number;
}

/** Adds up lines by SKU: two lines may ask for the same goods. */
export const bySku = (state: OrderState, lines: readonly LineQuantity[]): SkuQuantity[] => {
  const sums = new Map<string, number>();
  for (const { lineId, quantity } of lines) {
    const skuCode = lineOf(state, lineId)?.skuCode;
    if (skuCode) sums.set(skuCode, (sums.get(skuCode) ?? 0) + quantity);
  }
  return [...sums].map(([skuCode, quantity]) => ({ skuCode, quantity }));
};

/** When the order counted as paid: the payment that completed the sum. Backorders queue by it. */
export const paidAtOf = (state: OrderState): string | null => {
  if (!isFullyPaid(state)) return null;
  const payments = received(state).sort((a, b) => Date.parse(a.paidAt) - Date.parse(b.paidAt));
  let sum = 0;
  for (const payment of payments) {
    sum += payment.amount;
    if (sum >= state.snapshot.payable) return payment.paidAt;
  }
  return state.snapshot.placedAt;
};

export interface StockLine extends SkuQuantity {
  warehouseId: string;
}

/** Units reserved for the order that have not been sent, by warehouse and SKU. */
export const reservedStock = (state: OrderState): StockLine[] =>
  allocatedWarehouses(state).flatMap((warehouseId) =>
    bySku(state, allocatedRest(state, warehouseId)).map((entry) => ({ warehouseId, ...entry })),
  );
