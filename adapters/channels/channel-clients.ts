import type { Channel } from '../../domain/order-model.ts';
import type { CreateChannelClient } from './channel-port.ts';
import { createTaobaoChannel } from './taobao/taobao-channel.ts';

/** Of each channel that orders are collected from; as many as `CAPABILITIES` has. */
export const CHANNEL_CLIENTS: Readonly<Partial<Record<Channel, CreateChannelClient>>> = {
  taobao: createTaobaoChannel,
  tmall: createTaobaoChannel,
};

/** Builds the client of a shop by its channel; throws for a channel that has none. */
export const createChannelClient: CreateChannelClient = (shop, options) => {
  const create = CHANNEL_CLIENTS[shop.channel];
  if (!create) throw new Error(`no orders are collected from the channel ${shop.channel}`);
  return create(shop, options);
};
