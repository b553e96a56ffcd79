import taobaoStatuses from '../../../../config/mappings/taobao-status.json' with { type: 'json' };
import type { ChannelClient, ChannelShop, StatusMapping } from '../../../../adapters/channels/channel-port.ts';
import { createTaobaoChannel } from '../../../../adapters/channels/taobao/taobao-channel.ts';

export const statusMapping: StatusMapping = taobaoStatuses;

export const shopAt = (baseUrl: string, credentials: Readonly<Record<string, string>> = {}): ChannelShop => ({
  shopId: 'tb1',
  channel: 'taobao',
  currency: 'CNY',
  baseUrl,
  credentials: {
    appKey: '12345678',
    appSecret: 'helloworld',
    sessionKey: '6100secret',
    refreshToken: '6101secret',
    groupName: 'default',
    ...credentials,
  },
});

export const clientAt = (
  baseUrl: string,
  credentials: Readonly<Record<string, string>> = {},
  timeoutMs = 2000,
): ChannelClient => createTaobaoChannel(shopAt(baseUrl, credentials), { statusMapping, timeoutMs });
