import type { Client } from '@temporalio/client';
import type { Connection } from 'mongoose';
import type { ChannelActivityDeps } from '../activities/channel-activities.ts';
import { EndedOrderBook } from '../activities/intake/ended-orders.ts';
import { OrderCollector } from '../activities/intake/order-collector.ts';
import { Pace } from '../activities/intake/pace.ts';
import { ShopPolls } from '../activities/intake/poll-shop.ts';
import type { ChannelSettings, CredentialBox } from '../activities/intake/ports.ts';
import { ShopSessions } from '../activities/intake/shop-sessions.ts';
import { CAPABILITIES } from '../adapters/channels/capabilities.ts';
import type { CreateChannelClient } from '../adapters/channels/channel-port.ts';
import { currentMappings } from '../config/current-mappings.ts';
import { currentSyncLimits, currentTimers } from '../config/current-timers.ts';
import { CONFIG_DEFAULTS, type ConfigContents } from '../config/documents.ts';
import { chainEntry } from '../models/audit-log.ts';
import { BackfillStore } from '../models/backfills.ts';
import { CaseStore } from '../models/case-store.ts';
import { CollectedOrderStore } from '../models/collected-orders.ts';
import { commitHubOf } from '../models/commit-hub.ts';
import { ConfigVersions } from '../models/config-versions.ts';
import { InboxStore } from '../models/inbox.ts';
import { IntakeStore } from '../models/intake-store.ts';
import { OrderWatch } from '../models/order-watch.ts';
import { ShopCursorStore } from '../models/shop-cursor-store.ts';
import { ShopStore, shopEntity } from '../models/shop-records.ts';
import { ShopTokenStore } from '../models/shop-tokens.ts';
import { SkuMappingStore } from '../models/sku-mapping-records.ts';
import type { Keyring } from '../runtime/keyring.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { Sealer } from '../runtime/sealing.ts';
import { startDistribution } from './distribution.ts';
import { createOrderTeller } from './order-teller.ts';

export interface ChannelParts {
  connection: Connection;
  client: Client;
  keyring: Keyring;
  logger: Logger;
  metrics: Metrics;
  createClient: CreateChannelClient;
  /** For how long raw payloads are kept. */
  inboxDays?: number | undefined;
  /** Orders that may be started or told at once, as long as each is done quickly. */
  inFlight?: number | undefined;
}

const DAY_MS = 86_400_000;
const INBOX_DAYS = 30;
const IN_FLIGHT = 32;
/** However slow they are. */
const LEAST_IN_FLIGHT = 4;

/** What the channels' activities work with, over real stores. Registers their models on the connection. */
export const channelDeps = (
  parts: ChannelParts,
): ChannelActivityDeps & { shops: ShopStore; orders: CollectedOrderStore } => {
  const { connection, client, keyring, logger: log, metrics, createClient } = parts;
  const sealer = new Sealer(keyring);
  const hub = commitHubOf(connection);
  const versions = new ConfigVersions<ConfigContents>(connection, CONFIG_DEFAULTS);
  const now = () => new Date();
  const settings: ChannelSettings = {
    capabilitiesOf: (channel) => CAPABILITIES[channel],
    statusMappingOf: async (channel) => (await currentMappings(versions, channel)).statuses,
    courierCodeOf: async (channel, courier) => (await currentMappings(versions, channel)).couriers[courier],
    failingAlertMs: async () => (await currentSyncLimits(versions)).failingMs,
  };
  const shops = new ShopStore(connection);
  const cursors = new ShopCursorStore(connection);
  const orders = new CollectedOrderStore(connection);
  const intake = new IntakeStore(connection);
  const watch = new OrderWatch((orderId) => intake.revision(orderId));
  hub.onCommitted((orderId, revision) => watch.notify(orderId, revision));
  const timers = () => currentTimers(versions);
  const sessions = new ShopSessions({
    shops,
    tokens: new ShopTokenStore(connection),
    cursors,
    cases: new CaseStore(connection),
    credentials: credentialBox(sealer),
    settings,
    createClient,
    log,
    now,
  });
  return {
    shops,
    orders,
    sessions,
    collector: new OrderCollector({
      inbox: new InboxStore(connection),
      orders,
      mappings: new SkuMappingStore(connection),
      sealer,
      metrics,
      log,
      now,
      inboxTtlMs: (parts.inboxDays ?? INBOX_DAYS) * DAY_MS,
    }),
    polls: new ShopPolls({ sessions, cursors, settings, metrics, log, now }),
    backfills: new BackfillStore(connection),
    distribution: {
      orders,
      teller: createOrderTeller(client, timers),
      ended: new EndedOrderBook({ orders, committer: hub.committer, chainEntry, timers, now }),
      watch,
      log,
      pace: new Pace({ least: LEAST_IN_FLIGHT, most: parts.inFlight ?? IN_FLIGHT }),
    },
    startDistribution: startDistribution(client, shops),
    settings,
    log,
  };
};

const credentialBox = (sealer: Sealer): CredentialBox => ({
  open: ({ shopId, credentialsSealed }) => sealer.unseal(credentialsSealed, shopEntity(shopId)),
  seal: (shopId, credentials) => ({
    credentialsSealed: sealer.seal(credentials, shopEntity(shopId)),
    credentialsSet: Object.keys(credentials).toSorted(),
  }),
});
