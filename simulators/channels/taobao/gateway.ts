import { randomBytes } from 'node:crypto';
import { accessOf, type AppOptions, type Seller } from './accounts.ts';
import { Arguments } from './arguments.ts';
import type { CallLimits } from './call-limits.ts';
import type { Fault } from './faults.ts';
import { fromGmt8 } from './gmt8.ts';
import { METHODS } from './methods.ts';
import type { Platform } from './platform.ts';
import { signatureOf } from './signature.ts';
import { invalidSession, serviceError, TopError } from './top-error.ts';

const CLOCK_TOLERANCE_MS = 10 * 60_000;
const PREFIX = 'taobao.';

export interface GatewayAnswer {
  text: string;
  outcome: string;
  seller?: string;
}

/** One call from its parameters to its answer, checked in the order in which the real gateway does. */
export class Gateway {
  readonly #platform: Platform;
  readonly #limits: CallLimits;

  constructor(platform: Platform, limits: CallLimits) {
    this.#platform = platform;
    this.#limits = limits;
  }

  answer(params: ReadonlyMap<string, string>, fault?: Fault): GatewayAnswer {
    const requestId = randomBytes(6).toString('hex');
    const name = params.get('method') ?? '';
    let seller: Seller | undefined;
    try {
      const app = this.#app(params);
      const method = METHODS.get(name);
      if (name === '') throw new TopError(21, 'Missing method');
      if (!method) throw new TopError(22, 'Invalid method', 'isv.invalid-method', 'The method is not known');
      checkForm(params);
      checkSignature(params, app, fault);
      if (method.needsSession) seller = this.#session(params, app, fault);
      if (fault?.kind === 'throttle') this.#limits.ban(app.appKey, name, fault.seconds ?? 1);
      this.#limits.admit(app.appKey, name);
      if (fault?.kind === 'isp')
        throw serviceError('isp.remote-service-unavailable', 'The service is not available for now');
      const context = { platform: this.#platform, app, args: new Arguments(params) };
      const inner = method.needsSession
        ? method.answer({ ...context, seller: seller as Seller })
        : method.answer(context);
      const text = `{"${envelopeOf(name)}":{${inner}${inner && ','}"request_id":"${requestId}"}}`;
      return { text, outcome: 'ok', ...(seller ? { seller: seller.nick } : {}) };
    } catch (error) {
      if (!(error instanceof TopError)) throw error;
      return { text: error.toText(requestId), outcome: error.outcome, ...(seller ? { seller: seller.nick } : {}) };
    }
  }

  #app(params: ReadonlyMap<string, string>): AppOptions {
    const appKey = params.get('app_key');
    if (!appKey) throw new TopError(28, 'Missing app key');
    const app = this.#platform.accounts.app(appKey);
    if (!app) throw new TopError(29, 'Invalid app key', 'isv.appkey-not-exists');
    return app;
  }

  #session(params: ReadonlyMap<string, string>, app: AppOptions, fault: Fault | undefined): Seller {
    const { accounts } = this.#platform;
    const sessionKey = params.get('session');
    if (!sessionKey) throw new TopError(26, 'Missing session');
    const seller = accounts.bySession(app, sessionKey);
    if (!seller) throw invalidSession(false);
    if (fault?.kind === 'expire-session') this.#platform.setAccess({ ...accessOf(seller), expiresAt: 1 });
    if (seller.expiresAt !== null && seller.expiresAt <= Date.now()) throw invalidSession(true);
    if (seller.lastRefreshToken !== null) this.#platform.setAccess({ ...accessOf(seller), lastRefreshToken: null });
    return seller;
  }
}

/** The answer's key: the method without its prefix, dots as underscores. */
const envelopeOf = (name: string): string =>
  `${(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name).replaceAll('.', '_')}_response`;

const checkForm = (params: ReadonlyMap<string, string>): void => {
  if (params.get('format') !== 'json') throw new TopError(23, 'Invalid format', undefined, 'Only json is simulated');
  const version = params.get('v');
  if (!version) throw new TopError(32, 'Missing version');
  if (version !== '2.0') throw new TopError(33, 'Invalid version');
  const timestamp = params.get('timestamp');
  if (!timestamp) throw new TopError(30, 'Missing timestamp');
  const at = fromGmt8(timestamp);
  if (at === undefined || Math.abs(at - Date.now()) > CLOCK_TOLERANCE_MS)
    throw new TopError(31, 'Invalid timestamp', 'isv.invalid-timestamp', 'Must be GMT+8 and within ten minutes');
};

const checkSignature = (params: ReadonlyMap<string, string>, app: AppOptions, fault: Fault | undefined): void => {
  const sign = params.get('sign');
  if (!sign) throw new TopError(24, 'Missing signature');
  const isRight = sign === signatureOf(params, app.appSecret, params.get('sign_method') ?? 'md5');
  if (!isRight || fault?.kind === 'bad-signature')
    throw new TopError(25, 'Invalid signature', 'isv.invalid-signature', 'The signature does not fit');
};
