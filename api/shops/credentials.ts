import { z } from 'zod';
import { secretSchema } from '../secrets.ts';
import type { Channel } from '../../domain/order-model.ts';

const taobao = z.strictObject({
  appKey: secretSchema,
  appSecret: secretSchema,
  sessionKey: secretSchema,
  refreshToken: secretSchema.optional(),
  groupName: secretSchema.optional(),
  signMethod: z.enum(['md5', 'hmac', 'hmac-sha256']).optional(),
});

/** What each channel's calls are signed with; written, never read. */
export const CREDENTIALS = {
  taobao,
  tmall: taobao,
  jd: z.strictObject({
    appKey: secretSchema,
    appSecret: secretSchema,
    accessToken: secretSchema,
    refreshToken: secretSchema.optional(),
  }),
  pinduoduo: z.strictObject({
    clientId: secretSchema,
    clientSecret: secretSchema,
    accessToken: secretSchema,
    refreshToken: secretSchema.optional(),
  }),
  douyin: z.strictObject({
    appKey: secretSchema,
    appSecret: secretSchema,
    accessToken: secretSchema,
    refreshToken: secretSchema.optional(),
    platformShopId: secretSchema,
  }),
  kuaishou: z.strictObject({
    appKey: secretSchema,
    appSecret: secretSchema,
    signSecret: secretSchema,
    messageSecret: secretSchema,
    accessToken: secretSchema,
    refreshToken: secretSchema.optional(),
  }),
  youzan: z.strictObject({
    clientId: secretSchema,
    clientSecret: secretSchema,
    kdtId: secretSchema,
    accessToken: secretSchema.optional(),
  }),
  wechat: z.strictObject({
    appId: secretSchema,
    appSecret: secretSchema,
    token: secretSchema,
    encodingAesKey: secretSchema,
  }),
  own: z.strictObject({ webhookSecret: secretSchema.optional() }),
} as const satisfies Record<Channel, z.ZodType>;

export const CHANNELS = Object.keys(CREDENTIALS) as [Channel, ...Channel[]];
