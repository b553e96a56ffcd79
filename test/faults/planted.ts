import type { Random } from './seeded.ts';

/** Personal data that occurs nowhere but where it was put in, so that it can be searched for. */
export interface Planted {
  name: string;
  phone: string;
  address: string;
}

// Rare enough that no two of them stand side by side by chance.
const SURNAMES = ['澹台', '钟离', '宇文', '长孙', '慕容', '司徒', '公孙', '令狐'];
const SYLLABLES = ['璟', '翀', '婳', '沄', '翾', '珺', '霈', '昶', '赟', '妤', '姝', '麒'];
const STREETS = ['隐泉弄', '栖霞坞', '望舒巷', '沧浪里', '拾翠坊'];

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

export const plant = (random: Random): Planted => ({
  name: `${pick(random, SURNAMES)}${pick(random, SYLLABLES)}${pick(random, SYLLABLES)}`,
  phone: `1${pick(random, ['37', '51', '83', '98'])}${String(Math.floor(random() * 1e8)).padStart(8, '0')}`,
  address: `${pick(random, STREETS)}${1000 + Math.floor(random() * 8999)}号${100 + Math.floor(random() * 899)}室`,
});

/** A receiver in the town of the eastern warehouse. */
export const receiverOf = ({ name, phone, address }: Planted) => ({
  name,
  phone,
  address,
  province: '浙江省',
  city: '杭州市',
  district: '西湖区',
  pickupStation: false,
});
