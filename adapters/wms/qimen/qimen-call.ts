import { AdapterError, type AdapterFailureKind } from '../../../domain/failures.ts';
import type { WmsAccount } from '../wms-port.ts';
import type { Fields } from './fields.ts';
import { textOf } from './fields.ts';
import { readMessage, writeMessage } from './message.ts';
import { qimenTime } from './qimen-time.ts';
import { qimenSign } from './sign.ts';
import { MAX_XML_BYTES, type XmlContents } from './xml.ts';

export const SYSTEM = 'qimen';

export interface CallOptions {
  timeoutMs: number;
  now: () => Date;
}

export interface Call {
  /** Without the prefix `taobao.qimen.`. */
  method: string;
  request: XmlContents;
  /** A call that changes nothing has no unknown outcome. */
  isChanging: boolean;
  signal?: AbortSignal | undefined;
}

/** What a warehouse's system has answered, in its own words. */
export interface CallAnswer {
  isDone: boolean;
  code: string;
  message: string;
  fields: Fields;
}

/** Posts one call, signed; throws `AdapterError` for everything that is no answer of the warehouse's system. */
export const callQimen = async (account: WmsAccount, options: CallOptions, call: Call): Promise<CallAnswer> => {
  const body = Buffer.from(writeMessage('request', call.request, 'xml'), 'utf8');
  const url = signedUrl(account, call.method, body, options.now());
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const lost: AdapterFailureKind = call.isChanging ? 'unknownOutcome' : 'unavailable';
  let status: number;
  let bytes: Uint8Array;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'text/xml; charset=utf-8' },
      body,
      redirect: 'manual',
      signal: call.signal ? AbortSignal.any([timeout, call.signal]) : timeout,
    });
    status = response.status;
    if (status !== 200) {
      await response.body?.cancel().catch(() => {});
      throw httpFailure(call.method, response, lost);
    }
    bytes = await readBounded(response);
  } catch (error) {
    if (error instanceof AdapterError) throw error;
    throw new AdapterError(SYSTEM, wasNeverSent(error) ? 'unavailable' : lost, `${call.method}: ${nameOf(error)}`);
  }
  return answerOf(call.method, bytes, lost);
};

/** The whole URL may have a query already; its parameters are signed as any other. */
const signedUrl = ({ baseUrl, appKey, secret, customerId }: WmsAccount, method: string, body: Buffer, now: Date) => {
  const url = new URL(baseUrl);
  const params: Record<string, string> = {
    ...Object.fromEntries(url.searchParams),
    method: `taobao.qimen.${method}`,
    app_key: appKey,
    customerId,
    timestamp: qimenTime(now),
    v: '2.0',
    format: 'xml',
    sign_method: 'md5',
  };
  params['sign'] = qimenSign(params, body, secret);
  url.search = new URLSearchParams(params).toString();
  return url;
};

const readBounded = async (response: Response): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_XML_BYTES) throw new Error('the answer is larger than a megabyte');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const answerOf = (method: string, bytes: Uint8Array, lost: AdapterFailureKind): CallAnswer => {
  let fields: Fields;
  let flag: string;
  let code: string;
  let message: string;
  try {
    fields = readMessage('response', bytes, bytes[0] === 0x7b ? 'json' : 'xml');
    flag = textOf(fields, 'flag');
    code = textOf(fields, 'code', 1000);
    message = textOf(fields, 'message', 10_000);
  } catch {
    // Cut short, or a page of some proxy in between.
    throw new AdapterError(SYSTEM, lost, `${method}: the answer is no Qimen response`);
  }
  if (flag !== 'success' && flag !== 'failure')
    throw new AdapterError(SYSTEM, lost, `${method}: the answer has no flag`);
  return { isDone: flag === 'success', code: code.slice(0, 64), message: message.slice(0, 300), fields };
};

const httpFailure = (method: string, response: Response, lost: AdapterFailureKind): AdapterError => {
  const { status } = response;
  const retryAfterMs = retryAfterOf(response);
  const fail = (kind: AdapterFailureKind) => new AdapterError(SYSTEM, kind, `${method}: HTTP ${status}`, retryAfterMs);
  if (status === 429) return fail('throttled');
  if (status === 503) return fail('unavailable');
  if (status >= 500) return fail(lost);
  return fail(status === 401 || status === 403 ? 'unauthorised' : 'invalid');
};

const LONGEST_WAIT_SEC = 3600;

const retryAfterOf = ({ headers }: Response): number | undefined => {
  const [seconds] = /^\d{1,9}$/.exec(headers.get('retry-after') ?? '') ?? [];
  return seconds === undefined ? undefined : Math.min(Number(seconds), LONGEST_WAIT_SEC) * 1000;
};

const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/** No connection was made, so that nothing can have taken effect. */
const wasNeverSent = (error: unknown): boolean => {
  const { cause } = error as { cause?: unknown };
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.every((entry) => NEVER_SENT.includes((entry as { code?: string } | undefined)?.code ?? ''));
};

/** Names and codes only: a message may quote the URL, whose query is signed. */
const nameOf = (error: unknown): string => {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return 'no answer in time';
  return cause?.code ?? name ?? 'no answer';
};
