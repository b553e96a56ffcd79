import { z } from 'zod';
import { shopEntity, type ShopRecord } from '../../models/shop-records.ts';
import { assertInScope, scopeFilter } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { orderServicesOf } from '../orders/order-services.ts';
import { assertRevision } from '../revisions.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  currencySchema,
  decodeCursor,
  idSchema,
  listQuery,
  pageSchema,
  problemOf,
  textSchema,
  timestampSchema,
  toPage,
} from '../schemas.ts';
import { assertCallableUrl } from '../urls.ts';
import { CHANNELS, CREDENTIALS } from './credentials.ts';

const pollingSchema = z.strictObject({
  enabled: z.boolean().default(true),
  everySec: z.number().int().min(10).max(86_400).default(300),
  overlapSec: z.number().int().min(0).max(86_400).default(120),
});
const NO_POLLING = { enabled: true, everySec: 300, overlapSec: 120 };

const bodySchema = z.strictObject({
  channel: z.enum(CHANNELS),
  name: textSchema(128),
  currency: currencySchema,
  baseUrl: z.string().max(2048).optional(),
  credentials: z
    .record(z.string(), z.unknown())
    .meta({ description: "The channel's own credentials; written, never read" }),
  polling: pollingSchema.optional(),
  paymentChannels: z.record(z.string().regex(/^[a-z_]{1,32}$/), idSchema).optional(),
});

const shopSchema = z
  .object({
    shopId: idSchema,
    channel: z.enum(CHANNELS),
    name: z.string(),
    currency: currencySchema,
    baseUrl: z.string().nullable(),
    credentialsSet: z.array(z.string()).meta({ description: 'Names of the credentials that have a value' }),
    polling: pollingSchema,
    paymentChannels: z.record(z.string(), z.string()),
    revision: z.number().int(),
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Shop' });

const shopView = (shop: ShopRecord) => ({
  shopId: shop.shopId,
  channel: shop.channel,
  name: shop.name,
  currency: shop.currency,
  baseUrl: shop.baseUrl,
  credentialsSet: shop.credentialsSet,
  polling: shop.polling,
  paymentChannels: shop.paymentChannels,
  revision: shop.revision,
  updatedAt: shop.updatedAt.toISOString(),
});

/** What the audit shows of a shop: everything but the secrets, and that they were set anew. */
const facets = ({ name, channel, currency, baseUrl, credentialsSet, polling, paymentChannels }: ShopRecord) => ({
  name,
  channel,
  currency,
  baseUrl,
  credentialsSet,
  polling,
  paymentChannels,
});

export const createShopRoutes = (deps: ApiDeps): Route[] => {
  const { shops, orders } = orderServicesOf(deps);
  return [
    defineRoute({
      method: 'PUT',
      path: '/v1/shops/{shopId}',
      operationId: 'putShop',
      tag: 'shops',
      summary: 'Create or replace a shop',
      description: 'Channel stays for ever, the currency once there are orders. Credentials are replaced as a whole.',
      access: { action: 'manage', subject: 'Shop' },
      params: z.strictObject({ shopId: idSchema }),
      body: bodySchema,
      success: { status: 200, schema: shopSchema, description: 'The shop, without its secrets' },
      handler: async (ctx) => {
        const { shopId } = ctx.params;
        const { channel, name, currency, credentials, polling, paymentChannels } = ctx.body;
        assertInScope(ctx.ability, 'manage', 'Shop', { shopId });
        const parsed = CREDENTIALS[channel].safeParse(credentials);
        if (!parsed.success) throw problemOf(prefixed(parsed.error, 'credentials'), 'body');
        const baseUrl =
          ctx.body.baseUrl === undefined
            ? null
            : await assertCallableUrl(ctx.body.baseUrl, 'baseUrl', {
                allowPrivate: deps.settings.allowPrivateUrls,
                originOnly: true,
              });
        const shop = await deps.audit.record(shopEntity(shopId), async (session) => {
          const known = await shops.byId(shopId, session);
          assertRevision(ctx.ifMatch, known?.revision ?? 0);
          if (known && known.channel !== channel)
            throw new Problem('conflict', {
              detail: `The shop is on ${known.channel}; a shop does not change its channel`,
            });
          if (known && known.currency !== currency && (await orders.hasOrderOf(shopId, session)))
            throw new Problem('conflict', { detail: `The shop has orders in ${known.currency}` });
          const now = new Date();
          const record: ShopRecord = {
            _id: shopId,
            shopId,
            channel,
            name,
            currency,
            baseUrl,
            credentialsSealed: deps.sealer.seal(parsed.data, shopEntity(shopId)),
            credentialsSet: Object.keys(parsed.data).sort(),
            polling: polling ?? known?.polling ?? NO_POLLING,
            paymentChannels: paymentChannels ?? {},
            revision: (known?.revision ?? 0) + 1,
            createdAt: known?.createdAt ?? now,
            updatedAt: now,
          };
          if (!(await shops.write(record, known?.revision ?? 0, session)))
            throw new Problem('conflict', { detail: 'The shop was changed at the same time' });
          const { actor, from } = ctx;
          const change = { before: known ? facets(known) : null, after: facets(record) };
          return {
            draft: { at: now, actor, from, action: known ? 'shop.changed' : 'shop.created', ...change },
            result: record,
          };
        });
        return { status: 200, body: shopView(shop), revision: shop.revision };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/shops/{shopId}',
      operationId: 'getShop',
      tag: 'shops',
      summary: 'Read a shop',
      access: { action: 'read', subject: 'Shop' },
      params: z.strictObject({ shopId: idSchema }),
      success: { status: 200, schema: shopSchema, description: 'The shop, without its secrets' },
      handler: async (ctx) => {
        const shop = await shops.byId(ctx.params.shopId);
        if (!shop) throw new Problem('not_found');
        assertInScope(ctx.ability, 'read', 'Shop', { shopId: shop.shopId });
        return { status: 200, body: shopView(shop), revision: shop.revision };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/shops',
      operationId: 'listShops',
      tag: 'shops',
      summary: 'List the shops by id',
      access: { action: 'read', subject: 'Shop' },
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(shopSchema), description: 'A page of shops' },
      handler: async (ctx) => {
        const { limit, cursor } = ctx.query;
        const [after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.string()]));
        const records = await shops.list({ scope: scopeFilter(ctx.ability, 'read', 'Shop'), after, limit: limit + 1 });
        return { status: 200, body: toPage(records, limit, shopView, ({ shopId }) => [shopId]) };
      },
    }),
  ];
};

const prefixed = (error: z.core.$ZodError, path: string): z.core.$ZodError =>
  new z.core.$ZodError(error.issues.map((issue) => ({ ...issue, path: [path, ...issue.path] })));
