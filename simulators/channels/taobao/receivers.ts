import { createHash } from 'node:crypto';
import type { Receiver, Trade } from './trade.ts';

/** Undefined is what is not said. */
export type ReceiverInput = { [Field in keyof Receiver]?: Receiver[Field] | undefined };

const SURNAMES = ['张', '王', '李', '赵', '陈', '杨', '黄', '周', '吴', '欧阳'];
const GIVEN = ['伟', '芳', '娜', '敏', '静', '磊', '洋', '艳', '志强', '秀英'];
const PLACES = [
  { state: '浙江省', city: '杭州市', district: '西湖区', street: '文三路' },
  { state: '江苏省', city: '南京市', district: '玄武区', street: '中山路' },
  { state: '广东省', city: '深圳市', district: '南山区', street: '科苑路' },
  { state: '北京', city: '北京市', district: '朝阳区', street: '建国路' },
] as const;

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)] as T;

export const someReceiver = (random: () => number): Receiver => {
  const { street, ...place } = pick(PLACES, random);
  return {
    name: pick(SURNAMES, random) + pick(GIVEN, random),
    mobile: `1${pick(['38', '39', '50', '86'], random)}${String(Math.floor(random() * 1e8)).padStart(8, '0')}`,
    ...place,
    address: `${street}${1 + Math.floor(random() * 300)}号${1 + Math.floor(random() * 20)}幢`,
  };
};

export const otherReceiver = (receiver: Receiver, said: ReceiverInput): Receiver => ({
  ...receiver,
  ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
});

const stars = (text: string, kept: number): string => text.slice(0, kept) + '*'.repeat(Math.max(2, text.length - kept));

/** What the platform shows of a receiver; who may ship opens the rest by the address token. */
export const maskReceiver = ({ name, mobile, address, ...place }: Receiver): Receiver => ({
  ...place,
  name: stars(name, 1),
  mobile: `${mobile.slice(0, 1)}******${mobile.slice(-4)}`,
  address: address.replace(/\d/g, '*').replace(/(?<=^..)[^*]/g, '*'),
});

/** The address token: of this trade and this receiver, another one after a change of address. */
export const oaidOf = ({ tid, receiver }: Trade): string =>
  createHash('sha256')
    .update(`${tid}\n${Object.values(receiver).join('\n')}`)
    .digest('base64url');

export const maskNick = (nick: string): string => `${nick.slice(0, 1)}**`;
