import { randomInt } from 'node:crypto';

const SURNAMES = ['张', '王', '李', '赵', '陈', '杨', '黄', '周', '吴', '徐'];
const GIVEN = ['伟', '芳', '娜', '敏', '静', '磊', '洋', '艳', '杰', '霞'];
const PLACES = [
  { province: '浙江省', city: '杭州市', district: '西湖区', address: '文三路 90 号' },
  { province: '江苏省', city: '南京市', district: '玄武区', address: '中山路 18 号' },
  { province: '广东省', city: '深圳市', district: '南山区', address: '科苑路 15 号' },
] as const;

const pick = <T>(list: readonly T[]): T => list[randomInt(list.length)] as T;

export const someReceiver = () => ({
  name: `${pick(SURNAMES)}${pick(GIVEN)}`,
  phone: `139${String(randomInt(100_000_000)).padStart(8, '0')}`,
  ...pick(PLACES),
  pickupStation: false,
});

export interface DemoLine {
  skuCode?: string;
  platformSku?: string;
  quantity?: number;
  unitPrice?: number;
}

let count = 0;

/** A fresh order of the demo shop; `paid` is how much of it is paid at once, as a share. */
export const someOrder = (shopId: string, lines: DemoLine[], paid = 1, more: Record<string, unknown> = {}) => {
  const platformOrderId = `D${Date.now().toString(36)}${(count += 1).toString(36)}`.toUpperCase();
  const placedAt = new Date().toISOString();
  const body = lines.map((line, index) => ({
    lineId: String(index + 1),
    title: `Demo article ${line.skuCode ?? line.platformSku ?? ''}`,
    quantity: 1,
    unitPrice: 9900,
    discount: 0,
    ...line,
  }));
  const payable = body.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0) + 800;
  const amount = Math.round(payable * paid);
  return {
    shopId,
    platformOrderId,
    type: 'normal',
    placedAt,
    currency: 'CNY',
    buyer: { id: `buyer-${randomInt(1000)}`, firstOrder: randomInt(4) === 0 },
    receiver: someReceiver(),
    lines: body,
    orderDiscount: 0,
    freight: 800,
    payable,
    payments: amount > 0 ? [somePayment('p1', amount)] : [],
    ...more,
  };
};

export const somePayment = (paymentId: string, amount: number) => ({
  paymentId,
  method: 'alipay',
  transactionId: `DEMO${Date.now()}${randomInt(10_000)}`,
  amount,
  paidAt: new Date().toISOString(),
});
