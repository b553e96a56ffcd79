import type { ChannelShop, PlatformMessage } from '../../adapters/channels/channel-port.ts';
import type { Channel } from '../../domain/order-model.ts';

/** A request of a platform's, as it came. */
export interface PushRequest {
  method: 'GET' | 'POST';
  query: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The bytes: signatures are over them. */
  body: Buffer;
}

/** What the platform wants to hear; the platform sends again whatever is not acknowledged. */
export interface PushAcknowledgement {
  status: number;
  contentType: string;
  body: string;
}

export type PushAnswer =
  | { outcome: 'bad_signature' }
  | {
      outcome: 'accepted';
      /** Hints of orders that have changed; none in a platform's test of the address. */
      messages: PlatformMessage[];
      acknowledgement: PushAcknowledgement;
    };

/** Checks a push by the shop's own secrets and reads it; pure, and throws nothing for what anybody may send. */
export type PushReceiver = (shop: ChannelShop, request: PushRequest) => PushAnswer;

export type PushReceivers = Readonly<Partial<Record<Channel, PushReceiver>>>;

/** Channels that push over HTTP. Those of today are asked for their messages. */
export const PUSH_RECEIVERS: PushReceivers = {};
