import type { CaseCode } from '../../domain/order-model.ts';

/** Choices that `resolve` takes; without one it only closes the case. */
export const CASE_ACTIONS = ['reinstate', 'refund', 'release'] as const;
export type CaseAction = (typeof CASE_ACTIONS)[number];

export interface NextStep {
  code: string;
  words: string;
  /** Of `POST /v1/cases/{caseId}/resolve`. */
  action?: CaseAction;
}

const MAP_SKU: NextStep = {
  code: 'map_sku',
  words: 'Say which SKU it is with PUT /v1/sku-mappings/{shopId}/{platformSku}; the order goes on and the case closes',
};
const CANCEL: NextStep = { code: 'cancel_order', words: 'Cancel the order with POST /v1/orders/{orderId}/cancel' };
const CHANGE_ADDRESS: NextStep = {
  code: 'change_address',
  words: 'Correct the receiver with POST /v1/orders/{orderId}/address',
};
const RELEASE: NextStep = {
  code: 'release',
  action: 'release',
  words: 'Finance agrees: the hold ends and the order goes on',
};
const PAID_BACK: NextStep = { code: 'resolve', words: 'Pay the money back outside, then resolve with where and when' };
const LOOK: NextStep = { code: 'resolve', words: 'Look into it, then resolve with what was found' };

/** What a person may do about a case, first what usually helps. `resolve` without an action only closes it. */
const NEXT_STEPS: Record<CaseCode, readonly NextStep[]> = {
  unknown_sku: [MAP_SKU, CANCEL],
  unknown_status: [LOOK, CANCEL],
  mapping_failed: [LOOK, CANCEL],
  amount_mismatch: [RELEASE, CANCEL],
  overpaid: [
    RELEASE,
    {
      code: 'resolve',
      words: 'Give the surplus back outside, then resolve with where and when; a hold stays until it is released',
    },
  ],
  late_payment: [
    { code: 'reinstate', action: 'reinstate', words: 'Bring the order back to life: its goods are reserved again' },
    { code: 'refund', action: 'refund', words: 'Leave it cancelled: the money goes back, see the case refund_due' },
  ],
  phone_refused: [
    { code: 'confirm', words: 'Call again and record it with POST /v1/orders/{orderId}/phone-confirmation' },
    CANCEL,
  ],
  address_changed_late: [CHANGE_ADDRESS, LOOK],
  wms_refused: [LOOK, CANCEL],
  activity_exhausted: [
    { code: 'resolve', words: 'Mend what kept the step from being written, then resolve: it is tried again at once' },
  ],
  no_signer: [{ code: 'resolve', words: 'Give somebody the role that has to sign, then resolve' }],
  payout_failed: [PAID_BACK],
  refunded_by_platform: [LOOK],
  amount_differs: [LOOK],
  cancelled_not_refunded: [PAID_BACK],
  return_to_buyer: [{ code: 'resolve', words: 'Send the goods back to the buyer, then resolve with the waybill' }],
  deposit_kept: [LOOK],
  shop_token_dead: [{ code: 'renew_token', words: "Renew the shop's credentials with PUT /v1/shops/{shopId}" }, LOOK],
  reconciliation_difference: [LOOK],
  foreign_write: [LOOK],
  dead_letter: [{ code: 'redeliver', words: 'Mend the receiver, then send it again' }, LOOK],
  refund_due: [PAID_BACK],
};

/** `isReinstatable`: whether the order of a late payment can be brought back now. */
export const nextStepsOf = (code: CaseCode, isReinstatable: boolean): NextStep[] =>
  NEXT_STEPS[code].filter(({ action }) => action !== 'reinstate' || isReinstatable);

export const takesAction = (code: CaseCode, action: CaseAction): boolean =>
  NEXT_STEPS[code].some((step) => step.action === action);

export const CASE_CODES = Object.keys(NEXT_STEPS) as [CaseCode, ...CaseCode[]];
