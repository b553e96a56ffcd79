import { z } from 'zod';
import type { ChannelShop } from '../../adapters/channels/channel-port.ts';
import { shopEntity, type ShopRecord } from '../../models/shop-records.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute, type Reply, type Route, type RouteContext } from '../route.ts';
import { collectingOf } from '../shops/collecting.ts';
import { shopParams } from '../shops/shop-schemas.ts';
import { PUSH_RECEIVERS, type PushReceivers } from './push-receivers.ts';

const BODY_LIMIT_BYTES = 1024 * 1024;

type PushContext = Pick<RouteContext, 'req' | 'body'> & { params: { shopId: string }; query: Record<string, unknown> };

/** Where platforms push to. A message is only a hint, so one that is accepted brings the next poll forward. */
export const createPushRoutes = (deps: ApiDeps, receivers: PushReceivers = PUSH_RECEIVERS): Route[] => {
  const collecting = collectingOf(deps);

  const channelShopOf = ({ shopId, channel, currency, baseUrl, credentialsSealed }: ShopRecord): ChannelShop => ({
    shopId,
    channel,
    currency,
    baseUrl,
    credentials: deps.sealer.unseal<Record<string, string>>(credentialsSealed, shopEntity(shopId)),
  });

  const receive = async ({ params: { shopId }, query, body, req }: PushContext): Promise<Reply> => {
    const shop = await collecting.shops.byId(shopId);
    const receiver = shop ? receivers[shop.channel] : undefined;
    // One answer for both: nobody learns from outside which shops there are.
    if (!shop || !receiver) throw new Problem('not_found', { detail: 'Nothing is pushed to this address' });
    const answer = receiver(channelShopOf(shop), {
      method: req.method === 'POST' ? 'POST' : 'GET',
      query: query as Record<string, string>,
      headers: req.headers,
      body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    });
    if (answer.outcome === 'bad_signature')
      throw new Problem('unauthenticated', { detail: 'The signature does not fit the request' });
    if (answer.messages.length > 0) await collecting.hintReceived(shop);
    const { status, contentType, body: text } = answer.acknowledgement;
    return { status, body: text, headers: { 'Content-Type': contentType } };
  };

  const shared = {
    path: '/v1/push/{shopId}',
    tag: 'push',
    access: 'public',
    params: shopParams,
    query: z.looseObject({}),
    success: { status: 200, contentType: 'text/plain', description: "The platform's own acknowledgement" },
    problems: ['unauthenticated'],
    handler: (ctx: PushContext) => receive(ctx),
  } as const;

  return [
    defineRoute({
      ...shared,
      method: 'POST',
      operationId: 'receivePush',
      summary: "Take a platform's push, in its own format and signed its own way",
      raw: true,
      bodyLimitBytes: BODY_LIMIT_BYTES,
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      operationId: 'checkPushAddress',
      summary: "Answer a platform's test of the address",
    }),
  ];
};
