import { z } from 'zod';
import type { MovementRecord, StockRecord } from '../../models/stock-records.ts';
import { idSchema, quantitySchema, skuCodeSchema, textSchema, timestampSchema } from '../schemas.ts';

const units = z.int();

export const stockSchema = z
  .object({
    warehouseId: idSchema,
    skuCode: z.string(),
    onHand: units,
    reserved: units,
    available: units.meta({ description: 'onHand − reserved' }),
    awaitingQc: units,
    damaged: units,
  })
  .meta({ id: 'Stock' });

export const stockView = ({ warehouseId, skuCode, onHand, reserved, awaitingQc, damaged }: StockRecord) => ({
  warehouseId,
  skuCode,
  onHand,
  reserved,
  available: onHand - reserved,
  awaitingQc,
  damaged,
});

export const movementSchema = z
  .object({
    movementId: z.string(),
    at: timestampSchema,
    kind: z.enum(['receipt', 'adjustment', 'reserve', 'release', 'ship']),
    warehouseId: idSchema,
    skuCode: z.string(),
    onHand: units.meta({ description: 'What the movement added; negative takes away' }),
    reserved: units,
    awaitingQc: units,
    damaged: units,
    orderId: z.string().nullable(),
    actor: z.object({ kind: z.string(), id: z.string() }),
    reason: z.string().nullable(),
  })
  .meta({ id: 'StockMovement' });

/** Whose order it was is not shown to who may not know of the order; `movementId` is then made unreadable by the caller. */
export const movementView = (
  movement: MovementRecord,
  { isOrderShown, hiddenId }: { isOrderShown: boolean; hiddenId: (movementId: string) => string },
) => ({
  movementId: isOrderShown ? movement._id : hiddenId(movement._id),
  at: movement.at.toISOString(),
  kind: movement.kind,
  warehouseId: movement.warehouseId,
  skuCode: movement.skuCode,
  onHand: movement.onHand,
  reserved: movement.reserved,
  awaitingQc: movement.awaitingQc,
  damaged: movement.damaged,
  orderId: isOrderShown ? movement.orderId : null,
  actor: { kind: movement.actor.kind, id: movement.actor.id },
  reason: movement.reason,
});

export const changedSchema = z.object({
  items: z.array(stockSchema).meta({ description: 'The counters after the change' }),
});

const linesSchema = (quantity: z.ZodType<number>) =>
  z
    .array(z.strictObject({ skuCode: skuCodeSchema, quantity }))
    .min(1, 'must name at least one SKU')
    .max(500, 'must be at most 500 lines')
    .superRefine((lines, ctx) => {
      const seen = new Set<string>();
      lines.forEach(({ skuCode }, index) => {
        if (seen.has(skuCode)) ctx.addIssue({ code: 'custom', path: [index, 'skuCode'], message: 'is there twice' });
        seen.add(skuCode);
      });
    });

export const receiptSchema = z.strictObject({ warehouseId: idSchema, lines: linesSchema(quantitySchema) });

const signedQuantitySchema = z
  .number({ error: 'must be a whole number' })
  .int('must be a whole number')
  .min(-1_000_000, 'must be at least -1000000')
  .max(1_000_000, 'must be at most 1000000')
  .refine((quantity) => quantity !== 0, 'must not be 0')
  .meta({ description: 'Signed: what is added to or taken from the goods on hand' });

export const adjustmentSchema = z
  .strictObject({
    warehouseId: idSchema,
    skuCode: skuCodeSchema.optional(),
    quantity: signedQuantitySchema.optional(),
    lines: linesSchema(signedQuantitySchema).optional().meta({ description: 'In place of `skuCode` and `quantity`' }),
    reason: textSchema(500),
  })
  .superRefine(({ skuCode, quantity, lines }, ctx) => {
    const refuse = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message });
    if (lines !== undefined) {
      if (skuCode !== undefined) refuse('skuCode', 'is not for a body with lines');
      if (quantity !== undefined) refuse('quantity', 'is not for a body with lines');
    } else {
      if (skuCode === undefined) refuse('skuCode', 'is needed');
      if (quantity === undefined) refuse('quantity', 'is needed');
    }
  });

/** One SKU in the body itself is a line like any other. */
export const adjustedLines = ({ skuCode, quantity, lines }: z.output<typeof adjustmentSchema>) =>
  lines ?? (skuCode !== undefined && quantity !== undefined ? [{ skuCode, quantity }] : []);
