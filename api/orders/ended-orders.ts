import { decide } from '../../domain/order-decide.ts';
import type { Refusal } from '../../domain/failures.ts';
import type { OrderMessage, Origin } from '../../domain/order-messages.ts';
import type { OrderTimers } from '../../domain/order-timers.ts';
import { auditFacets } from '../../domain/order-view.ts';
import { stepRequest } from '../../domain/step-request.ts';
import { chainEntry } from '../../models/audit-log.ts';
import type { IntakeStore } from '../../models/intake-store.ts';
import { ForeignRun, type OrderStepRequest, type StepCommitter } from '../../models/step-committer.ts';
import type { CommandAnswer } from '../../workflows/contract.ts';
import { Problem } from '../errors.ts';
import { KeyedLimit } from './keyed-limit.ts';

export interface EndedOrdersDeps {
  intake: IntakeStore;
  committer: Pick<StepCommitter, 'commit'>;
  timers: () => Promise<OrderTimers>;
}

/** What may still happen to an order whose workflow has ended; everything else is refused. */
const POSSIBLE: readonly OrderMessage['type'][] = ['assign', 'addPayment', 'caseResolved'];
const MAX_TRIES = 10;

/** Orders whose workflow has ended: the same rules, applied here to the state that it left, under the same revision guard. */
export class EndedOrders {
  readonly #deps: EndedOrdersDeps;
  /** One writer per order in this process; between processes the revision decides. */
  readonly #oneByOne = new KeyedLimit(1);

  constructor(deps: EndedOrdersDeps) {
    this.#deps = deps;
  }

  /** Nothing else of this process changes an ended order meanwhile. */
  exclusively<T>(orderId: string, work: () => Promise<T>): Promise<T> {
    return this.#oneByOne.run(orderId, work);
  }

  /** `open` when the order's workflow has not ended, or goes on again. */
  async apply(
    orderId: string,
    { message, origin, expectedRevision }: { message: OrderMessage; origin: Origin; expectedRevision?: number },
  ): Promise<CommandAnswer | 'open'> {
    return this.exclusively(orderId, async () => {
      for (let tries = 1; ; tries += 1) {
        const head = await this.#deps.intake.head(orderId);
        if (!head?.final || head.runId === null) return 'open';
        const { final, runId } = head;
        if (expectedRevision !== undefined && expectedRevision !== final.revision)
          return refused('stale_revision', `the order is at revision ${final.revision}, not ${expectedRevision}`);
        const now = new Date().toISOString();
        const decision = decide(final, message, { now, timers: await this.#deps.timers() });
        if (decision.kind === 'refused') return { refusal: decision.refusal };
        if (decision.kind === 'unchanged') return { revision: final.revision };
        if (!POSSIBLE.includes(message.type)) return refused('action_not_allowed', 'the order has ended');
        const before = auditFacets(final);
        const input = { step: decision.step, action: message.type, message, origin, at: now, before, runId };
        if (await this.#isCommitted(stepRequest(input, chainEntry))) return { revision: decision.step.next.revision };
        // Somebody else was faster: what they left is looked at afresh.
        if (tries >= MAX_TRIES)
          throw new Problem('unavailable', { detail: 'The order is being changed by many at once' });
      }
    });
  }

  /** A step with this revision that is not ours, by the hash of its audit entry, is another process's. */
  async #isCommitted(request: OrderStepRequest): Promise<boolean> {
    const ours = request.build(undefined).audit.hash;
    try {
      return (await this.#deps.committer.commit(request)).auditHash === ours;
    } catch (error) {
      if (error instanceof ForeignRun) return false;
      throw error;
    }
  }
}

const refused = (code: Refusal['code'], detail: string): CommandAnswer => ({
  refusal: { code, detail, ...(code === 'action_not_allowed' ? { allowedActions: [] } : {}) },
});
