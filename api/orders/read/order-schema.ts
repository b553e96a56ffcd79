import { z } from 'zod';
import type { OrderAction } from '../../../domain/order-actions.ts';
import { ACTION_OF } from '../../../domain/order-actions.ts';
import { moneySchema, timestampSchema } from '../../schemas.ts';
import { CHANNELS, FULFILMENT_STATUSES, HOLD_CODES, ORDER_STATUSES, PAYMENT_STATUSES } from './order-words.ts';

const ORDER_ACTIONS = Object.values(ACTION_OF) as [OrderAction, ...OrderAction[]];

const count = z.int().min(0);
const lineQuantities = z.array(z.object({ lineId: z.string(), quantity: z.int().min(1) }));
const maybeTime = timestampSchema.nullable();

const holdSchema = z.object({
  code: z.enum(HOLD_CODES),
  since: timestampSchema,
  detail: z.string(),
  until: timestampSchema.optional(),
});

const totalsSchema = z.object({
  goods: moneySchema,
  discount: moneySchema,
  freight: moneySchema,
  payable: moneySchema,
  paid: moneySchema,
  refunded: moneySchema,
  refundable: moneySchema,
});

const lineSchema = z.object({
  lineId: z.string(),
  skuCode: z.string().nullable(),
  title: z.string(),
  quantity: z.int().min(1),
  unitPrice: moneySchema,
  paidShare: moneySchema,
  unitPaidShares: z.array(moneySchema).meta({ description: 'Of each unit; adds up to paidShare' }),
  shipped: count,
  cancelled: count,
  refunded: count,
  category: z.string().optional(),
});

const paymentSchema = z.object({
  paymentId: z.string(),
  method: z.string(),
  amount: moneySchema,
  paidAt: timestampSchema,
  transactionId: z.string().optional(),
  settlement: z.object({ currency: z.string(), amount: moneySchema }).optional(),
});

const shipmentSchema = z.object({
  shipmentId: z.string(),
  warehouseId: z.string(),
  courier: z.string(),
  trackingNo: z.string(),
  status: z.enum(['shipped', 'delivered']),
  lines: lineQuantities,
  shippedAt: timestampSchema,
  deliveredAt: timestampSchema.optional(),
});

const receiverSchema = z
  .object({
    name: z.string().meta({ example: '张*' }),
    phone: z.string().meta({ example: '138****8000' }),
    province: z.string(),
    city: z.string(),
    district: z.string(),
    address: z.string().meta({ description: 'To the district only' }),
    pickupStation: z.boolean(),
  })
  .meta({ id: 'MaskedReceiver' });

/** The view of an order, as `orderAnswer` makes it. */
export const orderSchema = z
  .object({
    orderId: z.string(),
    shopId: z.string(),
    channel: z.enum(CHANNELS),
    platformOrderId: z.string(),
    type: z.enum(['normal', 'presale', 'custom']),
    status: z.enum(ORDER_STATUSES),
    paymentStatus: z.enum(PAYMENT_STATUSES),
    fulfilmentStatus: z.enum(FULFILMENT_STATUSES),
    afterSaleStatus: z.enum(['none', 'open', 'closed']),
    holds: z.array(holdSchema),
    currency: z.string(),
    totals: totalsSchema,
    lines: z.array(lineSchema),
    payments: z.array(paymentSchema),
    allocations: z.array(z.object({ warehouseId: z.string(), courier: z.string().nullable(), lines: lineQuantities })),
    shipments: z.array(shipmentSchema),
    receiver: receiverSchema,
    assignee: z.string().nullable(),
    parcelGroup: z.object({ groupId: z.string(), orderIds: z.array(z.string()) }).nullable(),
    allowedActions: z
      .array(z.enum(ORDER_ACTIONS))
      .meta({ description: 'What may be asked of the order now, by whoever has the right to' }),
    workflowId: z.string(),
    revision: z.int().min(0),
    placedAt: timestampSchema,
    paidAt: maybeTime,
    deliveredAt: maybeTime,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Order' });
