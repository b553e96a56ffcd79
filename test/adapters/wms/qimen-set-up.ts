import { after } from 'node:test';
import type { DeliveryOrder, WmsAccount } from '../../../adapters/wms/wms-port.ts';
import { QimenClient } from '../../../adapters/wms/qimen/qimen-client.ts';
import {
  startWmsSimulator,
  type WmsSimulator,
  type WmsSimulatorOptions,
} from '../../../simulators/wms/wms-simulator.ts';

export const ACCOUNT = { appKey: 'key-1', secret: 'secret-1', customerId: 'customer-1', warehouseId: 'wh1' };

/** A warehouse that does nothing by itself, and a client of it. */
export const startWarehouse = async (
  options: Partial<WmsSimulatorOptions> = {},
): Promise<{ wms: WmsSimulator; account: WmsAccount; client: QimenClient }> => {
  const wms = await startWmsSimulator({
    accounts: [{ ...ACCOUNT, callbackUrl: 'http://127.0.0.1:1/v1/qimen/wh1' }],
    life: { pickAfterMs: null, packAfterMs: null, shipAfterMs: null },
    ...options,
  });
  after(() => wms.stop());
  const account = { ...ACCOUNT, baseUrl: wms.url };
  return { wms, account, client: new QimenClient(account, { timeoutMs: 500 }) };
};

export const deliveryOrder = (code: string, changes: Partial<DeliveryOrder> = {}): DeliveryOrder => ({
  code,
  warehouseId: 'wh1',
  shopId: 'tao1',
  channel: 'taobao',
  platformOrderId: '1234567890123456789',
  placedAt: '2026-11-22T02:00:00.000Z',
  paidAt: '2026-11-22T02:01:00.000Z',
  courier: null,
  totalAmount: 28005,
  sender: { name: 'East', province: '浙江省', city: '杭州市' },
  receiver: {
    name: '张三丰',
    phone: '13812348000',
    province: '浙江省',
    city: '杭州市',
    district: '西湖区',
    address: '文三路 138 号 <3>',
    pickupStation: false,
    token: 'oaid-1',
  },
  lines: [
    { lineId: '1234567890123456701', skuCode: 'TEE-M', title: 'T-shirt & more', quantity: 2, unitPaid: 10000 },
    { lineId: '1234567890123456702', skuCode: 'MUG', title: 'Mug', quantity: 1, unitPaid: 8005 },
  ],
  ...changes,
});
