import { z } from 'zod';
import { FAULT_KINDS } from './faults.ts';

const fen = z.int().nonnegative();
const time = z.iso.datetime({ offset: true });
const raw = z.record(z.string(), z.unknown());

const receiverSchema = z
  .strictObject({
    name: z.string(),
    mobile: z.string(),
    state: z.string(),
    city: z.string(),
    district: z.string(),
    address: z.string(),
  })
  .partial();

const lineSchema = z
  .strictObject({
    numIid: z.string().regex(/^\d+$/),
    skuId: z.string().nullable(),
    outerIid: z.string().nullable(),
    outerSkuId: z.string().nullable(),
    title: z.string(),
    num: z.int().positive(),
    price: fen,
    discount: fen,
    refundStatus: z.string(),
    raw,
  })
  .partial();

export const tradeSchema = z
  .strictObject({
    seller: z.string(),
    tid: z.string().regex(/^[1-9]\d{0,18}$/),
    type: z.enum(['fixed', 'step', 'cod']),
    status: z.string().min(1),
    stepStatus: z.enum(['FRONT_NOPAID_FINAL_NOPAID', 'FRONT_PAID_FINAL_NOPAID', 'FRONT_PAID_FINAL_PAID']),
    created: time,
    modified: time,
    payTime: time,
    buyer: z.strictObject({ nick: z.string(), openUid: z.string() }).partial(),
    receiver: receiverSchema,
    postFee: fen,
    discount: fen,
    payment: fen,
    deposit: fen,
    buyerMessage: z.string(),
    neverPays: z.boolean(),
    isLeftAlone: z.boolean(),
    lines: z.array(lineSchema).min(1).max(50),
    raw,
  })
  .partial();

export const bulkSchema = tradeSchema.extend({
  count: z.int().positive().max(200_000),
  spread: z.strictObject({ from: time, to: time }).optional(),
});

export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  method: z.string().optional(),
  times: z.int().positive().optional(),
  rate: z.number().min(0).max(1).optional(),
  seconds: z.number().positive().optional(),
  ms: z.number().nonnegative().optional(),
});

export const movementSchema = z.strictObject({
  count: z.int().positive(),
  everyMs: z.int().positive().optional(),
  isPerPage: z.boolean().optional(),
});

export const touchSchema = z.strictObject({
  count: z.int().positive().default(1),
  tids: z.array(z.string()).optional(),
});
export const rawSchema = z.strictObject({ raw: raw.default({}) });
export const statusSchema = z.strictObject({ status: z.string().min(1) });
export const refundSchema = z.strictObject({ status: z.string().min(1).default('SUCCESS') });
export const lineRefundSchema = z.strictObject({ oid: z.string(), status: z.string().min(1).default('SUCCESS') });
export const addressSchema = z.strictObject({ receiver: receiverSchema.default({}) });
export const nothingSchema = z.strictObject({});
