import type { ReceiverRecord } from './order-model.ts';
import type { PlatformReceiver } from './platform-order.ts';

/** As the caller gave it; what is not known is an empty text. */
export interface ClearReceiver {
  name: string;
  phone: string;
  address: string;
  province: string;
  city: string;
  district: string;
  pickupStation: boolean;
  /** A platform's address token, which a warehouse's system can open; the rest may then be masked. */
  token?: string;
}

/** What `sealed` of a receiver's record opens to. */
export type SealedReceiver = Pick<ClearReceiver, 'name' | 'phone' | 'address' | 'token'>;

/** Keeps personal data: seals it, and makes indexes of it that only serve comparison. */
export interface ReceiverSealer {
  seal(value: object): string;
  blindIndex(kind: string, value: string): string;
}

const NEEDED = ['name', 'phone', 'address'] as const satisfies readonly (keyof ClearReceiver)[];

/** What is stored and passed on of a receiver: nothing personal in clear. What a platform has masked serves no comparison. */
export const receiverRecordOf = (receiver: ClearReceiver, sealer: ReceiverSealer): ReceiverRecord => {
  const { name, phone, address, province, city, district, pickupStation, token } = receiver;
  const secret: SealedReceiver = { name, phone, address, ...(token === undefined ? {} : { token }) };
  const region = `${province}${city}${district}`;
  return {
    province,
    city,
    district,
    pickupStation,
    masked: { name: maskName(name), phone: maskPhone(phone), address: address === '' ? '' : region },
    sealed: sealer.seal(secret),
    phoneIndex: isMasked(phone) ? '' : sealer.blindIndex('phone', phone),
    addressIndex: address === '' || isMasked(address) ? '' : sealer.blindIndex('address', region + address),
    missing: token === undefined ? NEEDED.filter((field) => receiver[field] === '') : [],
  };
};

/** What two receivers of a platform are told apart by; personal, so it is only ever stored as an index. */
export const receiverIdentityText = (receiver: PlatformReceiver): string => {
  const { name, phone, province, city, district, address, pickupStation, token } = receiver;
  return JSON.stringify([name, phone, province, city, district, address, pickupStation, token ?? '']);
};

const isMasked = (text: string): boolean => text.includes('*');

/** 张三 → 张*; a name of one letter shows nothing. */
export const maskName = (name: string): string => {
  const [first, ...rest] = Array.from(name);
  if (first === undefined) return '';
  return rest.length === 0 ? '*' : `${first}*`;
};

/** 13812348000 → 138****8000; shorter numbers show less, so that at least half stays hidden. */
export const maskPhone = (phone: string): string => {
  if (isMasked(phone)) return phone;
  const digits = phone.replace(/^\s*(?:\+|00)\s*86/, '').replace(/\D/g, '');
  if (phone === '') return '';
  if (digits.length >= 11) return `${digits.slice(0, 3)}****${digits.slice(-4)}`;
  return `****${digits.slice(-Math.floor(digits.length / 4) || digits.length)}`;
};
