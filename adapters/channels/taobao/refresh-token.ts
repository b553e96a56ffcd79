import { JSONParse } from 'json-with-bigint';
import { z } from 'zod';
import { AdapterError } from '../../../domain/failures.ts';
import type { RefreshedToken } from '../channel-port.ts';
import type { TopCall } from './top-client.ts';
import { TAOBAO, TopRefusal } from './top-error.ts';

const METHOD = 'taobao.top.auth.token.refresh';
/** The year 9999: what lies beyond is no time. */
const LATEST_MS = 253_370_764_800_000;

const positive = z.coerce.number().positive().optional().catch(undefined);

const tokenSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  /** Seconds. Classes of calls have lives of their own beside it, some of them half an hour only. */
  expires_in: positive,
  /** Milliseconds since 1970, of newer tokens. */
  expire_time: positive,
});

/** `token_result` is JSON within a string. */
const answerSchema = z.object({ token_result: z.string() }).transform(({ token_result: text }, ctx) => {
  const parsed = tokenSchema.safeParse(parsedOrNull(text));
  if (parsed.success) return parsed.data;
  ctx.addIssue({ code: 'custom', path: ['token_result'], message: 'is no token' });
  return z.NEVER;
});

/** A new session for the refresh token; `unauthorised` when there is none or it is not taken. */
export const refreshToken = async (
  call: TopCall,
  current: string | undefined,
  signal?: AbortSignal,
): Promise<RefreshedToken> => {
  if (current === undefined) throw new AdapterError(TAOBAO, 'unauthorised', 'the shop has no refreshToken');
  const askedAt = Date.now();
  const token = await call(
    {
      method: METHOD,
      params: { refresh_token: current },
      answer: answerSchema,
      effect: 'changes',
      withoutSession: true,
    },
    signal,
  ).catch((error: unknown) => {
    throw isTokenRefused(error) ? new AdapterError(TAOBAO, 'unauthorised', error.message) : error;
  });
  const expiresAtMs = token.expires_in === undefined ? token.expire_time : askedAt + token.expires_in * 1000;
  return {
    credentials: {
      sessionKey: token.access_token,
      ...(token.refresh_token === undefined ? {} : { refreshToken: token.refresh_token }),
    },
    ...(expiresAtMs !== undefined && expiresAtMs < LATEST_MS ? { expiresAt: new Date(expiresAtMs).toISOString() } : {}),
  };
};

/** The gateway's own refusals, as of a wrong signature, say nothing about the token. */
const isTokenRefused = (error: unknown): error is TopRefusal =>
  error instanceof TopRefusal &&
  (error.kind === 'declined' ||
    error.kind === 'notFound' ||
    (error.kind === 'invalid' && /refresh[-_]?token/i.test(`${error.subCode} ${error.subMsg}`)));

const parsedOrNull = (text: string): unknown => {
  try {
    return JSONParse(text);
  } catch {
    return null;
  }
};
