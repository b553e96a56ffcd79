import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AdapterError } from '../../../domain/failures.ts';
import type { ChannelClient, CreateChannelClient } from '../channel-port.ts';
import { confirmMessages, consumeMessages, permitMessages } from './messages.ts';
import { refreshToken } from './refresh-token.ts';
import { taobaoAccount } from './taobao-account.ts';
import { tellParcel } from './tell-parcel.ts';
import { createTopClient } from './top-client.ts';
import { TAOBAO } from './top-error.ts';
import { changedTrades, tradeDetail } from './trade-reads.ts';

const TIMEOUT_MS = 20_000;
const MOST_MEMO_BYTES = 1000;

/** A shop on Taobao or Tmall, which are one platform to those who sell there. */
export const createTaobaoChannel: CreateChannelClient = (shop, { statusMapping, timeoutMs = TIMEOUT_MS }) => {
  const account = taobaoAccount(shop);
  const call = createTopClient(account, timeoutMs);
  const sellerName = createHash('sha256')
    .update(JSON.stringify([account.baseUrl, account.appKey, account.sessionKey]))
    .digest('hex');

  const order: ChannelClient['order'] = (tid, signal) => tradeDetail(call, statusMapping, tid, signal);

  return {
    changedOrders: (window, signal) => changedTrades(call, statusMapping, window, signal),
    order,
    tellParcel: (notice, signal) => tellParcel(call, order, notice, signal),
    writeMemo: async (tid, memo, signal) => {
      if (Buffer.byteLength(memo) > MOST_MEMO_BYTES)
        throw new AdapterError(TAOBAO, 'invalid', `a memo has at most ${MOST_MEMO_BYTES} bytes`);
      const params = { tid, ...(memo === '' ? { reset: 'true' } : { memo }) };
      await call({ method: 'taobao.trade.memo.update', params, answer: z.looseObject({}), effect: 'changes' }, signal);
    },
    messages: async (limit, signal) => {
      await permitMessages(call, sellerName, signal);
      return consumeMessages(call, account.groupName, limit, signal);
    },
    confirmMessages: (messageIds, signal) => confirmMessages(call, account.groupName, messageIds, signal),
    refreshToken: (signal) => refreshToken(call, account.refreshToken, signal),
  };
};
