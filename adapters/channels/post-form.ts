/** Of one answer, in bytes. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Connections that failed before a byte of the request could leave. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export interface FormPost {
  url: string;
  form: Readonly<Record<string, string>>;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  status: number;
  text: string;
  retryAfterMs?: number;
}

/** No whole answer came; when the request was `sent`, it may have taken effect. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

/** Posts a form and reads the whole answer, which is bounded and must be UTF-8; throws `NoAnswer` only. */
export const postForm = async ({ url, form, timeoutMs, signal }: FormPost): Promise<HttpAnswer> => {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
      body: new URLSearchParams(form).toString(),
      // A redirect would carry the session to another host.
      redirect: 'error',
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
    const text = await readText(response);
    const retryAfterSec = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      status: response.status,
      text,
      ...(retryAfterSec >= 0 ? { retryAfterMs: retryAfterSec * 1000 } : {}),
    };
  } catch (error) {
    if (error instanceof NoAnswer) throw error;
    if (timeout.aborted) throw new NoAnswer(`no answer within ${timeoutMs} ms`, true);
    if (signal?.aborted) throw new NoAnswer('given up by the caller', true);
    const code = codeOf(error);
    if (NEVER_SENT.has(code)) throw new NoAnswer(`cannot be reached (${code})`, false);
    throw new NoAnswer(`the connection broke off${code ? ` (${code})` : ''}`, true);
  }
};

const readText = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let size = 0;
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > MOST_BYTES) throw new NoAnswer('the answer is too large', true);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError && codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new NoAnswer('the answer is not UTF-8', true);
    throw error;
  }
};

const codeOf = (error: unknown): string => {
  for (const candidate of [error, error instanceof Error ? error.cause : undefined]) {
    if (candidate instanceof Error && 'code' in candidate && typeof candidate.code === 'string') return candidate.code;
  }
  return '';
};
