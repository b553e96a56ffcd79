import { accessOf, type Seller } from './accounts.ts';
import { toGmt8 } from './gmt8.ts';
import type { CallContext, SellerCallContext } from './methods.ts';
import { invalidArgument, missingArgument } from './top-error.ts';

const MOST_CONFIRMED = 200;

/** Until then nothing is sent about the seller's trades. Topics that are named replace those named before. */
export const permitUser = ({ platform, seller, args }: SellerCallContext): string => {
  platform.setAccess({ ...accessOf(seller), topics: args.list('topics') ?? 'all' });
  return '"is_success":true';
};

export const consumeMessages = (context: CallContext): string => {
  const { platform, args, app } = context;
  const sellers = new Map(sellersOf(context).map((seller) => [seller.nick, seller]));
  const quantity = args.integer('quantity', { least: 10, most: 200, otherwise: 100 });
  const messages = platform.messages.waiting(new Set(sellers.keys()), quantity);
  if (messages.length === 0) return '';
  const written = messages.map(
    ({ id, topic, content, seller, at }) =>
      `{"id":${id},"topic":${JSON.stringify(topic)},"content":${JSON.stringify(content)},"pub_time":"${toGmt8(at)}",` +
      `"pub_app_key":${JSON.stringify(app.appKey)},"user_id":${sellers.get(seller)?.userId},"user_nick":${JSON.stringify(seller)}}`,
  );
  return `"messages":{"tmc_message":[${written.join(',')}]}`;
};

/** Those that failed come again, as those that are not named. */
export const confirmMessages = (context: CallContext): string => {
  if (context.args.optional('s_message_ids') === undefined) throw missingArgument('s_message_ids');
  context.platform.confirm(context.args.ids('s_message_ids', MOST_CONFIRMED), sellersOf(context));
  return '"is_success":true';
};

const sellersOf = ({ platform, app, args }: CallContext): Seller[] => {
  const sellers = platform.accounts.inGroup(app, args.optional('group_name') ?? 'default');
  if (sellers.length === 0) throw invalidArgument('group_name', 'The group does not exist');
  return sellers;
};
