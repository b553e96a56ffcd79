import type { PlatformPhase } from '../../../domain/platform-order.ts';
import type { StatusMapping } from '../channel-port.ts';

const PHASES: Readonly<Record<PlatformPhase, true>> = {
  unpaid: true,
  deposit_paid: true,
  paid: true,
  partly_shipped: true,
  shipped: true,
  finished: true,
  closed_unpaid: true,
  closed_refunded: true,
  unknown: true,
};

const DEPOSIT_PAID = 'FRONT_PAID_FINAL_NOPAID';
const STEP_STATUSES: readonly string[] = ['', 'FRONT_NOPAID_FINAL_NOPAID', DEPOSIT_PAID, 'FRONT_PAID_FINAL_PAID'];

export interface TradeStatus {
  /** Verbatim; with a presale's own status behind a slash where nobody knows that one. */
  status: string;
  phase: PlatformPhase;
  lockedBy: string | null;
}

/**
 * Reads a trade's status by the mapping, whose values are a phase or, where the platform forbids sending for now,
 * `<phase>:locked`. A presale's own status tells an unpaid trade from one with its deposit paid. What no row names is
 * unknown.
 */
export const tradeStatus = (status: string, step: string, mapping: StatusMapping): TradeStatus => {
  if (!STEP_STATUSES.includes(step)) return { status: `${status}/${step}`, phase: 'unknown', lockedBy: null };
  const row = Object.hasOwn(mapping, status) ? (mapping[status] ?? '') : '';
  const phase = row.replace(LOCKED, '');
  if (!isPhase(phase)) return { status, phase: 'unknown', lockedBy: null };
  return {
    status,
    // Whatever the trade is called: with the balance missing it is not paid.
    phase: step === DEPOSIT_PAID && (phase === 'unpaid' || phase === 'paid') ? 'deposit_paid' : phase,
    lockedBy: LOCKED.test(row) ? status : null,
  };
};

const LOCKED = /:locked$/;

const isPhase = (text: string): text is PlatformPhase => Object.hasOwn(PHASES, text);
