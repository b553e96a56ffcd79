import { decide } from '../../domain/order-decide.ts';
import { Problem } from '../errors.ts';
import { problemOfRefusal } from '../orders/order-commands.ts';
import type { OrderServices } from '../orders/order-services.ts';
import type { RouteContext } from '../route.ts';

const TAKEN_OVER_WITHIN_MS = 10_000;
const MAX_TRIES = 3;

type ReinstateServices = Pick<OrderServices, 'intake' | 'desk' | 'ended' | 'timers' | 'watch'>;

/**
 * Brings a cancelled order back to life in a new run of its workflow, which takes the order over with its first step.
 * Throws the problem of the rule that forbids it.
 */
export const reinstateOrder =
  ({ intake, desk, ended, timers, watch }: ReinstateServices) =>
  async ({ origin }: Pick<RouteContext, 'origin'>, orderId: string): Promise<void> =>
    ended.exclusively(orderId, async () => {
      for (let tries = 1; ; tries += 1) {
        const head = await intake.head(orderId);
        if (!head?.final) throw notPossible('The order has not ended');
        const { final } = head;
        const inForce = await timers();
        const decision = decide(final, { type: 'reinstated' }, { now: new Date().toISOString(), timers: inForce });
        if (decision.kind === 'refused') throw problemOfRefusal(decision.refusal);
        const { snapshot } = final;
        const runId = await desk.reinstate({ snapshot, carried: final, timers: inForce, origin });
        if (runId === null) throw new Problem('conflict', { detail: 'The order is being reinstated by somebody else' });
        if (!(await watch.waitFor(orderId, final.revision + 1, TAKEN_OVER_WITHIN_MS)))
          throw new Problem('unavailable', { detail: 'The order is being reinstated; it takes longer than usual' });
        const now = await intake.head(orderId);
        if (now?.runId === runId) return;
        // Another process changed the ended order in between, so the new run cannot go on from what it was given.
        await desk.giveUp(orderId, runId, 'the order changed while it was being reinstated');
        if (tries >= MAX_TRIES)
          throw new Problem('unavailable', { detail: 'The order is being changed by many at once' });
      }
    });

const notPossible = (detail: string): Problem => new Problem('action_not_allowed', { detail, allowedActions: [] });
