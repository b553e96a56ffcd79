import { JSONParse } from 'json-with-bigint';
import { z } from 'zod';
import { AdapterError } from '../../../domain/failures.ts';
import { NoAnswer, postForm, type HttpAnswer } from '../post-form.ts';
import { signTop, type SignMethod } from './sign.ts';
import { TAOBAO, TopRefusal, faultKind, topErrorSchema, type TopEffect } from './top-error.ts';
import { toTopTime } from './top-time.ts';

const ORIGIN = 'https://eco.taobao.com';

export interface TopAccount {
  /** Origin in place of the platform's own. */
  baseUrl: string | null;
  appKey: string;
  appSecret: string;
  sessionKey: string;
  signMethod: SignMethod;
}

export interface TopRequest<T> {
  method: string;
  params: Readonly<Record<string, string>>;
  /** Of what stands under the method's response key; ids beyond 2^53 come as bigint. */
  answer: z.ZodType<T>;
  effect: TopEffect;
  /** For calls that are made because the session is no longer taken. */
  withoutSession?: boolean;
}

/** Throws `AdapterError` only: `TopRefusal` where the platform answered with a refusal. */
export type TopCall = <T>(request: TopRequest<T>, signal?: AbortSignal) => Promise<T>;

const envelopeSchema = z.record(z.string(), z.unknown());

/** `taobao.trade.fullinfo.get` answers under `trade_fullinfo_get_response`; other prefixes than `taobao.` stay. */
export const responseKey = (method: string): string =>
  `${method.replace(/^taobao\./, '').replaceAll('.', '_')}_response`;

export const createTopClient = (account: TopAccount, timeoutMs: number): TopCall => {
  const url = `${(account.baseUrl ?? ORIGIN).replace(/\/+$/, '')}/router/rest`;

  const signed = ({ method, params, withoutSession }: TopRequest<unknown>): Record<string, string> => {
    const all: Record<string, string> = {
      ...params,
      method,
      app_key: account.appKey,
      ...(withoutSession ? {} : { session: account.sessionKey }),
      timestamp: toTopTime(Date.now()),
      v: '2.0',
      format: 'json',
      sign_method: account.signMethod,
    };
    return { ...all, sign: signTop(all, account.appSecret, account.signMethod) };
  };

  return async (request, signal) => {
    const { method, effect } = request;
    const fail = (why: string): AdapterError => new AdapterError(TAOBAO, faultKind(effect), `${method}: ${why}`);
    let answer: HttpAnswer;
    try {
      answer = await postForm({ url, form: signed(request), timeoutMs, signal });
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (!error.sent) throw new AdapterError(TAOBAO, 'unavailable', `${method}: ${error.message}`);
      throw fail(error.message);
    }
    const body = envelopeOf(answer.text);
    const refusal = body?.['error_response'];
    if (refusal !== undefined) throw refusalOf(method, effect, refusal, fail);
    if (answer.status === 429) throw new AdapterError(TAOBAO, 'throttled', `${method}: HTTP 429`, answer.retryAfterMs);
    if (answer.status >= 500) throw fail(`HTTP ${answer.status}`);
    if (answer.status >= 300) throw new AdapterError(TAOBAO, 'invalid', `${method}: HTTP ${answer.status}`);
    if (!body) throw fail('the answer is no JSON object, or cut short');
    const parsed = request.answer.safeParse(body[responseKey(method)]);
    if (!parsed.success) throw fail(`the answer is not as expected at ${pathsOf(parsed.error)}`);
    return parsed.data;
  };
};

const envelopeOf = (text: string): Record<string, unknown> | null => {
  try {
    return envelopeSchema.safeParse(JSONParse(text)).data ?? null;
  } catch {
    return null;
  }
};

const refusalOf = (method: string, effect: TopEffect, refusal: unknown, fail: (why: string) => AdapterError) => {
  const parsed = topErrorSchema.safeParse(refusal);
  return parsed.success ? new TopRefusal(method, effect, parsed.data) : fail('refused without a code');
};

const pathsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map(({ path }) => path.join('.') || 'its root')
    .join(', ');
