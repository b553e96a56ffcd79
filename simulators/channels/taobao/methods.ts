import type { AppOptions, Seller } from './accounts.ts';
import { refreshToken, tellTime } from './account-methods.ts';
import type { Arguments } from './arguments.ts';
import { listCompanies, sendDummy, sendOffline, sendOnline } from './shipping-methods.ts';
import { confirmMessages, consumeMessages, permitUser } from './message-methods.ts';
import type { Platform } from './platform.ts';
import { changedTrades, oneTrade, soldTrades, writeMemo } from './trade-methods.ts';

export interface CallContext {
  platform: Platform;
  app: AppOptions;
  args: Arguments;
}

export interface SellerCallContext extends CallContext {
  seller: Seller;
}

/** Answers the text between the braces of the method's own envelope; refuses by a `TopError`. */
export type Method =
  | { needsSession: true; answer(context: SellerCallContext): string }
  | { needsSession: false; answer(context: CallContext): string };

const forSeller = (answer: (context: SellerCallContext) => string): Method => ({ needsSession: true, answer });
const forApp = (answer: (context: CallContext) => string): Method => ({ needsSession: false, answer });

export const METHODS: ReadonlyMap<string, Method> = new Map([
  ['taobao.trades.sold.increment.get', forSeller(changedTrades)],
  ['taobao.trades.sold.get', forSeller(soldTrades)],
  ['taobao.trade.fullinfo.get', forSeller(oneTrade)],
  ['taobao.trade.memo.update', forSeller(writeMemo)],
  ['taobao.logistics.offline.send', forSeller(sendOffline)],
  ['taobao.logistics.online.send', forSeller(sendOnline)],
  ['taobao.logistics.dummy.send', forSeller(sendDummy)],
  ['taobao.logistics.companies.get', forApp(listCompanies)],
  ['taobao.tmc.user.permit', forSeller(permitUser)],
  ['taobao.tmc.messages.consume', forApp(consumeMessages)],
  ['taobao.tmc.messages.confirm', forApp(confirmMessages)],
  ['taobao.top.auth.token.refresh', forApp(refreshToken)],
  ['taobao.time.get', forApp(tellTime)],
]);
