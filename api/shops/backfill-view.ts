import { z } from 'zod';
import type { BackfillRecord } from '../../models/backfills.ts';
import { idSchema, timestampSchema } from '../schemas.ts';

const count = z.int();

export const backfillSchema = z
  .object({
    backfillId: idSchema,
    from: timestampSchema,
    to: timestampSchema,
    state: z.enum(['running', 'paused', 'done', 'failed']),
    windowsDone: count,
    windowsTotal: count,
    seen: count.meta({ description: 'Orders as the platform listed them' }),
    created: count,
    changed: count,
    unchanged: count,
    failed: count.meta({ description: 'Orders that could not be understood; each is held with a case' }),
    lastError: z.string().optional(),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Backfill' });

export const backfillView = (record: BackfillRecord): z.input<typeof backfillSchema> => {
  const { state, windowsDone, windowsTotal, seen, created, changed, unchanged, failed, lastError } = record;
  return {
    backfillId: record._id,
    from: record.from.toISOString(),
    to: record.to.toISOString(),
    state,
    windowsDone,
    windowsTotal,
    seen,
    created,
    changed,
    unchanged,
    failed,
    ...(lastError === null ? {} : { lastError }),
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
  };
};
