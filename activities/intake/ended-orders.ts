import { decide } from '../../domain/order-decide.ts';
import { initialState } from '../../domain/order-life.ts';
import type { OrderFact, Origin } from '../../domain/order-messages.ts';
import type { OrderSnapshot, OrderState } from '../../domain/order-model.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';
import { auditFacets } from '../../domain/order-view.ts';
import { stepRequest } from '../../domain/step-request.ts';
import type { AuditDraft, AuditEntry } from '../../models/audit-log.ts';
import type { CommitAnswer, OrderStepRequest } from '../../models/step-committer.ts';
import type { UntoldOrder } from '../../models/collected-orders.ts';

export interface EndedOrderDeps {
  orders: { endedState(orderId: string): Promise<{ state: OrderState; runId: string } | null> };
  committer: { commit(request: OrderStepRequest): Promise<CommitAnswer> };
  chainEntry: (draft: AuditDraft, previous: { seq: number; hash: string } | null) => AuditEntry;
  timers(): Promise<OrderTimers>;
  now(): Date;
}

/** Of a step of an order that never had a workflow; in the place of the workflow's first run. */
export const NO_WORKFLOW = 'none';

const ORIGIN: Origin = { actor: { kind: 'system', id: 'intake' } };
const MAX_TRIES = 10;

/** Orders that need no workflow: over when they were first seen, or ended since. The same rules, written by the view. */
export class EndedOrderBook {
  readonly #deps: EndedOrderDeps;

  constructor(deps: EndedOrderDeps) {
    this.#deps = deps;
  }

  /** False when the order is not over: it is its workflow's. The same again finds itself written. */
  async openEnded({ snapshot }: Pick<UntoldOrder, 'snapshot'>): Promise<boolean> {
    const state = initialState(snapshot);
    const request = await this.#request(state, { type: 'opened' }, NO_WORKFLOW);
    if (!request?.isEnd) return false;
    await this.#deps.committer.commit(request.step);
    return true;
  }

  /** False when the order has not ended, or goes on again. */
  async tellEnded(orderId: string, snapshot: OrderSnapshot): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      const ended = await this.#deps.orders.endedState(orderId);
      if (!ended) return false;
      const request = await this.#request(ended.state, { type: 'platformChanged', snapshot }, ended.runId);
      if (!request || (await this.#isWritten(request.step))) return true;
      if (tries >= MAX_TRIES) throw new Error('an ended order is being changed by many at once');
    }
  }

  /** Null when the rules say that nothing changes. */
  async #request(state: OrderState, message: OrderFact, runId: string) {
    const now = this.#deps.now().toISOString();
    const decision = decide(state, message, { now, timers: await this.#deps.timers() });
    if (decision.kind !== 'step') return null;
    const { step } = decision;
    const input = { step, action: message.type, message, origin: ORIGIN, at: now, before: auditFacets(state), runId };
    return { step: stepRequest(input, this.#deps.chainEntry), isEnd: step.next.ended !== null };
  }

  /** False when somebody else was faster: what they left is looked at afresh. */
  async #isWritten(request: OrderStepRequest): Promise<boolean> {
    const ours = request.build(undefined).audit.hash;
    try {
      return (await this.#deps.committer.commit(request)).auditHash === ours;
    } catch (error) {
      if ((error as Error).name === 'ForeignRun') return false;
      throw error;
    }
  }
}
