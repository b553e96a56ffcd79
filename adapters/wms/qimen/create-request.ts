import type { DeliveryOrder, WmsAccount } from '../wms-port.ts';
import { qimenTime } from './qimen-time.ts';
import type { XmlContents } from './xml.ts';

/** Qimen's names of the platforms that it knows; it has one for all others. */
const PLATFORM_CODES: Readonly<Record<string, string>> = { taobao: 'TB', tmall: 'TM', jd: 'JD' };
const OWN = 'own';
const TITLE_LENGTH = 200;

/** The body of `deliveryorder.create`: amounts in yuan, times on China's clock, our line ids as line numbers. */
export const createRequest = (
  order: DeliveryOrder,
  { customerId }: Pick<WmsAccount, 'customerId'>,
  now: Date,
): XmlContents => {
  const { receiver, sender } = order;
  const isPlatforms = order.channel !== OWN;
  return {
    deliveryOrder: {
      deliveryOrderCode: order.code,
      orderType: 'JYCK',
      warehouseCode: order.warehouseId,
      sourcePlatformCode: PLATFORM_CODES[order.channel] ?? 'OTHER',
      createTime: qimenTime(now),
      placeOrderTime: qimenTime(new Date(order.placedAt)),
      payTime: qimenTime(new Date(order.paidAt)),
      operateTime: qimenTime(now),
      shopNick: order.shopId,
      totalAmount: yuan(order.totalAmount),
      logisticsCode: order.courier ?? 'OTHER',
      senderInfo: {
        name: sender.name,
        province: sender.province,
        city: sender.city,
        detailAddress: `${sender.province}${sender.city}`,
      },
      receiverInfo: {
        name: receiver.name,
        mobile: receiver.phone,
        province: receiver.province,
        city: receiver.city,
        area: receiver.district,
        detailAddress: receiver.address,
        oaid: receiver.token,
      },
    },
    orderLines: {
      orderLine: order.lines.map((line) => ({
        orderLineNo: line.lineId,
        sourceOrderCode: order.platformOrderId,
        subSourceOrderCode: isPlatforms ? line.lineId : undefined,
        ownerCode: customerId,
        itemCode: line.skuCode,
        itemName: line.title.slice(0, TITLE_LENGTH),
        inventoryType: 'ZP',
        planQty: line.quantity,
        actualPrice: yuan(line.unitPaid),
      })),
    },
  };
};

/** 12345 fen are `123.45`, by digits: no fraction is ever computed. */
export const yuan = (fen: number | null): string | undefined => {
  if (fen === null) return undefined;
  const digits = String(fen).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
