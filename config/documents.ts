import { z } from 'zod';
import 'zod-openapi';
import taobaoCouriers from './mappings/taobao-courier.json' with { type: 'json' };
import taobaoStatuses from './mappings/taobao-status.json' with { type: 'json' };
import timersDefault from './timers.json' with { type: 'json' };
import { durationMs, isDuration } from '../domain/duration.ts';
import { courierMappingSchema, statusMappingSchema } from './mapping-schemas.ts';
import type { StatusWord } from './mapping-schemas.ts';

export type { StatusWord } from './mapping-schemas.ts';

const YEAR_MS = 366 * 86_400_000;

const duration = (leastMs: number) =>
  z
    .string()
    .max(40)
    .refine((text) => isDuration(text) && durationMs(text) >= leastMs && durationMs(text) <= YEAR_MS, {
      error: `must be an ISO 8601 duration of weeks, days, hours, minutes and seconds, from PT${leastMs / 1000}S to P366D`,
    })
    .meta({ example: 'PT30M' });

const timersSchema = z
  .strictObject({
    paymentTimeout: duration(1000),
    approvalReturn: duration(1000),
    approvalUnshipped: duration(1000),
    approvalShipped: duration(1000),
    approvalCompensation: duration(1000),
    approvalReminder: duration(1000),
    callbackRetries: z.array(duration(1000)).min(1).max(10),
    autoComplete: duration(0),
    returnWindow: duration(0),
    returnShipping: duration(1000),
    heartbeat: duration(1000),
    syncLate: duration(1000),
  })
  .meta({ id: 'Timers', description: 'ISO 8601 durations' });

export type Timers = z.infer<typeof timersSchema>;

export interface ConfigDocument {
  /** Also the name under `/v1/config/`. */
  readonly name: string;
  readonly schema: z.ZodObject;
}

/** Every configuration document, one line each: routes, validation and OpenAPI follow from it. */
export const CONFIG_DOCUMENTS = {
  timers: { name: 'timers', schema: timersSchema },
  'status-mappings.taobao': { name: 'status-mappings.taobao', schema: statusMappingSchema },
  'status-mappings.tmall': { name: 'status-mappings.tmall', schema: statusMappingSchema },
  'courier-mappings.taobao': { name: 'courier-mappings.taobao', schema: courierMappingSchema },
  'courier-mappings.tmall': { name: 'courier-mappings.tmall', schema: courierMappingSchema },
} as const satisfies Record<string, ConfigDocument>;

export type ConfigName = keyof typeof CONFIG_DOCUMENTS;
export type ConfigContents = { [N in ConfigName]: z.infer<(typeof CONFIG_DOCUMENTS)[N]['schema']> };

/** Where the documents in force are read: `ConfigVersions` of models/, in any process. */
export interface ConfigReader {
  current<N extends ConfigName>(name: N): Promise<{ version: number; content: ConfigContents[N] }>;
}

const statuses = taobaoStatuses as Record<string, StatusWord>;

/** Version 1 of each, and what fills in for a field that an older stored version does not know yet. */
export const CONFIG_DEFAULTS: ConfigContents = {
  timers: timersDefault,
  'status-mappings.taobao': { statuses },
  'status-mappings.tmall': { statuses },
  'courier-mappings.taobao': { couriers: taobaoCouriers },
  'courier-mappings.tmall': { couriers: taobaoCouriers },
};
