import type { ChannelCapabilities } from '../../adapters/channels/capabilities.ts';
import type { StatusMapping } from '../../adapters/channels/channel-port.ts';
import type { Channel } from '../../domain/order-model.ts';
import type { ShopRecord } from '../../models/shop-records.ts';

/** Seals what is personal, and makes indexes of it that only serve comparison. */
export interface IntakeSealer {
  seal(value: object, context?: string): string;
  blindIndex(kind: string, value: string): string;
  /** Under every key, newest first. */
  blindIndexes(kind: string, value: string): string[];
}

export type Credentials = Readonly<Record<string, string>>;

/** A shop's secrets, sealed for this shop alone. */
export interface CredentialBox {
  open(shop: Pick<ShopRecord, 'shopId' | 'credentialsSealed'>): Credentials;
  seal(shopId: string, credentials: Credentials): Pick<ShopRecord, 'credentialsSealed' | 'credentialsSet'>;
}

/** What is configured per channel, as it is in force now. */
export interface ChannelSettings {
  /** Absent: orders of the channel are not collected. */
  capabilitiesOf(channel: Channel): ChannelCapabilities | undefined;
  statusMappingOf(channel: Channel): Promise<StatusMapping>;
  /** The platform's courier code by ours; absent where nobody has mapped it. */
  courierCodeOf(channel: Channel, courier: string): Promise<string | undefined>;
  /** For how long a shop may fail before somebody is alerted. */
  failingAlertMs(): Promise<number>;
}

export interface IntakeLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface IntakeMetrics {
  orderReceived(channel: string): void;
  shopAlert(channel: string): void;
}

export type Clock = () => Date;
