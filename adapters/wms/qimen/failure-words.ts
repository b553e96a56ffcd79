import type { AdapterFailureKind } from '../../../domain/failures.ts';
import type { CallAnswer } from './qimen-call.ts';

type Words = Pick<CallAnswer, 'code' | 'message'>;

/*
 * Qimen leaves the codes of a failure to each warehouse's system, so that they are told apart by what they say. Only
 * what says that it is technical is asked again; everything else is a refusal, which a person looks at.
 */
const THROTTLED = /throttl|rate.?limit|flow.?control|too.?(many|frequent)|call.?limited|频繁|限流/i;
const UNAVAILABLE =
  /busy|time.?out|unavailable|system.?(error|exception|busy)|server.?error|service.?error|try.?again|\bisp\.|繁忙|超时|系统(异常|错误|忙)|稍后/i;
const UNAUTHORISED =
  /\bsign|signature|app.?key|customer.?id|unauthori|not.?authori|permission|timestamp|签名|无权限|未授权/i;
const KNOWN_BEFORE = /exist|duplicat|repeat|already|重复|已存在/i;
const NOT_KNOWN = /not.?(exist|found)|unknown.?order|no.?such|不存在|未找到|查无/i;

/** Undefined: the warehouse's system has understood and says no. */
export const technicalKindOf = ({ code, message }: Words): AdapterFailureKind | undefined => {
  const words = `${code} ${message}`;
  if (THROTTLED.test(words)) return 'throttled';
  if (UNAVAILABLE.test(words)) return 'unavailable';
  return UNAUTHORISED.test(words) ? 'unauthorised' : undefined;
};

export const saysKnownBefore = ({ code, message }: Words): boolean =>
  KNOWN_BEFORE.test(`${code} ${message}`) && !saysNotKnown({ code, message });

export const saysNotKnown = ({ code, message }: Words): boolean => NOT_KNOWN.test(`${code} ${message}`);
