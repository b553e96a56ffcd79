type Fields = Record<string, unknown>;

const TID = '4012345678901234567';

/** Ids are bare numbers that no double can hold. */
const bare = (id: string): string => `@@${id}@@`;
export const unquoted = (value: unknown): string => JSON.stringify(value).replaceAll(/"@@(\d+)@@"/g, '$1');

export const line = (index: number, fields: Fields = {}): Fields => ({
  oid: bare(String(BigInt(TID) + BigInt(index))),
  num_iid: 620000000001,
  sku_id: '4800000000001',
  outer_iid: 'ITEM-1',
  outer_sku_id: 'SKU-1',
  title: '棉质短袖',
  num: 2,
  price: '100.00',
  payment: '200.00',
  part_mjz_discount: '10.00',
  divide_order_fee: '190.00',
  status: 'WAIT_SELLER_SEND_GOODS',
  refund_status: 'NO_REFUND',
  ...fields,
});

/** Two lines of 200 yuan, 20 off the whole, 8 freight; paid. Fields that are given replace these, null takes one away. */
export const tradeText = (fields: Fields = {}, lines: Fields[] = [line(1), line(2)]): string => {
  const all: Fields = {
    tid: bare(TID),
    type: 'fixed',
    status: 'WAIT_SELLER_SEND_GOODS',
    created: '2026-11-22 10:00:00',
    modified: '2026-11-22 10:05:07',
    pay_time: '2026-11-22 10:05:06',
    payment: '388.00',
    post_fee: '8.00',
    buyer_nick: '张**',
    buyer_open_uid: 'AAE-uid',
    receiver_name: '张**',
    receiver_mobile: '138****8000',
    receiver_state: '浙江省',
    receiver_city: '杭州市',
    receiver_district: '西湖区',
    receiver_address: '文三路**号',
    oaid: '1aBcD=',
    orders: { order: lines },
    ...fields,
  };
  return unquoted(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)));
};

export const TRADE_ID = TID;
export const lineIdOf = (index: number): string => String(BigInt(TID) + BigInt(index));
