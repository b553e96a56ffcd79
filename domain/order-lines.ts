import type { OrderLine } from './order-model.ts';

/** A line as it was ordered. */
export interface OrderedLine extends Omit<OrderLine, 'skuCode' | 'platformSku' | 'category'> {
  platformSku?: string | undefined;
  /** Our SKU as the seller has written it beside the goods. */
  merchantCode?: string | undefined;
  category?: string | undefined;
}

/** The mapping goes before the merchant's own code; with neither, people need a name by which to map this one line. */
export const orderLineOf = (
  line: OrderedLine,
  platformOrderId: string,
  skuCodes: ReadonlyMap<string, string>,
): OrderLine => {
  const { lineId, merchantCode, platformSku, title, quantity, unitPrice, discount, category } = line;
  const mapped = platformSku === undefined ? undefined : skuCodes.get(platformSku);
  const known = mapped ?? merchantCode ?? null;
  const name = platformSku ?? (known === null ? `${platformOrderId}:${lineId}` : undefined);
  return {
    lineId,
    skuCode: known,
    ...(name === undefined ? {} : { platformSku: name }),
    title,
    quantity,
    unitPrice,
    discount,
    ...(category === undefined ? {} : { category }),
  };
};
