import type { OrderFact } from './order-messages.ts';
import type { OrderSnapshot, OrderState } from './order-model.ts';
import type { PlatformPhase, PlatformWord } from './platform-order.ts';
import { moveTo } from './order-address.ts';
import { holdForCauses, holdUnmapped, isUnmappedDetail, unmappedDetail } from './order-causes.ts';
import { finishStep } from './order-finish.ts';
import { hasUnknownSku } from './order-holds.ts';
import { remainingLines } from './order-quantities.ts';
import {
  addHold,
  dropHold,
  happen,
  openCase,
  resolveCases,
  startStep,
  UNCHANGED,
  type Decision,
  type Step,
  type StepContext,
} from './order-step.ts';

type PlatformChanged = Extract<OrderFact, { type: 'platformChanged' }>;

/** Before it, an order has no goods under way and its receiver may still be changed on the platform. */
const BEFORE_ARRIVAL: readonly PlatformPhase[] = ['unpaid', 'deposit_paid', 'paid', 'partly_shipped', 'unknown'];
const UNPAID: readonly PlatformPhase[] = ['unpaid', 'deposit_paid'];

/** The platform's order as it is now. Words come late, twice and out of order: only a newer one counts. */
export const hearPlatform = (
  state: OrderState,
  { snapshot: heard }: PlatformChanged,
  context: StepContext,
): Decision => {
  if (heard.orderId !== state.snapshot.orderId) return UNCHANGED;
  if (heard.unmapped !== undefined) return hearUnmapped(state, heard.unmapped, context);
  const word = heard.platform;
  const known = state.snapshot.platform;
  // An order of our own shop has no platform that could say anything.
  if (!word || (!known && state.snapshot.unmapped === undefined)) return UNCHANGED;
  if (known && !isNewer(state, heard, word, known)) return UNCHANGED;
  if (state.ended) return hearAfterEnd(state, heard, word, context);
  const step = startStep(state);
  happen(step, 'platform_changed', { status: word.status, phase: word.phase });
  takeOver(step, heard, word, context);
  hearReceiver(step, heard, word, context);
  return finishStep(step, context);
};

const isNewer = (state: OrderState, heard: OrderSnapshot, word: PlatformWord, known: PlatformWord): boolean => {
  if (word.modifiedAt !== known.modifiedAt) return Date.parse(word.modifiedAt) > Date.parse(known.modifiedAt);
  // What was not understood in between has turned out to be what is known.
  if (state.holds.some(({ detail }) => isUnmappedDetail(detail))) return true;
  // Platforms count in seconds: of two words of one second, the one that tells something new is the later one.
  return (
    JSON.stringify(factsOf(heard, heard.receiver.identity)) !==
    JSON.stringify(factsOf(state.snapshot, state.heardReceiver))
  );
};

const factsOf = ({ platform, payments, lines, payable, freight, orderDiscount }: OrderSnapshot, receiver: unknown) => [
  platform,
  payments,
  lines.map(({ lineId, quantity, unitPrice, discount }) => [lineId, quantity, unitPrice, discount]),
  payable,
  freight,
  orderDiscount,
  receiver ?? null,
];

const hearUnmapped = (state: OrderState, why: string, context: StepContext): Decision => {
  if (state.ended || state.holds.some(({ detail }) => detail === unmappedDetail(why))) return UNCHANGED;
  const step = startStep(state);
  holdUnmapped(step, why, context);
  return finishStep(step, context);
};

const goodsOf = ({ lines }: OrderSnapshot): string =>
  JSON.stringify(lines.map(({ lineId, quantity }) => `${lineId} ${quantity}`).toSorted());

const takeOver = (step: Step, heard: OrderSnapshot, word: PlatformWord, context: StepContext): void => {
  const { next } = step;
  const { snapshot } = next;
  const skuOf = new Map(snapshot.lines.map(({ lineId, skuCode }) => [lineId, skuCode]));
  const lines = heard.lines.map((line) => ({ ...line, skuCode: skuOf.get(line.lineId) ?? line.skuCode }));
  const hadUnknown = hasUnknownSku(next);
  const wasUnmapped = snapshot.unmapped !== undefined;
  const isSameGoods = goodsOf(heard) === goodsOf(snapshot);
  const isFree = next.reservation.state === 'none' && next.shipments.length === 0;
  if (isSameGoods || isFree) {
    const { unmapped: _understood, ...rest } = snapshot;
    next.snapshot = {
      ...rest,
      ...heard,
      payments: paymentsOf(snapshot, heard),
      ...presaleOf(snapshot, heard),
      receivedAt: snapshot.receivedAt,
      receiver: wasUnmapped ? heard.receiver : snapshot.receiver,
      lines,
    };
    if (wasUnmapped) next.heardReceiver = heard.receiver.identity ?? null;
    understand(step);
    if (!isSameGoods) holdForCauses(step, context);
    else if (hadUnknown && !hasUnknownSku(next)) {
      dropHold(step, 'unknown_sku');
      resolveCases(step, 'unknown_sku', 'the platform says the SKU now');
    }
    return;
  }
  next.snapshot = { ...snapshot, platform: word, payments: paymentsOf(snapshot, heard) };
  const why = 'the platform has changed the goods of an order that is under way';
  addHold(step, { code: 'manual', since: context.now, detail: why });
  openCase(step, 'mapping_failed', why);
};

/** Money that was there does not vanish because a later word leaves it out. */
const paymentsOf = (known: OrderSnapshot, heard: OrderSnapshot): OrderSnapshot['payments'] =>
  heard.payments.length < known.payments.length ? known.payments : heard.payments;

/** Once the balance is paid, a platform tells only the whole sum: the deposit stays what it was. */
const presaleOf = ({ presale: known }: OrderSnapshot, { presale }: OrderSnapshot): Pick<OrderSnapshot, 'presale'> =>
  presale && known ? { presale: { ...presale, deposit: presale.deposit || known.deposit } } : {};

/** What could not be understood before is understood now. */
const understand = (step: Step): void => {
  if (!step.next.holds.some(({ detail }) => isUnmappedDetail(detail))) return;
  dropHold(step, 'manual');
  resolveCases(step, 'mapping_failed', 'the platform’s order is understood now');
};

const hearReceiver = (step: Step, heard: OrderSnapshot, word: PlatformWord, context: StepContext): void => {
  const { next } = step;
  const { identity } = heard.receiver;
  if (identity === undefined || identity === next.heardReceiver || !BEFORE_ARRIVAL.includes(word.phase)) return;
  next.heardReceiver = identity;
  if (next.shipments.length > 0)
    openCase(step, 'address_changed_late', 'the address was changed on the platform after goods had left');
  if (remainingLines(next).length > 0) moveTo(step, heard.receiver, context);
};

/** An order that has ended here: money that moved on the platform since is a person's business. */
const hearAfterEnd = (state: OrderState, heard: OrderSnapshot, word: PlatformWord, context: StepContext): Decision => {
  const { ended } = state;
  const before = state.snapshot.platform?.phase ?? 'unpaid';
  const step = startStep(state);
  step.next.snapshot = { ...state.snapshot, platform: word, payments: heard.payments };
  happen(step, 'platform_changed', { status: word.status, phase: word.phase });
  if (word.phase === 'closed_refunded' && ended?.status === 'completed') {
    step.next.ended = { ...ended, status: 'closed' };
    openCase(step, 'refunded_by_platform', 'the platform has paid everything back');
  } else if (word.phase === 'closed_refunded' && state.cases.some(({ code }) => code === 'refund_due'))
    resolveCases(step, 'refund_due', 'the platform has paid it back');
  else if (
    ended?.status === 'cancelled' &&
    UNPAID.includes(before) &&
    word.paid > 0 &&
    word.phase !== 'closed_refunded'
  ) {
    openCase(step, 'late_payment', `${word.paid} was paid after the order was cancelled`);
    openCase(step, 'refund_due', `${word.paid} was paid for an order that is cancelled`);
  } else return UNCHANGED;
  return finishStep(step, context);
};
