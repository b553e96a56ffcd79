import { openJournal, rewriteJournal, type Journal } from '../../journal.ts';
import { accessOf, Accounts, type Access, type AppOptions, type Seller } from './accounts.ts';
import { wholeSecond } from './gmt8.ts';
import { MessageQueue, type Message } from './message-queue.ts';
import { newTrade, type TradeInput } from './new-trade.ts';
import { maskNick } from './receivers.ts';
import type { Trade } from './trade.ts';
import { TradeBook } from './trade-book.ts';
import { ImpossibleChange, type TradeChange } from './trade-changes.ts';

type PlatformRecord =
  | { kind: 'trade'; trade: Trade }
  | { kind: 'patch'; tid: string; patch: Partial<Trade> }
  | { kind: 'message'; message: Message }
  | { kind: 'confirmed'; ids: string[] }
  | { kind: 'access'; access: Access };

/** Ids of two trades lie so close that a double cannot tell them apart. */
const IDS_A_TRADE = 100n;
/** A journal is written anew at a start when it holds this many times the records that its books need. */
const SLACK = 4;

/** Everything that the platform knows, in memory and in its journal; what is in the one is in the other. */
export class Platform {
  readonly trades = new TradeBook();
  readonly messages = new MessageQueue();
  readonly accounts: Accounts;
  readonly #journal: Journal<PlatformRecord>;
  #nextTid: bigint;
  #nextMessageId: bigint;

  constructor(apps: readonly AppOptions[], journalFile: string | undefined) {
    const now = Date.now();
    this.accounts = new Accounts(apps, now);
    // Nineteen digits that differ from one new platform to the next.
    this.#nextTid = BigInt(Math.floor(now / 1000)) * 100_000_000n + 4_000_000_000_000_000_000n + 7n;
    this.#nextMessageId = BigInt(now) * 1_000_000n + 7_000_000_000_000_000_000n;
    let records = 0;
    const load = (record: PlatformRecord): void => {
      records += 1;
      this.#apply(record);
    };
    let journal = openJournal(journalFile, load);
    if (journalFile && records > SLACK * (this.trades.size + this.messages.size + 100)) {
      journal.close();
      rewriteJournal(journalFile, this.#records());
      journal = openJournal<PlatformRecord>(journalFile, () => undefined);
    }
    this.#journal = journal;
  }

  /** The platform's clock has whole seconds. */
  now(): number {
    return wholeSecond(Date.now());
  }

  create(inputs: readonly TradeInput[]): Trade[] {
    const at = this.now();
    const trades = inputs.map((input) => {
      const seller = input.seller ?? this.accounts.sellers()[0]?.nick ?? '';
      if (!this.accounts.byNick(seller)) throw new ImpossibleChange(`There is no seller ${seller}`);
      if (input.tid !== undefined && this.trades.find(input.tid))
        throw new ImpossibleChange(`Trade ${input.tid} is there`);
      return newTrade(input, { tid: input.tid ?? this.#takeTid(), seller, at });
    });
    this.#record(
      trades.flatMap((trade) => [
        { kind: 'trade', trade } as const,
        ...this.#tell(
          trade,
          ['taobao_trade_TradeCreate', ...(trade.payTime ? ['taobao_trade_TradeBuyerPay'] : [])],
          at,
        ),
      ]),
    );
    return trades;
  }

  /** Carries out a change, moves `modified` on and sends its messages; a change that throws leaves no trace. */
  change(tid: string, decide: (trade: Trade, at: number) => TradeChange): Trade {
    const trade = this.trades.find(tid);
    if (!trade) throw new ImpossibleChange(`There is no trade ${tid}`);
    const at = this.now();
    const { patch, topics } = decide(trade, at);
    const whole = { ...patch, modified: Math.max(at, trade.modified) };
    this.#record([{ kind: 'patch', tid, patch: whole }, ...this.#tell(trade, topics, at)]);
    return trade;
  }

  setAccess(access: Access): void {
    this.#record([{ kind: 'access', access }]);
  }

  confirm(ids: readonly string[], sellers: readonly Seller[]): void {
    const waiting = this.messages.known(ids, new Set(sellers.map(({ nick }) => nick)));
    if (waiting.length > 0) this.#record([{ kind: 'confirmed', ids: waiting }]);
  }

  close(): void {
    this.#journal.close();
  }

  #tell(trade: Trade, topics: readonly string[], at: number): PlatformRecord[] {
    const permitted = this.accounts.byNick(trade.seller)?.topics;
    if (!permitted) return [];
    return topics
      .filter((topic) => permitted === 'all' || permitted.includes(topic))
      .map((topic) => {
        const id = String((this.#nextMessageId += 1n));
        return { kind: 'message', message: { id, topic, content: contentOf(trade), seller: trade.seller, at } };
      });
  }

  /** To the journal first: what was never written never happened. */
  #record(records: PlatformRecord[]): void {
    this.#journal.append(records);
    for (const record of records) this.#apply(record);
  }

  #apply(record: PlatformRecord): void {
    switch (record.kind) {
      case 'trade':
        this.trades.add(record.trade);
        this.#nextTid = greater(this.#nextTid, BigInt(record.trade.tid) + IDS_A_TRADE);
        return;
      case 'patch':
        return this.trades.patch(record.tid, record.patch);
      case 'message':
        this.#nextMessageId = greater(this.#nextMessageId, BigInt(record.message.id));
        return this.messages.push(record.message);
      case 'confirmed':
        return this.messages.remove(record.ids);
      case 'access':
        return this.accounts.set(record.access);
    }
  }

  #takeTid(): string {
    const tid = this.#nextTid;
    this.#nextTid += IDS_A_TRADE;
    return String(tid);
  }

  *#records(): Iterable<PlatformRecord> {
    for (const trade of this.trades.all()) yield { kind: 'trade', trade };
    for (const message of this.messages.all()) yield { kind: 'message', message };
    for (const seller of this.accounts.sellers()) yield { kind: 'access', access: accessOf(seller) };
  }
}

const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Thin, as the platform's own: which trade, not what became of it. */
const contentOf = ({ tid, lines, buyer, seller, payment }: Trade): string =>
  `{"tid":${tid},"oid":${lines[0]?.oid ?? tid},"buyer_nick":${JSON.stringify(maskNick(buyer.nick))},` +
  `"seller_nick":${JSON.stringify(seller)},"payment":"${(payment / 100).toFixed(2)}","type":"guarantee_trade"}`;
