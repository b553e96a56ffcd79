import { setTimeout as sleep } from 'node:timers/promises';
import type { CaseRecord } from '../../models/case-records.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { ruleViolation } from '../orders/order-prices.ts';
import type { OrderServices } from '../orders/order-services.ts';
import { assertRevision } from '../revisions.ts';
import type { RouteContext } from '../route.ts';
import { takesAction, type CaseAction } from './case-next-steps.ts';
import { reinstateOrder } from './reinstate-order.ts';

export interface Resolution {
  note: string;
  action?: CaseAction | undefined;
}

type ResolveContext = Pick<
  RouteContext,
  'principal' | 'ability' | 'origin' | 'actor' | 'from' | 'ifMatch' | 'idempotencyKey'
>;

const TELL_TRIES = 3;

/** Carries out what was chosen, closes the case, and tells the order. */
export const resolveCase = (deps: Pick<ApiDeps, 'audit' | 'logger'>, services: OrderServices) => {
  const { cases, commands, desk, ended, intake } = services;
  const reinstate = reinstateOrder(services);

  const release = async (ctx: ResolveContext, record: CaseRecord, orderId: string): Promise<void> => {
    const head = await intake.head(orderId);
    if (!head) throw new Problem('not_found');
    const code = record.code === 'overpaid' ? 'overpaid' : 'amount_mismatch';
    const { ifMatch: _ofTheCase, ...ofTheOrder } = ctx;
    await commands.run(ofTheOrder, head, { type: 'release', code, roles: [...ctx.principal.roles] });
  };

  /** The order may have closed the case itself just now; then the note is all that is added. */
  const settle = (ctx: ResolveContext, caseId: string, { note, action }: Resolution): Promise<CaseRecord> =>
    deps.audit.record(`case/${caseId}`, async (session) => {
      const current = await cases.byId(caseId, session);
      if (!current) throw new Problem('not_found');
      if (current.state === 'resolved' && action === undefined) throw alreadyResolved(current);
      const at = new Date();
      const settled = await cases.settle(current, { resolvedBy: ctx.actor.id, note, at }, session);
      if (!settled) throw new Problem('conflict', { detail: 'The case was changed at the same time' });
      const { actor, from } = ctx;
      const change = { before: { state: current.state, note: current.note }, after: { state: 'resolved', note } };
      const detail = { code: current.code, ...(action === undefined ? {} : { choice: action }) };
      return { draft: { at, actor, from, action: 'case.resolved', detail, ...change }, result: settled };
    });

  const tellOrder = async (ctx: ResolveContext, orderId: string, caseId: string): Promise<void> => {
    for (let tries = 1; ; tries += 1)
      try {
        const message = { type: 'caseResolved', caseId } as const;
        // An order that has just ended is told through what it left.
        if ((await ended.apply(orderId, { message, origin: ctx.origin })) !== 'open') return;
        if (await desk.tellCaseResolved(orderId, caseId)) return;
        if (tries >= TELL_TRIES) return;
      } catch (error) {
        if (tries < TELL_TRIES) await sleep(200 * tries);
        else return deps.logger.warn('An order could not be told that a case is resolved', { orderId, caseId, error });
      }
  };

  return async (ctx: ResolveContext, record: CaseRecord, resolution: Resolution): Promise<CaseRecord> => {
    const { _id: caseId, code, orderId } = record;
    const { action } = resolution;
    assertRevision(ctx.ifMatch, record.revision);
    if (record.state === 'resolved') throw alreadyResolved(record);
    if (action !== undefined && !takesAction(code, action))
      throw ruleViolation({ path: 'action', message: `is not a way out of a case ${code}` });
    if (orderId !== null && action === 'reinstate') await reinstate(ctx, orderId);
    if (orderId !== null && action === 'release') await release(ctx, record, orderId);
    const settled = await settle(ctx, caseId, resolution);
    // The other actions have told the order already.
    if (orderId !== null && (action === undefined || action === 'refund')) await tellOrder(ctx, orderId, caseId);
    return settled;
  };
};

const alreadyResolved = ({ resolvedBy }: CaseRecord): Problem =>
  new Problem('action_not_allowed', {
    detail: `The case was resolved by ${resolvedBy ?? 'somebody'}`,
    allowedActions: [],
  });
