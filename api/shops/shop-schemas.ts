import { z } from 'zod';
import type { Channel } from '../../domain/order-model.ts';
import { currencySchema, idSchema, textSchema, timestampSchema } from '../schemas.ts';
import { CHANNELS, CREDENTIALS } from './credentials.ts';

const pollingSchema = z.strictObject({
  enabled: z.boolean(),
  everySec: z.int().min(10).max(86_400).default(300),
  overlapSec: z.int().min(0).max(86_400).default(120),
});

const paymentChannelsSchema = z.strictObject({
  alipay: idSchema.optional(),
  wechatpay: idSchema.optional(),
  bank: idSchema.optional(),
});

const shopOf = <C extends Channel>(channel: C) =>
  z.strictObject({
    channel: z.literal(channel),
    name: textSchema(128),
    currency: currencySchema,
    baseUrl: z
      .string()
      .max(2048)
      .optional()
      .meta({ description: "Origin in place of the platform's own", example: 'https://api.example.com' }),
    credentials: CREDENTIALS[channel],
    polling: pollingSchema.optional(),
    paymentChannels: paymentChannelsSchema.optional(),
  });

export const shopBodySchema = z.discriminatedUnion('channel', [
  shopOf('taobao'),
  shopOf('tmall'),
  shopOf('jd'),
  shopOf('pinduoduo'),
  shopOf('douyin'),
  shopOf('kuaishou'),
  shopOf('youzan'),
  shopOf('wechat'),
  shopOf('own'),
]);

export type ShopBody = z.output<typeof shopBodySchema>;

export const shopParams = z.strictObject({ shopId: idSchema });

export const shopSchema = z
  .object({
    shopId: idSchema,
    channel: z.enum(CHANNELS),
    name: z.string(),
    currency: z.string(),
    baseUrl: z.string().nullable(),
    credentialsSet: z.array(z.string()).meta({ description: 'Names of the credentials that have a value' }),
    polling: z.object({ enabled: z.boolean(), everySec: z.int(), overlapSec: z.int() }),
    paymentChannels: z.record(z.string(), z.string()),
    revision: z.int(),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Shop' });
