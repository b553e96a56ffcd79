/** Every problem that the API answers: its status and title. The codes are part of the contract. */
const PROBLEMS = {
  invalid_request: [400, 'The request is not valid'],
  unauthenticated: [401, 'Authentication is needed'],
  invalid_credentials: [401, 'The user name or the password is wrong'],
  forbidden: [403, 'Not allowed'],
  not_an_approver: [403, 'Not an approver'],
  self_approval: [403, 'Nobody approves what they asked for'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'The method is not allowed here'],
  action_not_allowed: [409, 'The action is not allowed now'],
  already_signed: [409, 'Already signed'],
  conflict: [409, 'Conflict'],
  stale_revision: [412, 'The revision is not the current one'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be application/json in UTF-8'],
  idempotency_key_reused: [422, 'The idempotency key was used for another body'],
  rule_violation: [422, 'A rule forbids it'],
  rate_limited: [429, 'Too many requests'],
  internal_error: [500, 'Something went wrong'],
  unavailable: [503, 'Unavailable for the moment'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

export interface FieldError {
  /** Dotted path into body, query or params, e.g. `lines.0.quantity`. */
  path: string;
  message: string;
}

export interface ProblemOptions {
  detail?: string;
  errors?: readonly FieldError[];
  allowedActions?: readonly string[];
  /** Also sent as `Retry-After`. */
  retryAfterSec?: number;
  headers?: Readonly<Record<string, string>>;
  /** Further members of the problem, e.g. `refundable`. */
  more?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** The only way to refuse a request; what is in it goes to the caller, so nothing secret or personal. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? PROBLEMS[code][1], { cause: options.cause });
    this.code = code;
    this.status = PROBLEMS[code][0];
    this.options = options;
  }

  /** The body of the answer, in the contract's form. */
  toBody(requestId: string): Record<string, unknown> {
    const { errors, allowedActions, more } = this.options;
    return {
      type: `urn:orderhub:problem:${this.code}`,
      title: PROBLEMS[this.code][1],
      status: this.status,
      detail: this.message,
      code: this.code,
      requestId,
      ...(errors ? { errors } : {}),
      ...(allowedActions ? { allowedActions } : {}),
      ...more,
    };
  }
}

/** One wrong field, named. */
export const invalidField = (path: string, message: string): Problem =>
  new Problem('invalid_request', { detail: `${path}: ${message}`, errors: [{ path, message }] });

export const statusOf = (code: ProblemCode): number => PROBLEMS[code][0];
