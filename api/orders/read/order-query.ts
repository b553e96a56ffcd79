import { z } from 'zod';
import { isOrderId } from '../../../domain/ids.ts';
import { bothOf } from '../../../models/filters.ts';
import type { Alternative, OrderQuery } from '../../../models/order-store.ts';
import type { Sealer } from '../../../runtime/sealing.ts';
import { scopeFilter } from '../../auth/scope.ts';
import type { RouteContext } from '../../route.ts';
import { idSchema, skuCodeSchema, textSchema, timeSchema, usernameSchema } from '../../schemas.ts';
import { CHANNELS, HOLD_CODES, ORDER_STATUSES } from './order-words.ts';

export const ORDER_SORTS = ['-placedAt', 'placedAt', '-updatedAt', 'updatedAt'] as const;

/** The filters of the list and of the export; any of them together. */
export const orderFilters = {
  status: z.enum(ORDER_STATUSES).optional(),
  shopId: idSchema.optional(),
  channel: z.enum(CHANNELS).optional(),
  hold: z.enum(HOLD_CODES).optional().meta({ description: 'A hold that stands' }),
  warehouseId: idSchema.optional(),
  skuCode: skuCodeSchema.optional(),
  assignee: usernameSchema.optional(),
  placedFrom: timeSchema.optional().meta({ description: 'Inclusive' }),
  placedTo: timeSchema.optional().meta({ description: 'Exclusive' }),
  q: textSchema(129).optional().meta({ description: 'A whole order id, waybill or phone number' }),
  sort: z.enum(ORDER_SORTS).default('-placedAt'),
} as const;

export type OrderFilters = z.output<z.ZodObject<typeof orderFilters>>;

/** What the caller asks for, within what they may see. */
export const orderQueryOf = (
  filters: OrderFilters,
  { ability, principal }: Pick<RouteContext, 'ability' | 'principal'>,
  { sealer, action }: { sealer: Pick<Sealer, 'blindIndexes'>; action: 'read' | 'export' },
): OrderQuery => {
  const { q, sort } = filters;
  const asked = askedFor(filters);
  const scope = scopeFilter(ability, action, 'Order');
  const query = {
    filter: bothOf(asked, scope),
    sort: {
      field: sort.replace('-', '') as 'placedAt' | 'updatedAt',
      direction: sort.startsWith('-') ? (-1 as const) : (1 as const),
    },
  };
  if (q === undefined) return query;
  const phones = isPhone(q) ? sealer.blindIndexes('phone', q) : [];
  const named: Alternative[] = [
    { filter: bothOf({ waybills: q }, query.filter), hint: 'waybill' },
    ...phones.map((phoneIndex) => ({ filter: bothOf({ phoneIndex }, query.filter), hint: 'phone' as const })),
  ];
  if (isOrderId(q)) {
    named.push({ filter: bothOf({ _id: q }, query.filter), hint: 'orderId' });
    // An agent takes an order by its id, so they find it before anybody has it.
    const untaken = { assignee: null, ...(principal.shopIds ? { shopId: { $in: [...principal.shopIds] } } : {}) };
    if (action === 'read' && principal.roles.includes('cs_agent'))
      named.push({ filter: bothOf(bothOf({ _id: q }, untaken), asked), hint: 'orderId' });
  }
  return { filter: {}, anyOf: named, sort: query.sort };
};

const askedFor = (filters: OrderFilters): Record<string, unknown> => {
  const { status, shopId, channel, hold, warehouseId, skuCode, assignee, placedFrom, placedTo } = filters;
  const placedAt = { ...(placedFrom && { $gte: placedFrom }), ...(placedTo && { $lt: placedTo }) };
  return {
    ...(shopId && { shopId }),
    ...(status && { status }),
    ...(channel && { channel }),
    ...(hold && { holdCodes: hold }),
    ...(warehouseId && { warehouseIds: warehouseId }),
    ...(skuCode && { skuCodes: skuCode }),
    ...(assignee && { assignee }),
    ...(Object.keys(placedAt).length > 0 && { placedAt }),
  };
};

/** Enough digits to be a whole number; less would be a search by part, which the index does not have. */
const isPhone = (text: string): boolean => /^\+?[\d\s()-]{5,32}$/.test(text) && text.replace(/\D/g, '').length >= 5;
