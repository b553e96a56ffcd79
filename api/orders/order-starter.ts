import type { OrderTimers } from '../../domain/order-timers.ts';
import type { IntakeStore, UntakenOrder } from '../../models/intake-store.ts';
import type { OrderDeskClient } from './order-desk-client.ts';

/** Hands stored orders to their workflows, with the timers that are in force. */
export class OrderStarter {
  readonly #intake: IntakeStore;
  readonly #desk: OrderDeskClient;
  readonly #timers: () => Promise<OrderTimers & { version: number }>;

  constructor(intake: IntakeStore, desk: OrderDeskClient, timers: () => Promise<OrderTimers & { version: number }>) {
    this.#intake = intake;
    this.#desk = desk;
    this.#timers = timers;
  }

  /** False when it had been started before. */
  async start({ snapshot, origin }: Pick<UntakenOrder, 'snapshot' | 'origin'>, priorityKey?: number): Promise<boolean> {
    const timers = await this.#timers();
    return this.#desk.start({ snapshot, origin, timers, ...(priorityKey === undefined ? {} : { priorityKey }) });
  }

  /** Starts the workflow of an order that none has taken up; harmless when one has. */
  async startUntaken(orderId: string): Promise<void> {
    const order = await this.#intake.untaken(orderId);
    if (order) await this.start(order);
  }
}
