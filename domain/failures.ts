/** Why an outside system did not do what was asked. */
export type AdapterFailureKind =
  'declined' | 'invalid' | 'notFound' | 'conflict' | 'throttled' | 'unauthorised' | 'unavailable' | 'unknownOutcome';

/** Asking again can help only for these. */
export const RETRYABLE_KINDS: readonly AdapterFailureKind[] = ['throttled', 'unavailable', 'unknownOutcome'];

export class AdapterError extends Error {
  override name = 'AdapterError';
  readonly system: string;
  readonly kind: AdapterFailureKind;
  readonly retryAfterMs: number | undefined;

  constructor(system: string, kind: AdapterFailureKind, message: string, retryAfterMs?: number) {
    super(message);
    this.system = system;
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Codes by which a command is refused; the API turns them into its problems. */
export type RefusalCode = 'action_not_allowed' | 'rule_violation' | 'conflict' | 'stale_revision' | 'not_found';

/** A command that cannot be carried out; an expected result, never an error. */
export interface Refusal {
  code: RefusalCode;
  detail: string;
  allowedActions?: string[];
}
