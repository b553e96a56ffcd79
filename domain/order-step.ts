import type { CaseCode, Hold, OrderState, Allocation } from './order-model.ts';
import type { OrderTimers } from './order-timers.ts';
import type { Refusal } from './failures.ts';
import { allowedActions } from './order-actions.ts';
import { caseIdOf } from './ids.ts';
import { withDeliveriesAsked } from './delivery-orders.ts';
import { hasHold } from './order-holds.ts';
import { paidAtOf, remainingLines, type StockLine } from './order-quantities.ts';

export interface ReserveLine {
  lineId: string;
  skuCode: string;
  quantity: number;
}

/** What a step asks of the stock ledger; carried out in the same transaction that writes the view. */
export type StockIntent =
  | {
      kind: 'reserve';
      round: number;
      paidAt: string;
      lines: ReserveLine[];
      province: string;
      city: string;
      /** Only there, and nothing is written when it has too little. */
      onlyWarehouseId?: string;
    }
  | { kind: 'release'; lines: StockLine[] }
  /** Leaves the queue of backorders; goods that the queue has meanwhile given are released. */
  | { kind: 'withdraw'; round: number }
  | { kind: 'ship'; lines: StockLine[] };

/** `handedOver`: warehouses of the allocation that are worked through REST. */
export type ReservationOutcome =
  | { state: 'reserved'; allocations: Allocation[]; handedOver: string[] }
  | { state: 'backordered' }
  | { state: 'short' };

/** One thing that happened, by code and with plain values; the timeline puts it in words. */
export interface Happening {
  code: string;
  params: Record<string, string | number | boolean | null>;
}

export type CaseChange =
  { kind: 'open'; caseId: string; code: CaseCode; detail: string } | { kind: 'resolve'; caseId: string; note: string };

export interface Step {
  /** The state after the step, its revision raised; a reservation's outcome is still to be applied. */
  next: OrderState;
  happenings: Happening[];
  stock: StockIntent[];
  cases: CaseChange[];
}

export type Decision =
  | { kind: 'refused'; refusal: Refusal }
  /** The message is old or repeated: nothing is written. */
  | { kind: 'unchanged' }
  | { kind: 'step'; step: Step };

export interface StepContext {
  /** RFC 3339, UTC. */
  now: string;
  timers: OrderTimers;
}

export const refuse = (state: OrderState, code: Refusal['code'], detail: string): Decision => ({
  kind: 'refused',
  refusal: { code, detail, ...(code === 'action_not_allowed' ? { allowedActions: allowedActions(state) } : {}) },
});

export const UNCHANGED: Decision = { kind: 'unchanged' };

export const startStep = (state: OrderState): Step => ({
  next: { ...state, revision: state.revision + 1 },
  happenings: [],
  stock: [],
  cases: [],
});

export const happen = (step: Step, code: string, params: Happening['params'] = {}): void => {
  step.happenings.push({ code, params });
};

export const addHold = (step: Step, hold: Hold): void => {
  step.next.holds = [...step.next.holds.filter(({ code }) => code !== hold.code), hold];
  happen(step, 'hold_set', { code: hold.code, detail: hold.detail });
};

export const dropHold = (step: Step, code: Hold['code']): void => {
  if (!hasHold(step.next, code)) return;
  step.next.holds = step.next.holds.filter((hold) => hold.code !== code);
  happen(step, 'hold_ended', { code });
};

export const openCase = (step: Step, code: CaseCode, detail: string): void => {
  if (step.next.cases.some((open) => open.code === code)) return;
  const caseId = caseIdOf(step.next.snapshot.orderId, code, step.next.revision);
  step.next.cases = [...step.next.cases, { caseId, code }];
  step.cases.push({ kind: 'open', caseId, code, detail });
  happen(step, 'case_opened', { code });
};

export const resolveCases = (step: Step, code: CaseCode, note: string): void =>
  closeCases(step, note, (open) => open.code === code);

export const closeCases = (step: Step, note: string, isMeant: (open: OrderState['cases'][number]) => boolean): void => {
  for (const { caseId } of step.next.cases.filter(isMeant)) step.cases.push({ kind: 'resolve', caseId, note });
  step.next.cases = step.next.cases.filter((open) => !isMeant(open));
};

export const reserveIntent = (
  state: OrderState,
  round: number,
  onlyWarehouseId?: string,
): Extract<StockIntent, { kind: 'reserve' }> => ({
  kind: 'reserve',
  round,
  paidAt: paidAtOf(state) ?? state.snapshot.placedAt,
  lines: remainingLines(state).map(({ lineId, quantity }) => ({
    lineId,
    quantity,
    skuCode: state.snapshot.lines.find((line) => line.lineId === lineId)?.skuCode ?? '',
  })),
  province: state.snapshot.receiver.province,
  city: state.snapshot.receiver.city,
  ...(onlyWarehouseId === undefined ? {} : { onlyWarehouseId }),
});

/** Puts the ledger's answer into the state; workflow and activity both call it, so that they cannot differ. */
export const withOutcome = (step: Step, outcome: ReservationOutcome | undefined): Step => {
  if (!outcome || outcome.state === 'short') return step;
  const { reservation } = step.next;
  if (outcome.state === 'backordered')
    return {
      ...step,
      next: { ...step.next, reservation: { ...reservation, state: 'backordered', allocations: [] } },
      happenings: [...step.happenings, { code: 'backordered', params: {} }],
    };
  return {
    ...step,
    next: withDeliveriesAsked({
      ...step.next,
      reservation: { ...reservation, state: 'reserved', allocations: outcome.allocations },
      handedOver: outcome.handedOver,
    }),
    happenings: [
      ...step.happenings,
      { code: 'reserved', params: { warehouses: outcome.allocations.map((a) => a.warehouseId).join(', ') } },
    ],
  };
};
