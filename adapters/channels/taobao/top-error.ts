import { z } from 'zod';
import { AdapterError, type AdapterFailureKind } from '../../../domain/failures.ts';

export const TAOBAO = 'taobao';

/** Whether a call only looks, or may have taken effect when its answer is lost. */
export type TopEffect = 'reads' | 'changes';

const text = z.string().catch('');

/** `code` comes as a number, of some gateways as a string. */
export const topErrorSchema = z.object({
  code: z.coerce.number().catch(0),
  sub_code: text,
  sub_msg: text,
  msg: text,
});

export type TopErrorBody = z.infer<typeof topErrorSchema>;

const THROTTLED: readonly number[] = [4, 5, 6, 7, 8];
const NO_SESSION: readonly number[] = [26, 27];
const PLATFORM_FAULT: readonly number[] = [10, 15];
/** Refusals with an `isv.` code that the platform itself advises to repeat. */
const TRANSIENT = /:B150$/;
const UNKNOWN_OBJECT = /not[-_](exist|found)|:B01$/i;
const OUR_REQUEST = /^isv\.(invalid|missing|error|parameters?|permission)/;
const BAN_SECONDS = /(\d{1,6})\s*(?:more\s+)?(?:seconds?|秒)/;

/** TOP refused the call. The message has its codes only; what the platform says in words may be about people. */
export class TopRefusal extends AdapterError {
  readonly subCode: string;
  readonly subMsg: string;

  constructor(method: string, effect: TopEffect, body: TopErrorBody) {
    const kind = kindOf(body, effect);
    const subCode = body.sub_code.replaceAll(/[^\w.:-]/g, '').slice(0, 100);
    super(
      TAOBAO,
      kind,
      `${method}: refused with code ${body.code}${subCode ? ` ${subCode}` : ''}`,
      kind === 'throttled' ? banMs(body) : undefined,
    );
    this.subCode = subCode;
    this.subMsg = body.sub_msg;
  }
}

/** The kind for what may be asked again, by whether the call may have taken effect. */
export const faultKind = (effect: TopEffect): AdapterFailureKind =>
  effect === 'reads' ? 'unavailable' : 'unknownOutcome';

const kindOf = ({ code, sub_code: subCode }: TopErrorBody, effect: TopEffect): AdapterFailureKind => {
  if (THROTTLED.includes(code) || subCode.startsWith('accesscontrol.limited')) return 'throttled';
  if (NO_SESSION.includes(code) || subCode === 'session-expired') return 'unauthorised';
  if (subCode.startsWith('isp.') || TRANSIENT.test(subCode)) return faultKind(effect);
  if (PLATFORM_FAULT.includes(code) && !subCode.startsWith('isv.')) return faultKind(effect);
  // The gateway's own codes: what «does not exist» there is the app or the method, not the order.
  if (!PLATFORM_FAULT.includes(code) && code < 50) return 'invalid';
  if (UNKNOWN_OBJECT.test(subCode)) return 'notFound';
  return subCode.startsWith('isv.') && !OUR_REQUEST.test(subCode) ? 'declined' : 'invalid';
};

const banMs = ({ sub_msg: subMsg, msg }: TopErrorBody): number | undefined => {
  const seconds = BAN_SECONDS.exec(subMsg)?.[1] ?? BAN_SECONDS.exec(msg)?.[1];
  return seconds === undefined ? undefined : Math.max(1, Number(seconds)) * 1000;
};
