import type { RestClient } from './rest-client.ts';
import { someReceiver } from './demo-orders.ts';
import { DEMO_PLATFORM_SHOP, DEMO_WMS_WAREHOUSE } from './demo-setup.ts';
import { RARE_GOODS, TRADED_GOODS, type TradeStage } from './demo-trades.ts';

interface HeldOrder {
  orderId: string;
  platformOrderId: string;
  holds: { code: string; since: string }[];
  updatedAt: string;
}

interface OpenCase {
  caseId: string;
  code: string;
  orderId: string | null;
  detail: string;
  openedAt: string;
}

/** What waits is left to be looked at for so long. */
const PATIENCE_MS = 12_000;
const OPEN_REFUNDS = ['WAIT_SELLER_AGREE', 'WAIT_BUYER_RETURN_GOODS', 'WAIT_SELLER_CONFIRM_GOODS'];

const isDue = (since: string): boolean => Date.now() - Date.parse(since) > PATIENCE_MS;
const tidOf = (orderId: string): string => orderId.slice(DEMO_PLATFORM_SHOP.length + 1);

/**
 * What people of the shop, the warehouse and the platform do about orders that wait for them. It goes by what OrderHub
 * shows and by nothing else, so that it takes up whatever an earlier demo has left.
 */
export const lookAfterOrders = async (stage: TradeStage): Promise<void> => {
  for (const order of await listed<HeldOrder>(stage.cast.operations, 'orders', 'status=on_hold'))
    for (const { code, since } of order.holds) if (isDue(since)) await endHold(stage, order, code);
  const waiting = await listed<HeldOrder>(stage.cast.operations, 'orders', 'status=backordered');
  const lines = [{ skuCode: RARE_GOODS, quantity: 1 }];
  for (const { updatedAt } of waiting)
    if (isDue(updatedAt))
      await stage.cast.warehouse.post('/v1/stock/receipts', { warehouseId: DEMO_WMS_WAREHOUSE, lines });
  for (const person of [stage.cast.operations, stage.cast.finance])
    for (const open of await listed<OpenCase>(person, 'cases', 'state=open'))
      if (isDue(open.openedAt)) await endCase(stage, person, open);
};

const listed = async <T>(person: RestClient, what: 'orders' | 'cases', filter: string): Promise<T[]> =>
  (await person.get<{ items: T[] }>(`/v1/${what}?shopId=${DEMO_PLATFORM_SHOP}&${filter}&limit=100`)).items;

/** Holds that end by what somebody does outside of OrderHub, or that have no case. */
const endHold = async ({ cast, taobao }: TradeStage, order: HeldOrder, code: string): Promise<void> => {
  const tid = order.platformOrderId;
  const trade = taobao.trade(tid);
  if (code === 'platform_hold' && trade?.status === 'PAID_FORBID_CONSIGN') taobao.unlock(tid);
  else if (code === 'refund_open')
    for (const { oid, refundStatus } of trade?.lines ?? []) {
      if (OPEN_REFUNDS.includes(refundStatus)) taobao.refundLine(tid, oid, 'SUCCESS');
    }
  else if (code === 'address_incomplete')
    await cast.operations.post(`/v1/orders/${order.orderId}/address`, { receiver: someReceiver() });
};

const endCase = async ({ cast, taobao }: TradeStage, person: RestClient, open: OpenCase): Promise<void> => {
  const { code, orderId, caseId } = open;
  const tid = orderId === null ? '' : tidOf(orderId);
  const trade = taobao.trade(tid);
  const resolve = (more: object = {}) =>
    person.post(`/v1/cases/${caseId}/resolve`, { note: 'seen to by the demo', ...more });
  switch (code) {
    case 'unknown_sku':
      for (const platformSku of open.detail.match(/\d+/g) ?? [])
        await cast.operations.put(`/v1/sku-mappings/${DEMO_PLATFORM_SHOP}/${platformSku}`, {
          skuCode: TRADED_GOODS[0],
        });
      return;
    case 'mapping_failed':
      if (trade) taobao.setRaw(tid);
      return;
    case 'unknown_status':
      if (trade) taobao.setStatus(tid, 'WAIT_SELLER_SEND_GOODS');
      return;
    case 'refund_due':
      if (trade && !trade.status.startsWith('TRADE_CLOSED')) taobao.refund(tid);
      else await resolve();
      return;
    case 'amount_mismatch':
      await resolve({ action: 'release' });
      return;
    case 'wms_refused':
      // Held only when the warehouse did not take it; then it is asked again.
      await cast.operations.post(`/v1/orders/${orderId}/release`, { code: 'manual' }).catch(() => undefined);
      await resolve();
      return;
    default:
      await resolve();
  }
};
