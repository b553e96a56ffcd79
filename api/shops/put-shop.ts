import { isDeepStrictEqual } from 'node:util';
import type { OrderStore } from '../../models/order-store.ts';
import { shopEntity, type ShopRecord, type ShopStore } from '../../models/shop-records.ts';
import { isTokenDead, type ShopSyncStore } from '../../models/shop-sync-store.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { assertRevision } from '../revisions.ts';
import type { RouteContext } from '../route.ts';
import { assertCallableUrl } from '../urls.ts';
import type { ShopBody } from './shop-schemas.ts';

export interface PutShopParts {
  deps: Pick<ApiDeps, 'audit' | 'sealer' | 'settings'>;
  shops: ShopStore;
  orders: OrderStore;
  sync: ShopSyncStore;
}

export interface WrittenShop {
  shop: ShopRecord;
  /** The platform took no token of the shop any more; with the shop written again it is asked once more. */
  isTokenRevived: boolean;
}

/** Makes or replaces a shop; the same again changes nothing. Secrets are sealed for this shop alone. */
export const putShop =
  ({ deps: { audit, sealer, settings }, shops, orders, sync }: PutShopParts) =>
  async (
    shopId: string,
    body: ShopBody,
    ctx: Pick<RouteContext, 'actor' | 'from' | 'ifMatch'>,
  ): Promise<WrittenShop> => {
    const baseUrl =
      body.baseUrl === undefined
        ? null
        : await assertCallableUrl(body.baseUrl, 'baseUrl', {
            allowPrivate: settings.allowPrivateUrls,
            originOnly: true,
          });
    const sent = given(body.credentials);

    return audit.record(shopEntity(shopId), async (session) => {
      const before = await shops.byId(shopId, session);
      assertRevision(ctx.ifMatch, before?.revision ?? 0);
      if (before) await assertSameIdentity(before, body, () => orders.hasOrderOf(shopId, session));
      const known = opened(before?.credentialsSealed, shopEntity(shopId), sealer);
      const isDead = before !== null && isTokenDead(await sync.cursor(shopId, session), before.revision);
      // What was given before is no news: a token that the platform has renewed since stays, unless it is dead.
      const isSameAgain = before !== null && isDeepStrictEqual(sent, givenBefore(before, sealer));
      const credentials = isSameAgain && !isDead ? known : sent;
      const at = new Date();
      const next: ShopRecord = {
        _id: shopId,
        shopId,
        channel: body.channel,
        name: body.name,
        currency: body.currency,
        baseUrl,
        credentialsSealed: before?.credentialsSealed ?? '',
        ...(before?.credentialsGivenSealed === undefined
          ? {}
          : { credentialsGivenSealed: before.credentialsGivenSealed }),
        credentialsSet: Object.keys(credentials).toSorted(),
        polling: body.polling ?? { enabled: body.channel !== 'own', everySec: 300, overlapSec: 120 },
        paymentChannels: given(body.paymentChannels ?? {}),
        revision: (before?.revision ?? 0) + 1,
        createdAt: before?.createdAt ?? at,
        updatedAt: at,
      };
      const changedSecrets = [...new Set([...Object.keys(known), ...Object.keys(credentials)])].filter(
        (name) => known[name] !== credentials[name],
      );
      if (before && changedSecrets.length === 0 && isDeepStrictEqual(facets(before), facets(next)))
        return { draft: null, result: { shop: before, isTokenRevived: false } };
      if (!before || changedSecrets.length > 0) next.credentialsSealed = sealer.seal(credentials, shopEntity(shopId));
      if (!isSameAgain) next.credentialsGivenSealed = sealer.seal(sent, givenContext(shopId));
      if (!(await shops.write(next, before?.revision ?? 0, session))) throw lostRace();
      const isTokenRevived = await sync.reviveToken(shopId, session);
      return {
        draft: {
          at,
          actor: ctx.actor,
          from: ctx.from,
          action: before ? 'shop.changed' : 'shop.created',
          detail: changedSecrets.length > 0 ? { credentialsChanged: changedSecrets } : {},
          before: before && facets(before),
          after: facets(next),
        },
        result: { shop: next, isTokenRevived },
      };
    });
  };

/** What cannot be opened any more counts as absent: it is being replaced. */
const opened = (
  sealed: string | undefined,
  context: string,
  sealer: Pick<ApiDeps['sealer'], 'unseal'>,
): Record<string, string> => {
  if (sealed === undefined) return {};
  try {
    return sealer.unseal<Record<string, string>>(sealed, context);
  } catch {
    return {};
  }
};

const givenContext = (shopId: string): string => `${shopEntity(shopId)}/given`;

const givenBefore = (
  { shopId, credentialsSealed, credentialsGivenSealed }: ShopRecord,
  sealer: Pick<ApiDeps['sealer'], 'unseal'>,
): Record<string, string> =>
  credentialsGivenSealed === undefined
    ? opened(credentialsSealed, shopEntity(shopId), sealer)
    : opened(credentialsGivenSealed, givenContext(shopId), sealer);

const given = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Orders carry the shop's channel and currency: neither may change under them. */
const assertSameIdentity = async (
  before: ShopRecord,
  body: ShopBody,
  hasOrders: () => Promise<boolean>,
): Promise<void> => {
  if (before.channel !== body.channel)
    throw new Problem('conflict', { detail: `The shop is on ${before.channel}; make another one for ${body.channel}` });
  if (before.currency !== body.currency && (await hasOrders()))
    throw new Problem('conflict', { detail: `The shop has orders in ${before.currency}` });
};

/** What the audit shows; no secrets. */
const facets = ({ channel, name, currency, baseUrl, credentialsSet, polling, paymentChannels }: ShopRecord) => ({
  channel,
  name,
  currency,
  baseUrl,
  credentialsSet,
  polling: { enabled: polling.enabled, everySec: polling.everySec, overlapSec: polling.overlapSec },
  paymentChannels,
});

const lostRace = (): Problem =>
  new Problem('conflict', { detail: 'Somebody else changed the shop at this moment; read it again' });
