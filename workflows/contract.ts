import { defineSignal, defineUpdate } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { orderWorkflowId } from '../domain/ids.ts';
import { initialState } from '../domain/order-life.ts';
import { statusOf } from '../domain/order-status.ts';
import type { OrderCommand, Origin } from '../domain/order-messages.ts';
import type { OrderSnapshot, OrderState, OrderStatus } from '../domain/order-model.ts';
import type { OrderTimers } from '../domain/order-timers.ts';
import type { Refusal } from '../domain/failures.ts';

/** Order activities share the orders queue, so that local activities and eager dispatch work. */
export const ORDERS_QUEUE = 'orders';

/** Platforms are asked and told here. */
export const CHANNELS_QUEUE = 'channels';
/** Warehouses' systems are told here. */
export const FULFILMENT_QUEUE = 'fulfilment';

/** An interactive order goes before bulk work on the same queue. */
export const INTERACTIVE_PRIORITY = 1;
export const BULK_PRIORITY = 4;

export const ORDER_WORKFLOW = 'orderWorkflow';

export const searchAttributes = {
  orderStatus: defineSearchAttributeKey('OrderStatus', 'KEYWORD'),
  channel: defineSearchAttributeKey('Channel', 'KEYWORD'),
  shopId: defineSearchAttributeKey('ShopId', 'KEYWORD'),
  holdCode: defineSearchAttributeKey('HoldCode', 'KEYWORD_LIST'),
  caseCode: defineSearchAttributeKey('CaseCode', 'KEYWORD_LIST'),
} as const;

/**
 * The status an engineer searches by. Every value between reservation and the end is `processing`: an upsert on each
 * would cost the engine a fifth of its throughput; the exact one is in the workflow's current details.
 */
export type SearchedStatus =
  'pending_payment' | 'on_hold' | 'backordered' | 'processing' | 'completed' | 'cancelled' | 'closed';

export const searchedStatusOf = (status: OrderStatus): SearchedStatus => {
  switch (status) {
    case 'pending_payment':
    case 'on_hold':
    case 'backordered':
    case 'completed':
    case 'cancelled':
    case 'closed':
      return status;
    default:
      return 'processing';
  }
};

export interface OrderWorkflowInput {
  /** The order as intake stored it; ignored when `carried` is given. */
  snapshot: OrderSnapshot;
  timers: OrderTimers;
  /** Version of the timers document that the order keeps for its life. */
  timersVersion: number;
  origin: Origin;
  /** What the workflow begins with: a new order, or a cancelled one that is brought back to life. */
  opening: 'opened' | 'reinstated';
  /** State of the run before: after a continue-as-new, or of the cancelled order. */
  carried?: OrderState;
  /** The first run of the chain; the view belongs to it alone. */
  firstRunId?: string;
  /** Events after which a run hands over to a new one; tests make runs short. */
  continueAtEvents?: number;
}

export interface OrderWorkflowResult {
  status: OrderStatus;
  revision: number;
}

export interface StartOrderInput {
  snapshot: OrderSnapshot;
  timers: OrderTimers & { version: number };
  origin: Origin;
  priorityKey?: number;
  /** Of a cancelled order that is brought back to life. */
  carried?: OrderState;
}

/** With what an order's workflow is started, whoever starts it. */
export const orderStartOptions = ({ snapshot, timers, origin, priorityKey, carried }: StartOrderInput) => {
  const { version, ...durations } = timers;
  const { orderId, shopId, channel, payable, currency, lines } = snapshot;
  const input: OrderWorkflowInput = {
    snapshot,
    timers: durations,
    timersVersion: version,
    origin,
    opening: carried ? 'reinstated' : 'opened',
    ...(carried ? { carried } : {}),
  };
  return {
    workflowId: orderWorkflowId(orderId),
    taskQueue: ORDERS_QUEUE,
    args: [input] as [OrderWorkflowInput],
    requestEagerStart: true,
    typedSearchAttributes: [
      { key: searchAttributes.orderStatus, value: searchedAtStart(snapshot) },
      { key: searchAttributes.channel, value: channel },
      { key: searchAttributes.shopId, value: shopId },
    ],
    priority: { priorityKey: priorityKey ?? INTERACTIVE_PRIORITY, fairnessKey: shopId },
    staticSummary: `${orderId}: ${lines.length} line${lines.length === 1 ? '' : 's'}, ${payable} ${currency}`,
  };
};

/** What an order will be when nothing stands in its way; the workflow corrects it otherwise. */
const searchedAtStart = (snapshot: OrderSnapshot): SearchedStatus => {
  const status = statusOf(initialState(snapshot));
  return status === 'backordered' ? 'processing' : searchedStatusOf(status);
};

/** One payload per command, so that fields can be added. */
export interface CommandInput<C extends OrderCommand = OrderCommand> {
  command: C;
  origin: Origin;
  /** When it was asked for, RFC 3339: the order judges it by this time, which is in the history, and not by its own clock. */
  at?: string;
  /** From `If-Match`: the command is refused with `stale_revision` when the order has moved on. */
  expectedRevision?: number;
  /** Of the record when the command was sent. An order that is behind its record catches up before it judges. */
  recordRevision?: number;
}

/** The view with this revision is readable when the answer arrives. */
export type CommandAnswer = { revision: number } | { refusal: Refusal };

/** Each command is an update of its own name, so that a history reads in the business's words. */
export const commandUpdates = {
  addPayment: defineUpdate<CommandAnswer, [CommandInput]>('addPayment'),
  cancel: defineUpdate<CommandAnswer, [CommandInput]>('cancel'),
  hold: defineUpdate<CommandAnswer, [CommandInput]>('hold'),
  release: defineUpdate<CommandAnswer, [CommandInput]>('release'),
  changeAddress: defineUpdate<CommandAnswer, [CommandInput]>('changeAddress'),
  phoneConfirmation: defineUpdate<CommandAnswer, [CommandInput]>('phoneConfirmation'),
  assign: defineUpdate<CommandAnswer, [CommandInput]>('assign'),
  ship: defineUpdate<CommandAnswer, [CommandInput]>('ship'),
  deliver: defineUpdate<CommandAnswer, [CommandInput]>('deliver'),
  split: defineUpdate<CommandAnswer, [CommandInput]>('split'),
  allocate: defineUpdate<CommandAnswer, [CommandInput]>('allocate'),
  joinParcel: defineUpdate<CommandAnswer, [CommandInput]>('joinParcel'),
  reportParcels: defineUpdate<CommandAnswer, [CommandInput]>('reportParcels'),
} satisfies Record<OrderCommand['type'], unknown>;

/** The queue of backorders has filled this round of the order's reservation. */
export const stockReservedSignal = defineSignal<[{ round: number }]>('stockReserved');
/** A platform's SKU of the order's shop now has ours. */
export const skuMappedSignal = defineSignal<[{ platformSku: string; skuCode: string }]>('skuMapped');
/** A person has dealt with a case of this order; whatever waited for that goes on. */
export const caseResolvedSignal = defineSignal<[{ caseId: string }]>('caseResolved');
/** An order that leaves in the same parcel was sent. */
export const parcelShippedSignal =
  defineSignal<[{ groupId: string; warehouseId: string; courier: string; trackingNo: string }]>('parcelShipped');
/** The platform's order has changed; the snapshot is the newest that intake has stored. */
export const platformChangedSignal = defineSignal<[{ snapshot: OrderSnapshot }]>('platformChanged');
