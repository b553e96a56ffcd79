import { randomUUID } from 'node:crypto';
import { before } from 'node:test';
import { WorkflowUpdateFailedError, type Client, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { createOrderActivities } from '../../activities/order-activities.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { OrderCommand, Origin } from '../../domain/order-messages.ts';
import type { OrderSnapshot, OrderState, Payment } from '../../domain/order-model.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';
import { chainEntry } from '../../models/audit-log.ts';
import {
  CHANNELS_QUEUE,
  commandUpdates,
  FULFILMENT_QUEUE,
  ORDER_WORKFLOW,
  searchAttributes,
  stockReservedSignal,
  type CommandAnswer,
  type CommandInput,
  type OrderWorkflowInput,
} from '../../workflows/contract.ts';
import type { orderWorkflow } from '../../workflows/order-workflow.ts';
import { FakeLedger } from '../support/fake-ledger.ts';
import { FakeOutside, outsideActivities } from './fake-outside.ts';
import { eventually, newQueue, useTemporal, type TemporalBench } from '../support/temporal.ts';

const STARTED = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;

export const ORIGIN: Origin = { actor: { kind: 'user', id: 'ann' }, requestId: 'r1' };
export const TEN_DAYS: OrderTimers = { paymentTimeoutMs: 1_800_000, autoCompleteMs: 864_000_000 };

type Handle = WorkflowHandleWithFirstExecutionRunId<typeof orderWorkflow>;

/** One queue for the orders of many ledgers, and what they ask of the outside. */
export const servingActivities = () => {
  const benches = new Map<string, OrderBench>();
  const benchOf = (orderId: string): OrderBench => {
    const bench = benches.get(orderId.split('-')[0] ?? '');
    if (!bench) throw new Error(`no test has the order ${orderId}`);
    return bench;
  };
  const ledgerOf = (orderId: string): FakeLedger => benchOf(orderId).ledger;
  return {
    taskQueue: newQueue(),
    activities: createOrderActivities({
      committer: { commit: (request) => ledgerOf(request.orderId).commit(request) },
      cases: { open: (entry) => ledgerOf(entry.orderId ?? '').open(entry) },
      chainEntry,
    }),
    outside: outsideActivities((orderId) => benchOf(orderId).outside),
    add: (bench: OrderBench) => void benches.set(bench.prefix, bench),
  };
};

/** Works the queues of warehouses and platforms, which have fixed names: on a server that nobody else uses. */
export const workOutside = (
  temporal: Pick<TemporalBench, 'work'>,
  { outside }: Pick<ReturnType<typeof servingActivities>, 'outside'>,
): Promise<{ stop(): Promise<void> }[]> =>
  Promise.all(
    [FULFILMENT_QUEUE, CHANNELS_QUEUE].map((taskQueue) =>
      temporal.work({ taskQueue, activities: outside, hasWorkflows: false }),
    ),
  );

/** The orders of one file's tests: one worker serves them all, each test has a ledger of its own. */
export const useOrders = (temporal: TemporalBench = useTemporal(), { hasOutside = false } = {}) => {
  const serving = servingActivities();
  const { taskQueue, activities, add } = serving;
  before(() => temporal.work({ taskQueue, activities }));
  if (hasOutside) before(() => workOutside(temporal, serving));
  /** Runs a test's story and ends the workflows that it leaves behind. */
  const story =
    (tell: (bench: OrderBench) => Promise<void>, ...warehouseIds: string[]) =>
    async (): Promise<void> => {
      const bench = new OrderBench(temporal, taskQueue, warehouseIds);
      add(bench);
      try {
        await tell(bench);
      } finally {
        await bench.end();
      }
    };
  return { temporal, story };
};

/** `isEager`: as the API starts it, over a real server's connection that it shares with the worker. */
type StartOptions = Partial<OrderSnapshot & OrderWorkflowInput> & { taskQueue?: string; isEager?: boolean };

export class OrderBench {
  readonly ledger: FakeLedger;
  readonly outside = new FakeOutside();
  readonly prefix = `own1.${randomUUID().slice(0, 8)}`;
  readonly #temporal: TemporalBench;
  readonly #taskQueue: string;
  readonly #orders: Order[] = [];

  constructor(temporal: TemporalBench, taskQueue: string, warehouseIds: string[]) {
    this.#temporal = temporal;
    this.#taskQueue = taskQueue;
    this.ledger = new FakeLedger(...warehouseIds);
    this.ledger.onFilled = (orderId, round) =>
      void temporal.client.workflow.getHandle(orderWorkflowId(orderId)).signal(stockReservedSignal, { round });
  }

  /** These warehouses are worked by systems of their own. */
  haveSystems(...warehouseIds: string[]): void {
    const { warehouses } = this.ledger;
    for (const [index, warehouse] of warehouses.entries())
      warehouses[index] = { ...warehouse, hasWms: warehouseIds.includes(warehouse.warehouseId) };
  }

  /** Taken in now; a payment in it was made now. */
  readonly start = async (
    make: (rest: Partial<OrderSnapshot>) => OrderSnapshot,
    { taskQueue = this.#taskQueue, isEager = false, ...rest }: StartOptions = {},
  ): Promise<Order> => {
    const now = new Date(await this.#temporal.now()).toISOString();
    const orderId = `${this.prefix}-${this.#orders.length + 1}`;
    const { timers = TEN_DAYS, continueAtEvents, ...given } = rest;
    const made = make({ orderId, placedAt: now, receivedAt: now, ...given });
    const snapshot = { ...made, payments: made.payments.map((payment) => ({ ...payment, paidAt: now })) };
    const input = { snapshot, timers, timersVersion: 1, origin: ORIGIN, opening: 'opened' as const };
    const limited = continueAtEvents === undefined ? input : { ...input, continueAtEvents };
    return this.#begin(limited, taskQueue, isEager);
  };

  /** Goes on with an order that was cancelled, as the API does by an operator's choice. */
  readonly reinstate = async (
    carried: OrderState | null,
    rest: Pick<OrderWorkflowInput, 'continueAtEvents'> = {},
  ): Promise<Order> => {
    if (!carried) throw new Error('the order has not ended');
    const { snapshot } = carried;
    const input = { snapshot, carried, timers: TEN_DAYS, timersVersion: 1, origin: ORIGIN };
    return this.#begin({ ...input, ...rest, opening: 'reinstated' }, this.#taskQueue);
  };

  /** A queue that only workers of this test serve, so that they can die. */
  ownQueue(): { taskQueue: string; work: () => Promise<{ stop(): Promise<void> }> } {
    const taskQueue = newQueue();
    const activities = createOrderActivities({ committer: this.ledger, cases: this.ledger, chainEntry });
    return { taskQueue, work: () => this.#temporal.work({ taskQueue, activities, maxCachedWorkflows: 0 }) };
  }

  async end(): Promise<void> {
    this.outside.open();
    for (const order of this.#orders) {
      // A run that is ended within a task would leave this server's clock locked.
      await order.isQuiet().catch(() => undefined);
      await order.newest.terminate('the test is over').catch(() => undefined);
    }
    // What was ended is settled when the clock moves.
    await this.#temporal.pass(1);
  }

  async #begin(input: OrderWorkflowInput, taskQueue: string, isEager = false): Promise<Order> {
    const handle = await this.#temporal.client.workflow.start<typeof orderWorkflow>(ORDER_WORKFLOW, {
      workflowId: orderWorkflowId(input.snapshot.orderId),
      taskQueue,
      args: [input],
      requestEagerStart: isEager,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      typedSearchAttributes: [{ key: searchAttributes.orderStatus, value: 'processing' }],
    });
    const order = new Order(this.#temporal, this.ledger, handle, input.snapshot);
    this.#orders.push(order);
    return order;
  }
}

/** The server, and what its workflows see as now. */
interface Clocked {
  client: Client;
  now(): Promise<number>;
}

export class Order {
  readonly handle: Handle;
  /** As it was taken in. */
  readonly snapshot: OrderSnapshot;
  readonly #temporal: Clocked;
  readonly #ledger: FakeLedger;

  constructor(temporal: Clocked, ledger: FakeLedger, handle: Handle, snapshot: OrderSnapshot) {
    this.snapshot = snapshot;
    this.#temporal = temporal;
    this.#ledger = ledger;
    this.handle = handle;
  }

  /** Whichever run of the order is the newest. */
  get newest() {
    return this.#temporal.client.workflow.getHandle<typeof orderWorkflow>(this.handle.workflowId);
  }

  get id(): string {
    return this.handle.workflowId.replace('order/', '');
  }

  get view() {
    return this.#ledger.view(this.id);
  }

  get actions(): string[] {
    return this.#ledger.actions(this.id);
  }

  get openCases(): string[] {
    return this.#ledger.openCases(this.id);
  }

  /** Waits until the view has this status and the task that wrote it is over; within a task no clock can be moved on. */
  async is(status: string): Promise<void> {
    await eventually(() => {
      if (this.view.status !== status) throw new Error(`${this.id} is ${this.view.status}, not ${status}`);
    });
    await this.details();
  }

  /** What the caller of a command is told: the order's status, or the code of the refusal and who refused. */
  async tell(command: OrderCommand, rest: Partial<CommandInput> = {}): Promise<string> {
    const answer = await this.ask(command, rest);
    return 'refusal' in answer ? answer.refusal.code : this.view.status;
  }

  /** A refusal by the validator has `isRejected`: it left nothing in the history. */
  async ask(
    command: OrderCommand,
    rest: Partial<CommandInput> = {},
  ): Promise<CommandAnswer & { isRejected?: boolean }> {
    try {
      const at = new Date(await this.#temporal.now()).toISOString();
      const input = { command, origin: ORIGIN, at, ...rest };
      return await this.newest.executeUpdate(commandUpdates[command.type], { args: [input] });
    } catch (error) {
      const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (!(cause instanceof ApplicationFailure) || !cause.type) throw error;
      return { refusal: { code: cause.type as 'conflict', detail: cause.message }, isRejected: true };
    }
  }

  async events(): Promise<string[]> {
    const { events } = await this.newest.fetchHistory();
    return (events ?? []).map((event) => {
      const key = Object.keys(event).find((name) => name.endsWith('EventAttributes')) ?? '';
      return key.replace('EventAttributes', '');
    });
  }

  /** Waits until nobody is at work for the order. */
  async isQuiet(): Promise<void> {
    await eventually(async () => {
      const { raw } = await this.newest.describe();
      const running = raw.pendingActivities?.filter(({ state }) => state === STARTED) ?? [];
      const events = await this.events();
      const count = (pattern: RegExp) => events.filter((event) => pattern.test(event)).length;
      if (running.length > 0 || count(/^workflowTaskScheduled/) > count(/^workflowTask(Completed|Failed|TimedOut)/))
        throw new Error(`${this.id} is at work`);
    });
  }

  /** What the UI says that the order waits for. */
  async details(): Promise<string> {
    const metadata = await this.newest.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return metadata.currentDetails ?? '';
  }

  /** The audit's chain is whole: one entry a revision, each with the hash of the one before. */
  get isChained(): boolean {
    return this.#ledger
      .auditOf(this.id)
      .every(
        ({ seq, prevHash }, index, all) => seq === index + 1 && prevHash === (all[index - 1]?.hash ?? '0'.repeat(64)),
      );
  }
}

/** The state of a cancelled order to which money has come since. */
export const reinstatable = (final: OrderState | null, late: Payment): OrderState => {
  if (!final) throw new Error('the order has not ended');
  const { snapshot } = final;
  return { ...final, snapshot: { ...snapshot, payments: [...snapshot.payments, late] } };
};
