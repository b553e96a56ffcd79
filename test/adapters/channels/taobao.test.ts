import taobaoStatuses from '../../../config/mappings/taobao-status.json' with { type: 'json' };
import { createChannelClient } from '../../../adapters/channels/channel-clients.ts';
import { startTaobaoSimulator } from '../../../simulators/channels/taobao/taobao-simulator.ts';
import { channelContract, type ChannelHarness, type ContractCall, type ContractFault } from './channel-contract.ts';

const METHODS: Readonly<Record<ContractCall, string>> = {
  changedOrders: 'taobao.trades.sold.increment.get',
  order: 'taobao.trade.fullinfo.get',
  tellParcel: 'taobao.logistics.offline.send',
  refreshToken: 'taobao.top.auth.token.refresh',
};

const FAULTS = {
  throttled: 'throttle',
  sessionEnds: 'expire-session',
  wrongSignature: 'bad-signature',
  cut: 'cut',
  notJson: 'not-json',
  lostAnswer: 'lost-answer',
  down: 'down',
} as const satisfies Record<ContractFault, string>;

const CREDENTIALS = {
  appKey: '12345678',
  appSecret: 'app-secret',
  sessionKey: 'session-1',
  refreshToken: 'refresh-1',
  groupName: 'default',
};

const startTaobao = (channel: 'taobao' | 'tmall') => async (): Promise<ChannelHarness> => {
  const { appKey, appSecret, sessionKey, refreshToken } = CREDENTIALS;
  const seller = { nick: 'contract shop', sessionKey, refreshToken };
  const simulator = await startTaobaoSimulator({ apps: [{ appKey, appSecret, sellers: [seller] }] });
  const { control } = simulator;
  return {
    channel,
    courier: 'YTO',
    client: (credentials = {}) =>
      createChannelClient(
        {
          shopId: 'tb1',
          channel,
          currency: 'CNY',
          baseUrl: simulator.url,
          credentials: { ...CREDENTIALS, ...credentials },
        },
        { statusMapping: taobaoStatuses, timeoutMs: 5000 },
      ),
    createOrder: (lines) => {
      const { tid, lines: made } = control.createTrade({ lines: Array.from({ length: lines }, () => ({ num: 1 })) });
      return { platformOrderId: tid, lineIds: made.map(({ oid }) => oid) };
    },
    createOrders: (count, spread) => control.createTrades({ count, spread }),
    createBrokenOrder: ({ from }) =>
      control.createTrade({ created: from, modified: from, lines: [{ raw: { price: 'free' } }] }).tid,
    moveRows: (count) => control.startMoving({ count, isPerPage: true }),
    change: (tid) => void control.changeAddress(tid),
    fault: (kind, call, times) => void control.addFault({ kind: FAULTS[kind], method: METHODS[call], times }),
    clearFaults: () => control.clearFaults(),
    parcels: (tid) =>
      (control.trade(tid)?.consigns ?? []).map(({ out_sid: trackingNo, oids: lineIds }) => ({ trackingNo, lineIds })),
    memo: (tid) => control.trade(tid)?.memo ?? '',
    stop: () => simulator.stop(),
  };
};

channelContract('Taobao', startTaobao('taobao'));
channelContract('Tmall', startTaobao('tmall'));
