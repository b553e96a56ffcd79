import { randomUUID } from 'node:crypto';
import type { Refusal } from '../../domain/failures.ts';
import type { OrderCommand } from '../../domain/order-messages.ts';
import type { IntakeStore, OrderHead } from '../../models/intake-store.ts';
import type { OrderFields } from '../../models/step-committer.ts';
import type { OrderStore } from '../../models/order-store.ts';
import type { OrderWatch } from '../../models/order-watch.ts';
import type { CommandAnswer, CommandInput } from '../../workflows/contract.ts';
import { assertInScope } from '../auth/scope.ts';
import type { Action } from '../auth/policy.ts';
import { Problem } from '../errors.ts';
import type { RouteContext } from '../route.ts';
import type { EndedOrders } from './ended-orders.ts';
import type { OrderDeskClient } from './order-desk-client.ts';
import type { OrderStarter } from './order-starter.ts';

export interface OrderCommandsDeps {
  intake: IntakeStore;
  orders: OrderStore;
  watch: OrderWatch;
  desk: OrderDeskClient;
  ended: EndedOrders;
  starter: OrderStarter;
}

/** What is known of an order when a command is sent to it; the order itself has the last word. */
export type CommandTarget = Omit<OrderHead, '_id' | 'runId'>;

export type CommandContext = Pick<RouteContext, 'ability' | 'origin' | 'ifMatch' | 'idempotencyKey'>;

const VIEW_WITHIN_MS = 3000;
/** An order may end, or come back to life, while a command is on its way. */
const MAX_TURNS = 3;

/** Carries commands to orders, wherever they are in their life, and brings back the view that shows the effect. */
export class OrderCommands {
  readonly #deps: OrderCommandsDeps;

  constructor(deps: OrderCommandsDeps) {
    this.#deps = deps;
  }

  /** Throws 404 for an order that is not there or not in the caller's scope. */
  async headInScope(
    orderId: string,
    action: Action,
    { ability }: Pick<CommandContext, 'ability'>,
  ): Promise<CommandTarget> {
    const head = this.#deps.watch.recent(orderId) ?? (await this.#deps.intake.head(orderId));
    if (!head) throw new Problem('not_found');
    assertInScope(ability, action, 'Order', { ...head });
    return head;
  }

  /** Answers with the record at or after the revision that the command made; throws the problem that refuses it. */
  async run(ctx: CommandContext, head: CommandTarget, command: OrderCommand): Promise<OrderFields> {
    const { orderId } = head;
    const input: CommandInput = {
      command,
      origin: ctx.origin,
      ...(ctx.ifMatch === undefined ? {} : { expectedRevision: ctx.ifMatch }),
    };
    const answer = await this.#ask(head, input, ctx.idempotencyKey ?? `request-${randomUUID()}`);
    if ('refusal' in answer) throw problemOfRefusal(answer.refusal);
    return this.view(orderId, answer.revision);
  }

  /** The order's record at or after a revision. */
  async view(orderId: string, revision: number): Promise<OrderFields> {
    const shown = this.#deps.watch.shown(orderId, revision);
    if (shown) return shown;
    const record = await this.#deps.orders.byId(orderId);
    if (record && record.revision >= revision) return record;
    if (record && (await this.#deps.watch.waitFor(orderId, revision, VIEW_WITHIN_MS))) {
      const later = await this.#deps.orders.byId(orderId);
      if (later) return later;
    }
    throw new Problem('unavailable', { detail: 'The view of the order is behind; what was asked for is done' });
  }

  async #ask(head: CommandTarget, input: CommandInput, updateId: string): Promise<CommandAnswer> {
    const { orderId } = head;
    const { command, origin, expectedRevision } = input;
    const message = { message: command, origin, ...(expectedRevision === undefined ? {} : { expectedRevision }) };
    let current: CommandTarget | null = head;
    for (let turn = 1; turn <= MAX_TURNS && current; turn += 1) {
      if (current.revision === 0) await this.#deps.starter.startUntaken(orderId);
      // An order that has ended is asked too: a worker may have written its end and died before the engine knew.
      const recordRevision = current.revision;
      const asked = await this.#deps.desk.send(orderId, { ...input, recordRevision, updateId });
      if (asked !== 'ended') return asked;
      if (current.final) {
        const answer = await this.#deps.ended.apply(orderId, message);
        // A repeated request whose first answer was lost may be what ended the order.
        if (answer !== 'open' && 'refusal' in answer)
          return (await this.#deps.desk.answerGiven(orderId, updateId)) ?? answer;
        if (answer !== 'open') return answer;
      }
      current = await this.#deps.intake.head(orderId);
    }
    // The record says that the order is open, and the engine knows no running workflow of it.
    throw new Problem('unavailable', {
      detail: `The workflow order/${orderId} is not running although the order is open; operations must look at it`,
    });
  }
}

/** What a refusal is to the caller. */
export const problemOfRefusal = ({ code, detail, allowedActions }: Refusal): Problem =>
  new Problem(code, { detail, ...(allowedActions ? { allowedActions } : {}) });
