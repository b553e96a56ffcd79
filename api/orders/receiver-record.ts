import type { ReceiverRecord } from '../../domain/order-model.ts';
import type { Sealer } from '../../runtime/sealing.ts';

/** As the caller gave it; what is not known is an empty text. */
export interface ClearReceiver {
  name: string;
  phone: string;
  address: string;
  province: string;
  city: string;
  district: string;
  pickupStation: boolean;
}

/** What `sealed` of a receiver's record opens to. */
export type SealedReceiver = Pick<ClearReceiver, 'name' | 'phone' | 'address'>;

const NEEDED = ['name', 'phone', 'address'] as const satisfies readonly (keyof SealedReceiver)[];

/** What is stored and passed on of a receiver: nothing personal in clear. */
export const receiverRecordOf = (
  receiver: ClearReceiver,
  sealer: Pick<Sealer, 'seal' | 'blindIndex'>,
): ReceiverRecord => {
  const { name, phone, address, province, city, district, pickupStation } = receiver;
  const secret: SealedReceiver = { name, phone, address };
  const region = `${province}${city}${district}`;
  return {
    province,
    city,
    district,
    pickupStation,
    masked: { name: maskName(name), phone: maskPhone(phone), address: address === '' ? '' : region },
    sealed: sealer.seal(secret),
    phoneIndex: sealer.blindIndex('phone', phone),
    addressIndex: address === '' ? '' : sealer.blindIndex('address', region + address),
    missing: NEEDED.filter((field) => receiver[field] === ''),
  };
};

/** 张三 → 张*; a name of one letter shows nothing. */
export const maskName = (name: string): string => {
  const [first, ...rest] = Array.from(name);
  if (first === undefined) return '';
  return rest.length === 0 ? '*' : `${first}*`;
};

/** 13812348000 → 138****8000; shorter numbers show less, so that at least half stays hidden. */
export const maskPhone = (phone: string): string => {
  const digits = phone.replace(/^\s*(?:\+|00)\s*86/, '').replace(/\D/g, '');
  if (phone === '') return '';
  if (digits.length >= 11) return `${digits.slice(0, 3)}****${digits.slice(-4)}`;
  return `****${digits.slice(-Math.floor(digits.length / 4) || digits.length)}`;
};
