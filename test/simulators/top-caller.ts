import { createHash } from 'node:crypto';

export interface TopApp {
  appKey: string;
  appSecret: string;
  session?: string;
}

export type TopParams = Readonly<Record<string, string>>;

export const gmt8 = (at: number): string => new Date(at + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/** Signed by md5, as the platform documents it; `over` replaces or, when empty, leaves out what goes over the wire. */
export const signedForm = (app: TopApp, method: string, params: TopParams, over: TopParams = {}): URLSearchParams => {
  const all: Record<string, string> = {
    ...params,
    method,
    app_key: app.appKey,
    ...(app.session === undefined ? {} : { session: app.session }),
    timestamp: gmt8(Date.now()),
    v: '2.0',
    format: 'json',
    sign_method: 'md5',
    ...over,
  };
  for (const [name, value] of Object.entries(all)) if (value === '') delete all[name];
  const text = Object.keys(all)
    .sort()
    .map((name) => `${name}${all[name]}`)
    .join('');
  const sign = createHash('md5').update(`${app.appSecret}${text}${app.appSecret}`).digest('hex').toUpperCase();
  return new URLSearchParams({ ...all, sign: over['sign'] ?? sign });
};

/** One seller's calls to the platform at `url`. */
export class TopCaller {
  readonly #url: string;
  readonly #app: TopApp;

  constructor(url: string, app: TopApp) {
    this.#url = url;
    this.#app = app;
  }

  async text(method: string, params: TopParams = {}, over?: TopParams): Promise<string> {
    const answer = await fetch(`${this.#url}/router/rest`, {
      method: 'POST',
      body: signedForm(this.#app, method, params, over),
      signal: AbortSignal.timeout(10_000),
    });
    return answer.text();
  }

  /** What stands under the method's own key. Ids are rounded: read their `_str`. */
  async ok<T = Record<string, unknown>>(method: string, params: TopParams = {}): Promise<T> {
    const body = JSON.parse(await this.text(method, params)) as Record<string, T>;
    const found = body[`${method.replace('taobao.', '').replaceAll('.', '_')}_response`];
    if (!found) throw new Error(`${method}: ${JSON.stringify(body)}`);
    return found;
  }

  /** `<code> <sub code>` of a refusal. */
  async refusal(method: string, params: TopParams = {}, over?: TopParams): Promise<string> {
    const { error_response: error } = JSON.parse(await this.text(method, params, over)) as {
      error_response?: { code: number; sub_code?: string; request_id: string };
    };
    if (!error) throw new Error(`${method} was not refused`);
    return `${error.code} ${error.sub_code ?? ''}`.trim();
  }
}
