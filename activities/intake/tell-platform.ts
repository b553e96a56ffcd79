import type { TellAnswer } from '../../adapters/channels/channel-port.ts';
import type { ChannelSettings } from './ports.ts';
import type { ShopSessions } from './shop-sessions.ts';

export interface TellPlatformInput {
  shopId: string;
  platformOrderId: string;
  /** Ours; the shop's channel has a mapping to its own codes. */
  courier: string;
  trackingNo: string;
  lineIds: string[];
  /** Whether other lines of the order are not in the parcel. */
  isPartial: boolean;
}

/** Of a courier that nobody has mapped, the platform is given our own code; it refuses what it does not know. */
export const tellPlatform = async (
  { sessions, settings }: { sessions: ShopSessions; settings: Pick<ChannelSettings, 'courierCodeOf'> },
  { shopId, courier, ...parcel }: TellPlatformInput,
  signal: AbortSignal,
): Promise<TellAnswer> =>
  sessions.run(shopId, 'tell', async ({ shop, can, client }) => {
    if (!can.tellsParcels) return { state: 'told' };
    const code = (await settings.courierCodeOf(shop.channel, courier)) ?? courier;
    return client.tellParcel({ ...parcel, courier: code }, signal);
  });
