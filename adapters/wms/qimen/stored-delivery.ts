import type { DeliveryOrderLine } from '../wms-port.ts';
import { FieldRefused, childOf, listOf, textOf, wholeOf, type Fields } from './fields.ts';

/** A delivery as a warehouse's system has it. */
export interface StoredDelivery {
  code: string;
  status: string;
  /** By SKU; empty where the system does not say. */
  units: ReadonlyMap<string, number>;
}

/** Of the answer to `deliveryorder.query`; undefined when it cannot be read. */
export const readStoredDelivery = (response: Fields): StoredDelivery | undefined => {
  try {
    const head = childOf(response, 'deliveryOrder');
    const lines = listOf(response, 'orderLines', 'orderLine');
    const total = wholeOf(response, 'totalLines') ?? lines.length;
    const planned = lines.flatMap((line) => {
      const quantity = wholeOf(line, 'planQty');
      return quantity === undefined ? [] : [{ skuCode: textOf(line, 'itemCode'), quantity }];
    });
    return {
      code: textOf(head, 'deliveryOrderCode'),
      status: textOf(head, 'status').toUpperCase(),
      // More lines than one page has are not compared.
      units: total > lines.length ? new Map() : unitsOf(planned),
    };
  } catch (error) {
    if (error instanceof FieldRefused) return undefined;
    throw error;
  }
};

/** Codes are never used twice, so that goods are compared only where the system tells them. */
export const sameGoods = ({ units }: StoredDelivery, lines: readonly DeliveryOrderLine[]): boolean => {
  if (units.size === 0) return true;
  const ours = unitsOf(lines);
  return ours.size === units.size && [...ours].every(([skuCode, quantity]) => units.get(skuCode) === quantity);
};

const unitsOf = (lines: readonly Pick<DeliveryOrderLine, 'skuCode' | 'quantity'>[]): Map<string, number> => {
  const units = new Map<string, number>();
  for (const { skuCode, quantity } of lines) units.set(skuCode, (units.get(skuCode) ?? 0) + quantity);
  return units;
};
