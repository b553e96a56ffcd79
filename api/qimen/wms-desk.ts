import { orderOfDelivery } from '../../domain/delivery-orders.ts';
import { isOrderId } from '../../domain/ids.ts';
import type { Origin } from '../../domain/order-messages.ts';
import type { Progress, ShipmentReport } from '../../adapters/wms/qimen/push-parsing.ts';
import type { DeliveryProgress } from '../../models/delivery-progress.ts';
import { Problem } from '../errors.ts';
import type { OrderServices } from '../orders/order-services.ts';
import { NOBODY } from '../request-state.ts';

/** Where the words of warehouses' systems go. Each call throws the problem that refuses it, or 503 to be asked again. */
export interface WmsDesk {
  /** The same report again changes nothing. */
  book(warehouseId: string, report: ShipmentReport, origin: Origin): Promise<void>;
  note(warehouseId: string, progress: Progress): Promise<void>;
}

type Parts = Pick<OrderServices, 'commands' | 'intake' | 'orders' | 'watch'> & {
  progress: Pick<DeliveryProgress, 'note'>;
};

/** The orders themselves; whose a delivery is, and whether its goods can have left, is for the order to say. */
export const orderWmsDesk = ({ commands, intake, orders, watch, progress }: Parts): WmsDesk => ({
  async book(warehouseId, report, origin) {
    const orderId = orderIdOf(report.deliveryOrderCode);
    const head = watch.recent(orderId) ?? (await intake.head(orderId));
    if (!head) throw unknownDelivery();
    // Warehouses number their reports each for itself, some anew for every delivery.
    const outBizCode = `${report.deliveryOrderCode}/${report.outBizCode}`;
    const command = { type: 'reportParcels', warehouseId, ...report, outBizCode } as const;
    await commands.run({ ability: NOBODY.ability, origin }, head, command);
  },

  async note(warehouseId, { deliveryOrderCode: code, status }) {
    const orderId = orderIdOf(code);
    const order = await orders.listedById(orderId);
    const isTheirs = [...(order?.allocations ?? []), ...(order?.shipments ?? [])].some(
      (goods) => goods.warehouseId === warehouseId,
    );
    if (!isTheirs) throw unknownDelivery();
    await progress.note({ orderId, warehouseId, code, status, at: new Date() });
  },
});

const orderIdOf = (code: string): string => {
  const orderId = orderOfDelivery(code);
  if (orderId === null || !isOrderId(orderId)) throw unknownDelivery();
  return orderId;
};

const unknownDelivery = () => new Problem('not_found', { detail: 'the delivery order is not known here' });
