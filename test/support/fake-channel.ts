import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ChannelClient,
  ChannelShop,
  CreateChannelClient,
  OrderPage,
  ParcelNotice,
  PlatformMessage,
} from '../../adapters/channels/channel-port.ts';
import { AdapterError } from '../../domain/failures.ts';
import type { CollectedOrder, PlatformOrderContent, PlatformWord } from '../../domain/platform-order.ts';

export interface FakeTrade extends Partial<Omit<PlatformOrderContent, 'platform'>> {
  id: string;
  /** RFC 3339. */
  modifiedAt: string;
  word?: Partial<PlatformWord>;
  /** Changes the raw text, and nothing that an order hears of. */
  memo?: string;
  /** It cannot be understood. */
  problem?: string;
}

type Call = 'changedOrders' | 'page' | 'order' | 'messages' | 'confirmMessages' | 'refreshToken' | 'tellParcel';

/** A platform in memory that obeys the port: pages by time of change, takes one token, fails as it is told to. */
export class FakePlatform {
  readonly trades = new Map<string, FakeTrade>();
  readonly messages: PlatformMessage[] = [];
  readonly calls: { call: Call; detail: string }[] = [];
  readonly told: ParcelNotice[] = [];
  token = 'token-1';
  /** What a refresh gives next; null: it is refused. */
  nextToken: string | null = null;
  pageSize = 50;
  pageDelayMs = 0;
  onPage: () => void = () => undefined;
  onOrder: (id: string) => void = () => undefined;
  #failures: { call: Call; error: AdapterError; left: number }[] = [];
  #confirmed = new Set<string>();

  put(...trades: FakeTrade[]): void {
    for (const trade of trades) this.trades.set(trade.id, { ...this.trades.get(trade.id), ...trade });
  }

  fail(
    call: Call,
    kind: AdapterError['kind'],
    { times = 1, retryAfterMs }: { times?: number; retryAfterMs?: number } = {},
  ) {
    this.#failures.push({ call, error: new AdapterError('fake', kind, `${call} fails`, retryAfterMs), left: times });
  }

  countOf(call: Call): number {
    return this.calls.filter((one) => one.call === call).length;
  }

  notice(id: string | null, topic = 'TradeChanged'): void {
    const messageId = `m${this.messages.length + 1}`;
    this.messages.push({ messageId, topic, platformOrderId: id, sentAt: new Date().toISOString() });
  }

  get waiting(): string[] {
    return this.messages.filter(({ messageId }) => !this.#confirmed.has(messageId)).map(({ messageId }) => messageId);
  }

  readonly createClient: CreateChannelClient = (shop) => this.#clientOf(shop);

  #clientOf(shop: ChannelShop): ChannelClient {
    const note = (call: Call, detail = '') => {
      this.calls.push({ call, detail });
      const failure = this.#failures.find((one) => one.call === call && one.left > 0);
      if (failure) failure.left -= 1;
      if (failure) throw failure.error;
      if (call !== 'refreshToken' && shop.credentials['sessionKey'] !== this.token)
        throw new AdapterError('fake', 'unauthorised', 'invalid session');
    };
    const pages = (from: string, to: string) => this.#pages(from, to, shop, note);
    return {
      changedOrders: ({ from, to }) => {
        const iterate = async function* () {
          note('changedOrders', `${from} ${to}`);
          yield* pages(from, to);
        };
        return iterate();
      },
      order: async (id) => {
        note('order', id);
        this.onOrder(id);
        const trade = this.trades.get(id);
        return trade ? collectedOf(trade) : null;
      },
      tellParcel: async (notice) => {
        note('tellParcel', notice.platformOrderId);
        this.told.push(notice);
        return { state: 'told' };
      },
      writeMemo: async () => undefined,
      messages: async (limit) => {
        note('messages');
        return this.messages.filter(({ messageId }) => !this.#confirmed.has(messageId)).slice(0, limit);
      },
      confirmMessages: async (ids) => {
        note('confirmMessages', ids.join(' '));
        for (const id of ids) this.#confirmed.add(id);
      },
      refreshToken: async () => {
        note('refreshToken');
        if (this.nextToken === null) throw new AdapterError('fake', 'unauthorised', 'the refresh token is not taken');
        this.token = this.nextToken;
        this.nextToken = null;
        return { credentials: { sessionKey: this.token }, expiresAt: new Date(Date.now() + 86_400_000).toISOString() };
      },
    };
  }

  async *#pages(from: string, to: string, _shop: ChannelShop, note: (call: Call) => void): AsyncGenerator<OrderPage> {
    const found = [...this.trades.values()].filter(({ modifiedAt }) => {
      const at = Date.parse(modifiedAt);
      return at >= Date.parse(from) && at < Date.parse(to);
    });
    const pagesTotal = Math.ceil(found.length / this.pageSize);
    for (let page = 0; page < pagesTotal; page += 1) {
      note('page');
      this.onPage();
      if (this.pageDelayMs > 0) await sleep(this.pageDelayMs);
      const orders = found.slice(page * this.pageSize, (page + 1) * this.pageSize).map(collectedOf);
      yield { orders, pagesDone: page + 1, pagesTotal };
    }
  }
}

/** A paid order of two lines at 100.00 and 50.00, unless said otherwise. */
export const collectedOf = (trade: FakeTrade): CollectedOrder => {
  const { id, modifiedAt, word, memo: _memo, problem, ...rest } = trade;
  const raw = JSON.stringify({ ...trade, padding: 'x'.repeat(1500) });
  if (problem !== undefined) return { platformOrderId: id, raw, modifiedAt, content: null, problem };
  const lines = rest.lines ?? [lineOf(`${id}1`, 'SKU-A', 10_000), lineOf(`${id}2`, 'SKU-B', 5000)];
  const payable = lines.reduce((sum, { unitPrice, quantity, discount }) => sum + unitPrice * quantity - discount, 0);
  const phase = word?.phase ?? 'paid';
  const paid = word?.paid ?? (['unpaid', 'closed_unpaid'].includes(phase) ? 0 : payable);
  const paidAt = '2026-11-22T01:00:30.000Z';
  const content: PlatformOrderContent = {
    type: 'normal',
    placedAt: '2026-11-22T01:00:00.000Z',
    currency: 'CNY',
    buyer: { id: `buyer-${id}`, firstOrder: false },
    receiver: {
      name: '张**',
      phone: '138****8000',
      province: '浙江省',
      city: '杭州市',
      district: '西湖区',
      address: '文***号',
      pickupStation: false,
      token: `oaid-${id}`,
    },
    lines,
    orderDiscount: 0,
    freight: 0,
    payable,
    payments: paid > 0 ? [{ paymentId: `${id}-p`, method: 'platform', amount: paid, paidAt }] : [],
    ...rest,
    platform: {
      status: 'WAIT_SELLER_SEND_GOODS',
      phase,
      lockedBy: null,
      modifiedAt,
      paid,
      refundOpen: [],
      refunded: [],
      parcels: [],
      ...word,
    },
  };
  return { platformOrderId: id, raw, modifiedAt, content, problem: null };
};

export const lineOf = (lineId: string, merchantCode: string | undefined, unitPrice: number) => ({
  lineId,
  platformSku: `ps-${lineId.slice(-1)}`,
  ...(merchantCode === undefined ? {} : { merchantCode }),
  title: `T恤 ${lineId}`,
  quantity: 1,
  unitPrice,
  discount: 0,
});
