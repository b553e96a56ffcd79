import type { Actor, OrderMessage, Origin } from './order-messages.ts';
import { auditFacets, changedFacets, orderViewOf, type OrderView } from './order-view.ts';
import { orderEntity } from './ids.ts';
import { withOutcome, type ReservationOutcome, type Step } from './order-step.ts';

export interface CommitStepInput {
  step: Step;
  /** Type of the message that the step answers. */
  action: string;
  /** The message itself, stored with the step: whoever meets the step again learns what it was. */
  message?: OrderMessage;
  origin: Origin;
  at: string;
  /** Audit facets of the state before the step. */
  before: Record<string, unknown>;
  /** First run of the order's workflow. */
  runId: string;
}

/** The step that was found written under the revision asked for, by what caused it and when. */
export interface WrittenStep {
  message: OrderMessage;
  /** RFC 3339, UTC. */
  at: string;
}

export interface StepAuditDraft {
  entity: string;
  at: Date;
  actor: Actor;
  from: { ip?: string; requestId?: string };
  action: string;
  detail: Readonly<Record<string, unknown>>;
  before: unknown;
  after: unknown;
}

/** What filters of the order list use; kept beside the view so that each is one index. */
export const searchFieldsOf = (view: OrderView) => ({
  holdCodes: view.holds.map(({ code }) => code),
  skuCodes: [...new Set(view.lines.flatMap(({ skuCode }) => (skuCode === null ? [] : [skuCode])))],
  warehouseIds: [...new Set([...view.allocations, ...view.shipments].map(({ warehouseId }) => warehouseId))],
  waybills: view.shipments.map(({ trackingNo }) => trackingNo),
  phoneIndex: view.receiver.phoneIndex,
});

/**
 * What the store is asked to write for a step, by whoever carries it out: the order's workflow, or the API for an order
 * whose workflow has ended. `chainEntry` makes the next entry of an entity's hash chain.
 */
export const stepRequest = <A extends { hash: string }>(
  { step, action, message, origin, at, before, runId }: CommitStepInput,
  chainEntry: (draft: StepAuditDraft, previous: { seq: number; hash: string } | null) => A,
) => {
  const { snapshot, revision, auditHash } = step.next;
  return {
    kind: 'orderStep' as const,
    orderId: snapshot.orderId,
    shopId: snapshot.shopId,
    revision,
    runId,
    takesOver: action === 'reinstated',
    ...(message === undefined ? {} : { message }),
    actor: origin.actor,
    at: new Date(at),
    stock: step.stock,
    cases: step.cases,
    build(outcome: ReservationOutcome | undefined) {
      const { next, happenings } = withOutcome(step, outcome);
      const audit = chainEntry(
        {
          entity: orderEntity(snapshot.orderId),
          at: new Date(at),
          actor: origin.actor,
          from: fromOf(origin),
          action: `order.${action}`,
          detail: { happened: happenings },
          ...changedFacets(before, auditFacets(next)),
        },
        revision > 1 ? { seq: revision - 1, hash: auditHash } : null,
      );
      const view = orderViewOf(next, at);
      const final = next.ended ? { ...next, auditHash: audit.hash } : null;
      return { fields: { ...view, ...searchFieldsOf(view), final }, audit };
    },
  };
};

const fromOf = ({ ip, requestId }: Origin) => ({
  ...(ip === undefined ? {} : { ip }),
  ...(requestId === undefined ? {} : { requestId }),
});
