import { paidTotal } from './order-quantities.ts';
import { addHold, openCase, type Step, type StepContext } from './order-step.ts';

/** Called where money comes in, so that a hold which finance has released does not come back by itself. */
export const noticeSurplus = (step: Step, { now }: StepContext): void => {
  const { next } = step;
  // A platform's amounts are judged as a whole, see `amount_mismatch`.
  if (next.snapshot.platform) return;
  const surplus = paidTotal(next) - next.snapshot.payable;
  if (surplus <= 0 || next.ended) return;
  const detail = `${surplus} more than ${next.snapshot.payable} was paid`;
  const since = next.holds.find(({ code }) => code === 'overpaid')?.since ?? now;
  addHold(step, { code: 'overpaid', since, detail });
  openCase(step, 'overpaid', detail);
};
