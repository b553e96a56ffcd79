/** An answer of the gateway that is not the one asked for; HTTP status 200 all the same. */
export class TopError extends Error {
  override name = 'TopError';
  readonly code: number;
  readonly subCode: string | undefined;
  readonly subMsg: string | undefined;

  constructor(code: number, message: string, subCode?: string, subMsg?: string) {
    super(message);
    this.code = code;
    this.subCode = subCode;
    this.subMsg = subMsg;
  }

  /** How the call is counted in the books. */
  get outcome(): string {
    return `error ${this.code}${this.subCode ? ` ${this.subCode}` : ''}`;
  }

  toText(requestId: string): string {
    return JSON.stringify({
      error_response: {
        code: this.code,
        msg: this.message,
        ...(this.subCode === undefined ? {} : { sub_code: this.subCode }),
        ...(this.subMsg === undefined ? {} : { sub_msg: this.subMsg }),
        request_id: requestId,
      },
    });
  }
}

export const missingArgument = (name: string): TopError =>
  new TopError(40, `Missing required arguments:${name}`, `isv.missing-parameter:${name}`);

export const invalidArgument = (name: string, why: string): TopError =>
  new TopError(41, `Invalid arguments:${name}`, `isv.invalid-parameter:${name}`, why);

/** Refused by the service behind the gateway: the caller's fault with `isv.`, the platform's own with `isp.`. */
export const serviceError = (subCode: string, subMsg: string): TopError =>
  new TopError(15, 'Remote service error', subCode, subMsg);

export const callLimited = (seconds: number): TopError =>
  new TopError(
    7,
    'App Call Limited',
    'accesscontrol.limited-by-api-access-count',
    `This ban will last for ${seconds} more seconds`,
  );

export const invalidSession = (isExpired: boolean): TopError =>
  isExpired
    ? new TopError(27, 'Invalid session', 'session-expired', 'The session key has expired')
    : new TopError(27, 'Invalid session', 'invalid-sessionkey', 'The session key is not known');
