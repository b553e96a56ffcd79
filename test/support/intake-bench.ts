import type { Connection } from 'mongoose';
import { EndedOrderBook } from '../../activities/intake/ended-orders.ts';
import { OrderCollector } from '../../activities/intake/order-collector.ts';
import { ShopPolls } from '../../activities/intake/poll-shop.ts';
import type { ChannelSettings, CredentialBox, IntakeLog } from '../../activities/intake/ports.ts';
import { ShopSessions } from '../../activities/intake/shop-sessions.ts';
import { CAPABILITIES } from '../../adapters/channels/capabilities.ts';
import { chainEntry } from '../../models/audit-log.ts';
import { BackfillStore } from '../../models/backfills.ts';
import { CaseStore } from '../../models/case-store.ts';
import { CollectedOrderStore } from '../../models/collected-orders.ts';
import { InboxStore, inboxCollection } from '../../models/inbox.ts';
import { IntakeStore } from '../../models/intake-store.ts';
import { OrderWatch } from '../../models/order-watch.ts';
import { orderCollection } from '../../models/order-records.ts';
import { ShopCursorStore } from '../../models/shop-cursor-store.ts';
import { ShopStore, shopCollection } from '../../models/shop-records.ts';
import { ShopTokenStore } from '../../models/shop-tokens.ts';
import { SkuMappingStore } from '../../models/sku-mapping-records.ts';
import { StepCommitter } from '../../models/step-committer.ts';
import type { Keyring } from '../../runtime/keyring.ts';
import { Sealer } from '../../runtime/sealing.ts';
import type { FakePlatform } from './fake-channel.ts';
import { TIMERS } from './stored-orders.ts';

/** Registers what collecting stores. */
export const registerIntake = (connection: Connection): void => {
  void new StepCommitter(connection, { onFilled: () => {} });
  void [new InboxStore(connection), new CaseStore(connection), new SkuMappingStore(connection)];
  void [new ShopStore(connection), new ShopCursorStore(connection), new BackfillStore(connection)];
};

/** Everything that collects and distributes, over a real database and a platform in memory. */
export const intakeBench = (
  connection: Connection,
  platform: FakePlatform,
  keyring: Keyring,
  sealer: Pick<Sealer, 'seal' | 'unseal' | 'blindIndex' | 'blindIndexes'> = new Sealer(keyring),
) => {
  const logged: { level: 'info' | 'warn' | 'error'; message: string }[] = [];
  const note = (level: 'info' | 'warn' | 'error') => (message: string) => void logged.push({ level, message });
  const log: IntakeLog = { info: note('info'), warn: note('warn'), error: note('error') };
  const alerts: string[] = [];
  const metrics = { orderReceived: () => {}, shopAlert: (channel: string) => void alerts.push(channel) };
  const clock = { offsetMs: 0 };
  const now = () => new Date(Date.now() + clock.offsetMs);
  const settings: ChannelSettings = {
    capabilitiesOf: (channel) => CAPABILITIES[channel],
    statusMappingOf: async () => ({}),
    courierCodeOf: async (_channel, courier) => ({ sf: 'SF' })[courier],
    failingAlertMs: async () => 180_000,
  };
  const credentials: CredentialBox = {
    open: ({ shopId, credentialsSealed }) => sealer.unseal(credentialsSealed, `shop/${shopId}`),
    seal: (shopId, values) => ({
      credentialsSealed: sealer.seal(values, `shop/${shopId}`),
      credentialsSet: Object.keys(values),
    }),
  };
  const cursors = new ShopCursorStore(connection);
  const orders = new CollectedOrderStore(connection);
  const committer = new StepCommitter(connection, { onFilled: () => {} });
  const newSessions = () =>
    new ShopSessions({
      shops: new ShopStore(connection),
      tokens: new ShopTokenStore(connection),
      cursors,
      cases: new CaseStore(connection),
      credentials,
      settings,
      createClient: platform.createClient,
      log,
      now,
    });
  const sessions = newSessions();
  const collector = new OrderCollector({
    inbox: new InboxStore(connection),
    orders,
    mappings: new SkuMappingStore(connection),
    sealer,
    metrics,
    log,
    now,
    inboxTtlMs: 30 * 86_400_000,
  });
  const timers = async () => TIMERS;
  const intake = new IntakeStore(connection);
  return {
    sealer,
    logged,
    alerts,
    clock,
    settings,
    cursors,
    orders,
    sessions,
    newSessions,
    collector,
    committer,
    log,
    watch: new OrderWatch((orderId) => intake.revision(orderId)),
    ended: new EndedOrderBook({ orders, committer, chainEntry, timers, now }),
    polls: new ShopPolls({ sessions, cursors, settings, metrics, log, now }),
    record: (orderId: string) => orderCollection(connection).findOne({ _id: orderId }),
    inbox: () => inboxCollection(connection).find({}).toArray(),
    async addShop(shopId: string, secrets: Record<string, string> = { sessionKey: 'token-1', refreshToken: 'r1' }) {
      const at = new Date();
      await shopCollection(connection).insertOne({
        _id: shopId,
        shopId,
        channel: 'taobao',
        name: shopId,
        currency: 'CNY',
        baseUrl: null,
        ...credentials.seal(shopId, secrets),
        polling: { enabled: true, everySec: 300, overlapSec: 120 },
        paymentChannels: {},
        revision: 1,
        createdAt: at,
        updatedAt: at,
      });
    },
    async secretsOf(shopId: string) {
      const shop = await shopCollection(connection).findOne({ _id: shopId });
      return shop && credentials.open(shop);
    },
    /** As somebody who writes the shop with other credentials. */
    async changeSecrets(shopId: string, secrets: Record<string, string>) {
      await shopCollection(connection).updateOne(
        { _id: shopId },
        { $set: credentials.seal(shopId, secrets), $inc: { revision: 1 } },
      );
    },
  };
};
