import type { CaseCode, DeliveryOrderState, HoldCode, LineQuantity, OrderState } from './order-model.ts';
import type { PlatformPhase, PlatformWord } from './platform-order.ts';
import { liveDeliveries, recalled } from './delivery-orders.ts';
import { comparable } from './platform-news.ts';
import { addShipment } from './order-parcels.ts';
import { releaseAll, withdrawUnits } from './order-cancel.ts';
import { cancelledUnits, isFullyPaid, paidTotal, remainingLines } from './order-quantities.ts';
import {
  addHold,
  closeCases,
  dropHold,
  happen,
  openCase,
  resolveCases,
  type Step,
  type StepContext,
} from './order-step.ts';

/** Where goods left from that were not sent from here. */
export const SENT_ELSEWHERE = 'platform';

/** Sent, and not over. */
const UNDER_WAY: readonly PlatformPhase[] = ['partly_shipped', 'shipped'];
const SENT: readonly PlatformPhase[] = ['partly_shipped', 'shipped', 'finished', 'closed_refunded'];
const PAID: readonly PlatformPhase[] = ['paid', 'partly_shipped', 'shipped', 'finished'];

/**
 * Whatever follows for the order from what its platform says; the same again follows nothing. It is looked at after every
 * message, because what must wait for a warehouse to stop is carried out when it has.
 */
export const followPlatform = (step: Step, context: StepContext): void => {
  const word = step.next.snapshot.platform;
  if (!word || step.next.ended || step.next.snapshot.unmapped !== undefined) return;
  if (step.next.revision === 1 && SENT.includes(word.phase)) noteForeignParcels(step, word, context);
  followHolds(step, word, context);
  withdrawRefunded(step, word, context);
  const isClosed = word.phase === 'closed_unpaid' || word.phase === 'closed_refunded';
  if (isClosed && !isContradiction(step.next, word.phase)) followClosing(step, word, context);
  if (word.phase === 'finished') followFinish(step, word, context);
};

/** First seen when it had been sent already: by whom does not matter, nothing is to be sent again. */
const noteForeignParcels = (step: Step, { parcels, modifiedAt }: PlatformWord, context: StepContext): void => {
  const { next } = step;
  for (const { courier, trackingNo, lineIds } of parcels) {
    const lines = remainingLines(next).filter(({ lineId }) => lineIds.includes(lineId));
    if (lines.length === 0) continue;
    const shippedAt = modifiedAt < context.now ? modifiedAt : context.now;
    const { shipmentId } = addShipment(step, { warehouseId: SENT_ELSEWHERE, courier, trackingNo, lines, shippedAt });
    next.told = [...next.told, { shipmentId, state: 'told' }];
    happen(step, 'sent_elsewhere', { shipmentId, courier, trackingNo });
  }
};

const followHolds = (step: Step, word: PlatformWord, context: StepContext): void => {
  const { next } = step;
  const open = remainingLines(next);
  const whenOpen = (detail: string | null) => (open.length > 0 ? detail : null);
  const own = new Set(next.shipments.map(({ trackingNo }) => comparable(trackingNo)));
  const foreign = word.parcels.filter(({ trackingNo }) => !own.has(comparable(trackingNo)));
  const isSentUnseen = UNDER_WAY.includes(word.phase) && word.parcels.length === 0 && own.size === 0;
  const reasons = [
    ...(word.lockedBy === null ? [] : [`the platform forbids sending it: ${word.lockedBy}`]),
    ...foreign.map(({ trackingNo }) => `the platform knows a parcel ${trackingNo} that was not sent from here`),
    ...(isSentUnseen ? [`the platform calls it ${word.status}, and no parcel of it was sent from here`] : []),
  ];
  keepHold(step, 'platform_hold', whenOpen(reasons.length > 0 ? reasons.join('; ') : null), context);
  keepHold(step, 'unknown_status', whyUnknown(next, word), context, 'unknown_status');
  const asked = open.filter(({ lineId }) => word.refundOpen.includes(lineId)).map(({ lineId }) => lineId);
  keepHold(
    step,
    'refund_open',
    asked.length > 0 ? `the buyer asks the money back on the platform for: ${asked.join(', ')}` : null,
    context,
  );
  const { payable } = next.snapshot;
  // After a refund a platform may name the smaller sum.
  const isJudged = PAID.includes(word.phase) && word.refunded.length === 0;
  const differs = isJudged && word.paid !== payable && !next.mismatchAccepted;
  keepHold(
    step,
    'amount_mismatch',
    whenOpen(differs ? `the platform calls it paid with ${word.paid}, its amounts make ${payable}` : null),
    context,
    'amount_mismatch',
  );
};

/** Called unpaid although it was paid: which of the two is wrong, a person finds out. A presale may close after its deposit. */
const isContradiction = (state: OrderState, phase: PlatformPhase): boolean => {
  if (phase !== 'unpaid' && phase !== 'closed_unpaid') return false;
  return state.shipments.length > 0 || (paidTotal(state) > 0 && (phase === 'unpaid' || isFullyPaid(state)));
};

const whyUnknown = (state: OrderState, { phase, status }: PlatformWord): string | null => {
  if (phase === 'unknown') return `the platform’s status ${status} is not known`;
  return isContradiction(state, phase) ? `the platform says ${status} of an order that was paid` : null;
};

const keepHold = (
  step: Step,
  code: HoldCode,
  detail: string | null,
  { now }: StepContext,
  caseCode?: CaseCode,
): void => {
  const known = step.next.holds.find((hold) => hold.code === code);
  if (detail === null) {
    dropHold(step, code);
    if (known && caseCode) resolveCases(step, caseCode, 'the platform says otherwise now');
  } else if (known?.detail !== detail) {
    addHold(step, { code, since: known?.since ?? now, detail });
    if (caseCode) openCase(step, caseCode, detail);
  }
};

/** Whether nothing of it is with a warehouse's system; else that is asked to stop, and this is looked at again. */
const isRecalled = (step: Step, stopFor: NonNullable<DeliveryOrderState['stopFor']>): boolean => {
  const { next } = step;
  next.deliveryOrders = recalled(next, stopFor);
  return liveDeliveries(next).length === 0;
};

/** Units whose money the platform has given back are not sent. */
const withdrawRefunded = (step: Step, { refunded, phase }: PlatformWord, context: StepContext): void => {
  if (phase === 'closed_refunded' || phase === 'closed_unpaid') return;
  const { next } = step;
  const open = new Map(remainingLines(next).map(({ lineId, quantity }) => [lineId, quantity]));
  const units = refunded.flatMap(({ lineId, quantity }): LineQuantity[] => {
    const left = Math.min(open.get(lineId) ?? 0, quantity - cancelledUnits(next, lineId));
    return left > 0 ? [{ lineId, quantity: left }] : [];
  });
  if (units.length === 0 || !isRecalled(step, 'refund')) return;
  const isNews = next.revision > 1;
  withdrawUnits(step, units, 'refunded_by_platform', context);
  if (isNews)
    openCase(
      step,
      'refunded_by_platform',
      `the platform has paid back: ${units.map(({ lineId, quantity }) => `${quantity} of line ${lineId}`).join(', ')}`,
    );
};

const followClosing = (step: Step, { phase }: PlatformWord, { now }: StepContext): void => {
  const { next } = step;
  const isRefunded = phase === 'closed_refunded';
  if (isRefunded && next.revision > 1) openCase(step, 'refunded_by_platform', 'the platform has paid everything back');
  if (!isRecalled(step, 'refund')) return;
  const lines = remainingLines(next);
  releaseAll(step);
  if (lines.length > 0)
    next.cancellation = {
      at: now,
      reason: isRefunded ? 'refunded_by_platform' : 'closed_by_platform',
      lines: [...(next.cancellation?.lines ?? []), ...lines],
      holds: next.holds,
    };
  next.reservation = { ...next.reservation, state: 'none', allocations: [] };
  next.holds = [];
  next.cancelRequest = null;
  closeCases(step, 'the platform has closed the order', ({ code }) => code !== 'refunded_by_platform');
  const deposit = isRefunded ? 0 : paidTotal(next);
  if (deposit > 0) openCase(step, 'deposit_kept', `the platform closed the order after a deposit of ${deposit}`);
  next.ended = { status: isRefunded || deposit > 0 ? 'closed' : 'cancelled', at: now };
  happen(step, 'closed_by_platform', { refunded: isRefunded });
};

/** The buyer has the goods. What was not sent from here was sent by somebody else. */
const followFinish = (step: Step, { endedAt }: PlatformWord, context: StepContext): void => {
  const { next } = step;
  const lines = remainingLines(next);
  if (lines.length > 0) {
    if (!isRecalled(step, 'hold')) return;
    withdrawUnits(step, lines, 'finished_on_platform', context);
    next.holds = next.holds.filter(({ code }) => code !== 'platform_hold');
  }
  const deliveredAt = endedAt !== undefined && endedAt < context.now ? endedAt : context.now;
  for (const { shipmentId, status } of next.shipments)
    if (status !== 'delivered') happen(step, 'parcel_delivered', { shipmentId });
  next.shipments = next.shipments.map((shipment) =>
    shipment.status === 'delivered' ? shipment : { ...shipment, status: 'delivered', deliveredAt },
  );
  if (next.shipments.length > 0) return;
  next.holds = [];
  next.ended = { status: 'completed', at: context.now };
  happen(step, 'completed', {});
};
