import type { HoldCode, OrderState } from './order-model.ts';

/** People may set these; the others come and go with their cause. */
export const SETTABLE_HOLDS = [
  'manual',
  'address_incomplete',
  'risk_review',
  'phone_confirmation',
] as const satisfies readonly HoldCode[];

type Releaser = (roles: readonly string[]) => boolean;
const anyOf =
  (...allowed: string[]): Releaser =>
  (roles) =>
    roles.some((role) => allowed.includes(role));
const allButAgents = ['admin', 'cs_supervisor', 'operations', 'service'];

/** Who may end a hold by `release`; a code that is absent ends with its cause only. */
const RELEASERS: Partial<Record<HoldCode, Releaser>> = {
  manual: anyOf('cs_agent', ...allButAgents),
  address_incomplete: anyOf('cs_agent', ...allButAgents),
  risk_review: anyOf(...allButAgents),
  overpaid: anyOf('finance'),
  amount_mismatch: anyOf('finance'),
};

export const isReleasable = (code: HoldCode): boolean => code in RELEASERS;
export const mayRelease = (code: HoldCode, roles: readonly string[]): boolean => RELEASERS[code]?.(roles) ?? false;

export const hasHold = (state: OrderState, code: HoldCode): boolean => state.holds.some((hold) => hold.code === code);
export const hasUnknownSku = (state: OrderState): boolean => state.snapshot.lines.some((line) => line.skuCode === null);
