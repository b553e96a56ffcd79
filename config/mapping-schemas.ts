import { z } from 'zod';
import 'zod-openapi';
import type { PlatformPhase } from '../domain/platform-order.ts';

const PHASES = [
  'unpaid',
  'deposit_paid',
  'paid',
  'partly_shipped',
  'shipped',
  'finished',
  'closed_unpaid',
  'closed_refunded',
  'unknown',
] as const satisfies readonly PlatformPhase[];

/** `paid:locked`: paid, but the platform forbids sending it for now. */
const STATUS_WORDS = [...PHASES, 'paid:locked'] as const;
export type StatusWord = (typeof STATUS_WORDS)[number];

const MOST_ROWS = 500;

/** A code of a platform or of ours; what begins with an underscore would be none, and could be a name of the language. */
const codeSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_:/-]{0,63}$/, 'must be 1 to 64 letters, digits or _:/-');

const rows = <V extends z.ZodType>(value: V) =>
  z
    .record(codeSchema, value)
    .refine((all) => Object.keys(all).length <= MOST_ROWS, { error: `must have at most ${MOST_ROWS} rows` });

export const statusMappingSchema = z
  .strictObject({
    statuses: rows(z.enum(STATUS_WORDS)).meta({
      description: "What each of the platform's statuses means; an order with any other is held with `unknown_status`",
    }),
  })
  .meta({ id: 'StatusMappings' });

export const courierMappingSchema = z
  .strictObject({
    couriers: rows(codeSchema).meta({ description: "The platform's code of each courier, by ours" }),
  })
  .meta({ id: 'CourierMappings' });
