import { createHash, randomUUID } from 'node:crypto';
import type { OrderRecord } from '../../models/order-records.ts';
import type { OrderFields } from '../../models/step-committer.ts';
import type { Logger } from '../../runtime/logger.ts';
import { assertInScope } from '../auth/scope.ts';
import { Problem } from '../errors.ts';
import type { CommandContext, OrderCommands } from './order-commands.ts';
import { ruleViolation } from './order-prices.ts';
import type { OrderServices } from './order-services.ts';

/** The same orders are the same parcel, in whatever order they are named. */
const groupIdOf = (orderIds: readonly string[]): string =>
  `P${createHash('sha256').update(orderIds.toSorted().join('\n')).digest('hex').slice(0, 16)}`;

/** Joins orders of one buyer and address into one parcel: all of them, or none. Throws the problem of the first that cannot. */
export const mergeOrders =
  ({ commands, orders }: Pick<OrderServices, 'commands' | 'orders'>, logger: Logger) =>
  async (ctx: CommandContext, orderIds: readonly string[]): Promise<OrderFields[]> => {
    const records = await Promise.all(
      orderIds.map(async (orderId) => {
        const record = await orders.byId(orderId);
        if (!record) throw new Problem('not_found', { detail: `There is no order ${orderId}` });
        assertInScope(ctx.ability, 'route', 'Order', { ...record });
        return record;
      }),
    );
    assertMergeable(records, orderIds);
    const joined: OrderRecord[] = [];
    try {
      const answers: OrderFields[] = [];
      for (const record of records) {
        answers.push(await join(commands, ctx, record, orderIds));
        if (record.parcelGroup?.groupId !== groupIdOf(orderIds)) joined.push(record);
      }
      return answers;
    } catch (error) {
      for (const record of joined)
        await join(commands, ctx, record, [record.orderId]).catch((undoError: unknown) =>
          logger.error('An order stays in a parcel that did not come about', {
            orderId: record.orderId,
            error: undoError,
          }),
        );
      throw error;
    }
  };

/** Joining is idempotent by the group, so each try is an update of its own: one that was undone must be carried out again. */
const join = (
  commands: OrderCommands,
  { ability, origin }: CommandContext,
  record: OrderRecord,
  orderIds: readonly string[],
): Promise<OrderFields> =>
  commands.run({ ability, origin, idempotencyKey: `merge-${randomUUID()}` }, record, {
    type: 'joinParcel',
    groupId: groupIdOf(orderIds),
    orderIds: orderIds.toSorted(),
  });

const assertMergeable = (records: readonly OrderRecord[], orderIds: readonly string[]): void => {
  const [first] = records;
  if (!first) return;
  const wanted = groupIdOf(orderIds);
  const warehouseId = first.allocations[0]?.warehouseId;
  records.forEach((record, index) => {
    const path = `orderIds.${index}`;
    const { orderId, allowedActions, allocations, parcelGroup, receiver } = record;
    if (!allowedActions.includes('merge'))
      throw new Problem('action_not_allowed', { detail: `Order ${orderId} cannot be merged now`, allowedActions });
    if (record.shopId !== first.shopId || record.buyerId !== first.buyerId)
      throw ruleViolation({ path, message: 'is of another buyer' });
    if (receiver.addressIndex === '' || receiver.addressIndex !== first.receiver.addressIndex)
      throw ruleViolation({ path, message: 'goes to another address' });
    if (allocations.some((allocation) => allocation.warehouseId !== warehouseId))
      throw ruleViolation({ path, message: 'does not leave one and the same warehouse' });
    if (parcelGroup && parcelGroup.groupId !== wanted)
      throw new Problem('conflict', {
        detail: `Order ${orderId} is in another parcel: ${parcelGroup.orderIds.join(', ')}`,
      });
  });
};
