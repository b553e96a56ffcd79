import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const CONNECTIONS = new Agent({ keepAlive: true, maxSockets: 64 });

export class RestRefused extends Error {
  override name = 'RestRefused';
}

/** How people and services of the demo, the bench and the fault runs call OrderHub: over REST, as anybody else would. */
export class RestClient {
  readonly #baseUrl: string;
  readonly #signal: AbortSignal;
  readonly #authorize: () => Promise<string>;

  constructor(baseUrl: string, signal: AbortSignal, authorize: () => Promise<string>) {
    this.#baseUrl = baseUrl;
    this.#signal = signal;
    this.#authorize = authorize;
  }

  async call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#ask(method, path, body).catch((error: unknown) => error as Error);
      if (this.#signal.aborted) throw new RestRefused('stopped');
      if (!(answer instanceof Error) && answer.status < 300) return JSON.parse(answer.text) as T;
      const isWorthRepeating = answer instanceof Error || answer.status === 503 || answer.status === 429;
      if (!isWorthRepeating || tries >= 20)
        throw new RestRefused(
          answer instanceof Error ? answer.message : `${method} ${path}: ${answer.status} ${answer.text}`,
        );
      await sleep(Math.min(500 * tries, 5000), undefined, { signal: this.#signal });
    }
  }

  /** Over plain `http` with kept connections: half the CPU of `fetch`, which the bench would else count as the order's. */
  async #ask(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${await this.#authorize()}`,
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#baseUrl}${path}`, { method, headers, agent: CONNECTIONS }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
      });
      sent.setTimeout(60_000, () => sent.destroy(new Error(`${method} ${path}: no answer for a minute`)));
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  get = <T = Record<string, unknown>>(path: string) => this.call<T>('GET', path);
  post = <T = Record<string, unknown>>(path: string, body: unknown) => this.call<T>('POST', path, body);
  put = <T = Record<string, unknown>>(path: string, body: unknown) => this.call<T>('PUT', path, body);
}

/** Signs in when needed and again before the token ends. */
export const signedIn = (baseUrl: string, username: string, password: string): (() => Promise<string>) => {
  let token: { value: string; until: number } | undefined;
  return async () => {
    if (token && token.until > Date.now()) return token.value;
    const answer = await fetch(`${baseUrl}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    if (!answer.ok) throw new RestRefused(`${username} cannot sign in: ${answer.status}`);
    const { accessToken, expiresInSec } = (await answer.json()) as { accessToken: string; expiresInSec: number };
    token = { value: accessToken, until: Date.now() + (expiresInSec - 60) * 1000 };
    return accessToken;
  };
};
