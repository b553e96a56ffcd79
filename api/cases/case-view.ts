import { z } from 'zod';
import { decide } from '../../domain/order-decide.ts';
import type { OrderState } from '../../domain/order-model.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';
import type { CaseRecord } from '../../models/case-records.ts';
import { idSchema, timestampSchema } from '../schemas.ts';
import { CASE_ACTIONS, CASE_CODES, nextStepsOf } from './case-next-steps.ts';

export const caseSchema = z
  .object({
    caseId: z.string().meta({ example: 'own1.W1001.unknown_sku.1' }),
    code: z.enum(CASE_CODES),
    state: z.enum(['open', 'resolved']),
    orderId: z.string().nullable(),
    shopId: idSchema.nullable(),
    detail: z.string(),
    openedAt: timestampSchema,
    resolvedAt: timestampSchema.nullable(),
    resolvedBy: z.string().nullable(),
    note: z.string().nullable(),
    nextSteps: z.array(
      z.object({
        code: z.string(),
        words: z.string(),
        action: z.enum(CASE_ACTIONS).optional().meta({ description: 'To be sent as `action` of resolve' }),
      }),
    ),
    revision: z.number().int(),
  })
  .meta({ id: 'Case' });

/** `final`: state of the case's order when its workflow has ended. */
export const caseView = (record: CaseRecord, final: OrderState | null, timers: OrderTimers) => ({
  caseId: record._id,
  code: record.code,
  state: record.state,
  orderId: record.orderId,
  shopId: record.shopId,
  detail: record.detail,
  openedAt: record.openedAt.toISOString(),
  resolvedAt: record.resolvedAt?.toISOString() ?? null,
  resolvedBy: record.resolvedBy,
  note: record.note,
  nextSteps: record.state === 'open' ? nextStepsOf(record.code, isReinstatable(final, timers)) : [],
  revision: record.revision,
});

const isReinstatable = (final: OrderState | null, timers: OrderTimers): boolean =>
  final !== null && decide(final, { type: 'reinstated' }, { now: new Date().toISOString(), timers }).kind === 'step';
