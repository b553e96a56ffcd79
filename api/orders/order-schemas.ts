import { z } from 'zod';
import { SETTABLE_HOLDS } from '../../domain/order-holds.ts';
import type { HoldCode } from '../../domain/order-model.ts';
import {
  currencySchema,
  idSchema,
  moneySchema,
  noteSchema,
  orderIdSchema,
  positiveMoneySchema,
  skuCodeSchema,
  textSchema,
  timeSchema,
  usernameSchema,
} from '../schemas.ts';

/** An order shows the paid share of every unit, so units are bounded. */
export const MOST_UNITS = 10_000;
export const MOST_PAYMENTS = 200;

const HOLD_CODES = [
  'platform_hold',
  'risk_review',
  'phone_confirmation',
  'unknown_sku',
  'address_incomplete',
  'manual',
  'refund_open',
  'overpaid',
  'amount_mismatch',
  'unknown_status',
] as const satisfies readonly HoldCode[];

const unitsSchema = z
  .number({ error: 'must be a whole number' })
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(MOST_UNITS, `must be at most ${MOST_UNITS}`);

/** Refuses a repeated key by the path of its second place. */
const uniqueBy = <T extends object>(key: keyof T & string) =>
  z.superRefine<readonly T[]>((items, ctx) => {
    const seen = new Set<unknown>();
    items.forEach((item, index) => {
      if (seen.has(item[key])) ctx.addIssue({ code: 'custom', path: [index, key], message: 'is there twice' });
      seen.add(item[key]);
    });
  });

const PHONE = /^\+?\d[\d ()*,#转-]{3,31}$/u;

/** Name, phone and address may be left out or blank: the order is then held until they are known. */
export const receiverSchema = z
  .strictObject({
    name: textSchema(100, 0).default(''),
    phone: textSchema(33, 0)
      .refine((text) => text === '' || PHONE.test(text), 'must be a phone number')
      .default(''),
    province: textSchema(50, 0).default(''),
    city: textSchema(50, 0).default(''),
    district: textSchema(50, 0).default(''),
    address: textSchema(300, 0).default(''),
    pickupStation: z.boolean().default(false),
  })
  .meta({ id: 'NewReceiver' });

export const paymentSchema = z
  .strictObject({
    paymentId: idSchema,
    method: z
      .string()
      .regex(/^[a-z_]{1,32}$/, 'must match [a-z_]{1,32}')
      .meta({ example: 'alipay' }),
    transactionId: textSchema(128).optional(),
    amount: positiveMoneySchema,
    currency: currencySchema.optional().meta({ description: "When given, must be the order's" }),
    paidAt: timeSchema,
    settlement: z.strictObject({ currency: currencySchema, amount: positiveMoneySchema }).optional(),
    account: z
      .strictObject({ name: textSchema(100), number: textSchema(64), bank: textSchema(100) })
      .optional()
      .meta({ description: 'Where a bank refund goes; stored sealed, never shown' }),
  })
  .meta({ id: 'NewPayment' });

const lineSchema = z.strictObject({
  lineId: idSchema,
  skuCode: skuCodeSchema.optional().meta({ description: 'Without a mapping of `platformSku`, this is the SKU' }),
  platformSku: textSchema(128).optional().meta({ description: "The platform's own name for the goods" }),
  title: textSchema(200),
  quantity: unitsSchema,
  unitPrice: moneySchema,
  discount: moneySchema.default(0).meta({ description: 'Of the whole line' }),
  category: textSchema(64).optional(),
});

export const newOrderSchema = z
  .strictObject({
    shopId: idSchema,
    platformOrderId: idSchema.meta({ example: 'W1001' }),
    type: z.enum(['normal', 'presale', 'custom']).default('normal'),
    placedAt: timeSchema,
    currency: currencySchema,
    buyer: z.strictObject({ id: idSchema, firstOrder: z.boolean().default(false) }),
    receiver: receiverSchema,
    lines: z.array(lineSchema).min(1, 'must have a line').max(200).check(uniqueBy('lineId')),
    orderDiscount: moneySchema.default(0),
    freight: moneySchema.default(0),
    payable: moneySchema.optional(),
    presale: z
      .strictObject({ deposit: positiveMoneySchema, balanceDueAt: timeSchema, promisedShipAt: timeSchema })
      .optional(),
    payments: z.array(paymentSchema).max(50).check(uniqueBy('paymentId')).default([]),
  })
  .superRefine(({ type, presale }, ctx) => {
    if (type === 'presale' && !presale)
      ctx.addIssue({ code: 'custom', path: ['presale'], message: 'is needed by a presale' });
    if (type !== 'presale' && presale)
      ctx.addIssue({ code: 'custom', path: ['presale'], message: 'is for a presale only' });
  })
  .meta({ id: 'NewOrder' });

export type NewOrder = z.output<typeof newOrderSchema>;
export type NewPayment = z.output<typeof paymentSchema>;

const quantitiesSchema = z
  .array(z.strictObject({ lineId: idSchema, quantity: unitsSchema }))
  .min(1, 'must have a line')
  .max(200)
  .check(uniqueBy('lineId'));

export const cancelSchema = z.strictObject({ reason: noteSchema(500) });

export const holdSchema = z.strictObject({
  code: z
    .enum(HOLD_CODES)
    .meta({ description: `People set ${SETTABLE_HOLDS.join(', ')}; the others come with their cause` }),
  detail: noteSchema(500),
  until: timeSchema.optional(),
});

export const releaseSchema = z.strictObject({ code: z.enum(HOLD_CODES) });

export const addressSchema = z.strictObject({ receiver: receiverSchema });

export const phoneConfirmationSchema = z.strictObject({
  outcome: z.enum(['confirmed', 'refused']),
  note: noteSchema(1000, 0),
});

export const assignSchema = z.strictObject({ username: usernameSchema });

export const shipmentSchema = z.strictObject({
  warehouseId: idSchema,
  courier: textSchema(64),
  trackingNo: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 letters, digits, - or _')
    .meta({ example: 'SF1234567890' }),
  lines: quantitiesSchema,
});

export const deliverySchema = z.strictObject({ shipmentId: idSchema, deliveredAt: timeSchema.optional() });

export const splitSchema = z.strictObject({
  groups: z
    .array(z.strictObject({ warehouseId: idSchema.optional(), lines: quantitiesSchema }))
    .min(1, 'must have a group')
    .max(50),
});

export const allocateSchema = z.strictObject({ warehouseId: idSchema });

export const mergeSchema = z.strictObject({
  orderIds: z
    .array(orderIdSchema)
    .min(2, 'must have at least two orders')
    .max(20)
    .refine((ids) => new Set(ids).size === ids.length, 'must name each order once'),
});
