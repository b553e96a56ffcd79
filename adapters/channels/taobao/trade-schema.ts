import { z } from 'zod';
import { ID_PATTERN } from '../../../domain/ids.ts';
import { fromTopTime } from './top-time.ts';
import { fenOf } from './yuan.ts';

const MOST_LINES = 200;
const MOST_UNITS = 10_000;

/** An id of any length, exact: a string, or a bare number that the reader of JSON has not rounded. */
export const topIdSchema = z
  .union([z.string(), z.int().nonnegative(), z.bigint().nonnegative()])
  .transform(String)
  .refine((id) => ID_PATTERN.test(id), 'is no id');

const fen = z.string().transform((yuan, ctx) => {
  const amount = fenOf(yuan);
  if (amount === null) ctx.addIssue({ code: 'custom', message: 'is no amount in yuan' });
  return amount ?? z.NEVER;
});
const positiveFen = fen.refine((amount) => amount >= 0, 'is negative');

const time = z.string().transform((text, ctx) => {
  const instant = fromTopTime(text);
  if (instant === null) ctx.addIssue({ code: 'custom', message: 'is no time' });
  return instant ?? z.NEVER;
});

/** TOP leaves out what it has not, or gives null or an empty string. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === null || value === '' ? undefined : value), schema.optional());

const text = optional(z.string().transform((value) => value.trim())).transform((value) => value ?? '');

const anything = z.unknown().optional();

const lineSchema = z
  .object({
    oid: anything,
    oid_str: anything,
    num_iid: optional(topIdSchema),
    sku_id: optional(topIdSchema),
    outer_iid: text,
    outer_sku_id: text,
    title: text,
    cid: optional(topIdSchema),
    num: z.coerce.number().int('is no whole number').min(1, 'is below 1').max(MOST_UNITS, 'is too many'),
    price: positiveFen,
    payment: fen,
    discount_fee: optional(fen),
    adjust_fee: optional(fen),
    divide_order_fee: optional(fen),
    part_mjz_discount: optional(fen),
    status: text,
    refund_status: text,
    logistics_company: text,
    invoice_no: text,
    estimate_con_time: text,
  })
  .transform((line, ctx) => {
    const oid = exactId(line.oid_str, line.oid);
    if (oid === null) ctx.addIssue({ code: 'custom', path: ['oid'], message: 'is no id' });
    return { ...line, oid: oid ?? '' };
  });

export const tradeSchema = z.object({
  type: text,
  status: z.string().min(1),
  step_trade_status: text,
  step_paid_fee: optional(positiveFen),
  created: time,
  modified: time,
  pay_time: optional(time),
  end_time: optional(time),
  payment: positiveFen,
  post_fee: optional(positiveFen).transform((amount) => amount ?? 0),
  buyer_nick: text,
  buyer_open_uid: text,
  receiver_name: text,
  receiver_mobile: text,
  receiver_phone: text,
  receiver_state: text,
  receiver_city: text,
  receiver_district: text,
  receiver_town: text,
  receiver_address: text,
  oaid: text,
  orders: z.object({
    order: z
      .array(lineSchema)
      .min(1, 'is empty')
      .max(MOST_LINES, 'has too many')
      .refine((lines) => new Set(lines.map(({ oid }) => oid)).size === lines.length, 'has a line twice'),
  }),
});

export type TopTrade = z.output<typeof tradeSchema>;
export type TopLine = TopTrade['orders']['order'][number];

/** What a trade is known by even when the rest of it cannot be understood; null for what is absent or wrong. */
export const tradeHead = (trade: unknown): { tid: string | null; modified: string | null } => {
  const { data } = headSchema.safeParse(trade);
  return {
    tid: data ? exactId(data.tid_str, data.tid) : null,
    modified: time.safeParse(data?.modified).data ?? null,
  };
};

const headSchema = z.object({ tid: anything, tid_str: anything, modified: anything });

/** The text form of an id where there is one: it has passed no reader that could round it. */
const exactId = (asText: unknown, asNumber: unknown): string | null =>
  topIdSchema.safeParse(asText).data ?? topIdSchema.safeParse(asNumber).data ?? null;

/** Fields that are asked for; those of the receiver all together, or the platform makes no address token. */
export const TRADE_FIELDS =
  'tid,tid_str,type,status,step_trade_status,step_paid_fee,created,modified,pay_time,consign_time,end_time,' +
  'payment,post_fee,total_fee,discount_fee,adjust_fee,received_payment,buyer_nick,buyer_open_uid,buyer_message,' +
  'receiver_name,receiver_mobile,receiver_phone,receiver_state,receiver_city,receiver_district,receiver_town,' +
  'receiver_address,receiver_zip,oaid,shipping_type,seller_memo,seller_flag,num,orders';
