import { invalidArgument, missingArgument, serviceError } from './top-error.ts';
import type { Arguments } from './arguments.ts';
import { toGmt8 } from './gmt8.ts';
import type { SellerCallContext } from './methods.ts';
import { tradeWriter } from './trade-fields.ts';
import type { Trade } from './trade.ts';

const DAY_MS = 86_400_000;
const MOST_MEMO_BYTES = 1000;
const MOST_PAGE_SIZE = 100;
const USUAL_PAGE_SIZE = 40;

/** Trades of a window of their time of change, latest first: a row that changes leaves it and moves all after it up. */
export const changedTrades = ({ platform, seller, args }: SellerCallContext): string => {
  const fields = fieldsOf(args);
  const from = requiredTime(args, 'start_modified');
  const to = requiredTime(args, 'end_modified');
  if (to < from) throw invalidArgument('end_modified', 'is before start_modified');
  if (to - from > DAY_MS) throw invalidArgument('end_modified', 'must be within a day of start_modified');
  return page(platform.trades.changed(seller.nick, from, to), fields, args);
};

export const soldTrades = ({ platform, seller, args }: SellerCallContext): string => {
  const fields = fieldsOf(args);
  const from = args.time('start_created') ?? platform.now() - 90 * DAY_MS;
  const to = args.time('end_created') ?? platform.now();
  if (to < from) throw invalidArgument('end_created', 'is before start_created');
  return page(platform.trades.created(seller.nick, from, to), fields, args);
};

export const oneTrade = (context: SellerCallContext): string => {
  const fields = fieldsOf(context.args);
  const trade = ownTrade(context, 'isv.trade-not-exist');
  return `"trade":${tradeWriter(fields, true)(trade)}`;
};

export const writeMemo = (context: SellerCallContext): string => {
  const { args, platform } = context;
  const { tid } = ownTrade(context, 'isv.trade-not-exist');
  const memo = args.optional('memo');
  if (memo !== undefined && Buffer.byteLength(memo) > MOST_MEMO_BYTES) throw invalidArgument('memo', 'is too long');
  const flag =
    args.optional('flag') === undefined ? undefined : args.integer('flag', { least: 0, most: 5, otherwise: 0 });
  const isReset = args.boolean('reset');
  const trade = platform.change(tid, (before) => ({
    patch: { memo: memo ?? (isReset ? '' : before.memo), flag: flag ?? before.flag },
    topics: ['taobao_trade_TradeMemoModified'],
  }));
  return `"trade":{"tid":${tid},"modified":"${toGmt8(trade.modified)}"}`;
};

/** Of the calling seller; those of others are not there for them. */
export const ownTrade = ({ platform, seller, args }: SellerCallContext, subCode: string): Trade => {
  const trade = platform.trades.find(args.id('tid'));
  if (trade?.seller !== seller.nick) throw serviceError(subCode, 'The trade does not exist');
  return trade;
};

const fieldsOf = (args: Arguments): string[] => {
  const fields = args.list('fields');
  if (!fields || fields.length === 0) throw missingArgument('fields');
  return fields;
};

const requiredTime = (args: Arguments, name: string): number => {
  const at = args.time(name);
  if (at === undefined) throw missingArgument(name);
  return at;
};

const page = (inWindow: readonly Trade[], fields: readonly string[], args: Arguments): string => {
  const pageNo = args.integer('page_no', { least: 1, most: Number.MAX_SAFE_INTEGER, otherwise: 1 });
  const pageSize = args.integer('page_size', { least: 1, most: MOST_PAGE_SIZE, otherwise: USUAL_PAGE_SIZE });
  const usesHasNext = args.boolean('use_has_next');
  const status = args.optional('status');
  const types = args.list('type');
  const rows = inWindow.filter(
    (trade) => (status === undefined || trade.status === status) && (types === undefined || types.includes(trade.type)),
  );
  const shown = rows.slice((pageNo - 1) * pageSize, pageNo * pageSize);
  const count = usesHasNext ? `"has_next":${pageNo * pageSize < rows.length}` : `"total_results":${rows.length}`;
  if (shown.length === 0) return count;
  return `${count},"trades":{"trade":[${shown.map(tradeWriter(fields)).join(',')}]}`;
};
