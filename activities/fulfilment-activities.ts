import type { LineQuantity, OrderSnapshot } from '../domain/order-model.ts';
import type { CreateWmsClient, WmsAccount, WmsAnswer, WmsClient } from '../adapters/wms/wms-port.ts';
import { failureOf } from './adapter-failure.ts';
import type { SealedReceiver } from '../domain/receiver-record.ts';
import { deliveryOrderOf } from './delivery-order.ts';

export interface HandOverInput {
  /** Ours, unique for ever: the same again is the same delivery. */
  code: string;
  warehouseId: string;
  snapshot: OrderSnapshot;
  lines: LineQuantity[];
  courier: string | null;
  paidAt: string;
}

export interface StopDeliveryInput {
  code: string;
  warehouseId: string;
  reason: string;
}

export interface FulfilmentActivities {
  handOver: (input: HandOverInput) => Promise<WmsAnswer>;
  stopDelivery: (input: StopDeliveryInput) => Promise<WmsAnswer>;
}

/** A warehouse that is worked by a system, with what it is called by. */
export interface WmsWarehouse {
  name: string;
  province: string;
  city: string;
  account: WmsAccount;
}

export interface FulfilmentDeps {
  /** Null for a warehouse that is not there or has no system. */
  warehouses: { find(warehouseId: string): Promise<WmsWarehouse | null> };
  createWmsClient: CreateWmsClient;
  /** Of a receiver's `sealed`. */
  unseal: (sealed: string) => SealedReceiver;
}

export const createFulfilmentActivities = (deps: FulfilmentDeps): FulfilmentActivities => ({
  /** Safe to repeat: the delivery's code is derived from the order, and a warehouse that has it answers that it is done. */
  async handOver(input) {
    return atWarehouse(deps, input.warehouseId, async (client, warehouse) => {
      const order = deliveryOrderOf(input, warehouse, deps.unseal);
      return typeof order === 'string' ? { state: 'refused', detail: order } : client.create(order);
    });
  },

  /** Safe to repeat: what was stopped before is found stopped, and what has left stays refused. */
  async stopDelivery({ code, warehouseId, reason }) {
    return atWarehouse(deps, warehouseId, (client) => client.stop(code, reason));
  },
});

const atWarehouse = async (
  { warehouses, createWmsClient }: FulfilmentDeps,
  warehouseId: string,
  ask: (client: WmsClient, warehouse: WmsWarehouse) => Promise<WmsAnswer>,
): Promise<WmsAnswer> => {
  const warehouse = await warehouses.find(warehouseId);
  // It had one when the order was allocated: a person has to see to it.
  if (!warehouse) return { state: 'refused', detail: `warehouse ${warehouseId} has no system any more` };
  try {
    return await ask(createWmsClient(warehouse.account), warehouse);
  } catch (error) {
    throw failureOf(error);
  }
};
