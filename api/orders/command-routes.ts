import { z } from 'zod';
import { isReleasable, mayRelease } from '../../domain/order-holds.ts';
import type { OrderCommand } from '../../domain/order-messages.ts';
import type { CommandTarget } from './order-commands.ts';
import type { Action, Principal } from '../auth/policy.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { defineRoute, type Route } from '../route.ts';
import { orderIdSchema } from '../schemas.ts';
import { assignCommand } from './assign-order.ts';
import { addPaymentCommand } from './add-payment.ts';
import {
  addressSchema,
  allocateSchema,
  assignSchema,
  cancelSchema,
  deliverySchema,
  holdSchema,
  paymentSchema,
  phoneConfirmationSchema,
  releaseSchema,
  shipmentSchema,
  splitSchema,
} from './order-schemas.ts';
import { orderServicesOf } from './order-services.ts';
import { orderAnswer } from './read/order-answer.ts';
import { orderSchema } from './read/order-schema.ts';
import { receiverRecordOf } from '../../domain/receiver-record.ts';

interface CommandRoute<B extends z.ZodType> {
  /** The last part of the path, and the word in `allowedActions`. */
  word: string;
  operationId: string;
  summary: string;
  description?: string;
  action: Action;
  body: B;
  /** What the roles alone forbid, before the order is looked at; throws 403. */
  assertMay?(body: z.output<B>, principal: Principal): void;
  command(
    body: z.output<B>,
    about: { head: CommandTarget; principal: Principal },
  ): OrderCommand | Promise<OrderCommand>;
}

/** The commands on one order, each answered with the order as it then is. */
export const createCommandRoutes = (deps: ApiDeps): Route[] => {
  const { commands, cases } = orderServicesOf(deps);
  const commandRoute = <B extends z.ZodType>(route: CommandRoute<B>): Route =>
    defineRoute({
      method: 'POST',
      path: `/v1/orders/{orderId}/${route.word}`,
      operationId: route.operationId,
      tag: 'orders',
      summary: route.summary,
      ...(route.description === undefined ? {} : { description: route.description }),
      access: { action: route.action, subject: 'Order' },
      params: z.strictObject({ orderId: orderIdSchema }),
      body: route.body,
      success: { status: 200, schema: orderSchema, description: 'The order as it is now' },
      idempotent: true,
      handler: async (ctx) => {
        const body = ctx.body as z.output<B>;
        route.assertMay?.(body, ctx.principal);
        const head = await commands.headInScope(ctx.params.orderId, route.action, ctx);
        const command = await route.command(body, { head, principal: ctx.principal });
        const record = await commands.run(ctx, head, command);
        if (command.type === 'assign') await cases.assign(head.orderId, command.username);
        return { status: 200, body: orderAnswer(record), revision: record.revision };
      },
    });

  return [
    commandRoute({
      word: 'payments',
      operationId: 'addPayment',
      summary: 'Add a payment',
      description: 'The same `paymentId` with the same content changes nothing, with other content it is refused.',
      action: 'pay',
      body: paymentSchema,
      command: (body, { head }) => addPaymentCommand(body, head, deps.sealer),
    }),
    commandRoute({
      word: 'cancel',
      operationId: 'cancelOrder',
      summary: 'Cancel what has not been sent',
      action: 'command',
      body: cancelSchema,
      command: ({ reason }) => ({ type: 'cancel', reason }),
    }),
    commandRoute({
      word: 'hold',
      operationId: 'holdOrder',
      summary: 'Hold the order; nothing ships while a hold stands',
      action: 'command',
      body: holdSchema,
      command: ({ code, detail, until }) => ({ type: 'hold', code, detail, ...(until === undefined ? {} : { until }) }),
    }),
    commandRoute({
      word: 'release',
      operationId: 'releaseOrder',
      summary: 'End a hold',
      action: 'release',
      body: releaseSchema,
      assertMay: ({ code }, { roles }) => {
        if (isReleasable(code) && !mayRelease(code, roles))
          throw new Problem('forbidden', { detail: `No role of yours ends a hold ${code}` });
      },
      command: ({ code }, { principal }) => ({ type: 'release', code, roles: [...principal.roles] }),
    }),
    commandRoute({
      word: 'address',
      operationId: 'changeAddress',
      summary: 'Change the receiver',
      action: 'command',
      body: addressSchema,
      command: ({ receiver }) => ({ type: 'changeAddress', receiver: receiverRecordOf(receiver, deps.sealer) }),
    }),
    commandRoute({
      word: 'phone-confirmation',
      operationId: 'confirmByPhone',
      summary: 'Record what the buyer said on the phone',
      action: 'command',
      body: phoneConfirmationSchema,
      command: ({ outcome, note }) => ({ type: 'phoneConfirmation', outcome, note }),
    }),
    commandRoute({
      word: 'assign',
      operationId: 'assignOrder',
      summary: 'Give the order to a person',
      description:
        'An agent takes an order themselves, any order of their shops by its id; others may give it to anybody of the shop.',
      action: 'assign',
      body: assignSchema,
      command: ({ username }, { head, principal }) => assignCommand(username, head, principal, deps.users),
    }),
    commandRoute({
      word: 'shipments',
      operationId: 'shipOrder',
      summary: 'Report a parcel that has left',
      description: 'The same waybill with the same goods changes nothing, with other goods it is refused.',
      action: 'ship',
      body: shipmentSchema,
      command: (shipment) => ({ type: 'ship', ...shipment }),
    }),
    commandRoute({
      word: 'deliveries',
      operationId: 'deliverShipment',
      summary: 'Report that a parcel has arrived',
      action: 'ship',
      body: deliverySchema,
      command: ({ shipmentId, deliveredAt }) => ({
        type: 'deliver',
        shipmentId,
        ...(deliveredAt === undefined ? {} : { deliveredAt }),
      }),
    }),
    commandRoute({
      word: 'split',
      operationId: 'splitOrder',
      summary: 'Part the reserved goods into parcels',
      action: 'route',
      body: splitSchema,
      command: ({ groups }) => ({
        type: 'split',
        groups: groups.map(({ warehouseId, lines }) => ({
          lines,
          ...(warehouseId === undefined ? {} : { warehouseId }),
        })),
      }),
    }),
    commandRoute({
      word: 'allocate',
      operationId: 'allocateOrder',
      summary: 'Reserve the goods in another warehouse, all or nothing',
      action: 'route',
      body: allocateSchema,
      command: ({ warehouseId }) => ({ type: 'allocate', warehouseId }),
    }),
  ];
};
