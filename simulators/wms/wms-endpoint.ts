import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryDesk, DeskAnswer } from './delivery-desk.ts';
import { cutShort, drop, send, textOf } from './http-answers.ts';
import { chinaTimeToMs, nodeAt, readBody, signatureOf, textAt, writeBody, type Format } from './qimen-protocol.ts';
import type { Node } from './qimen-protocol.ts';
import type { ReportAccount } from './report-outbox.ts';
import type { WmsControl } from './wms-control.ts';
import type { FaultKind } from './wms-faults.ts';

const TOLERANCE_MS = 10 * 60_000;
const SLOW_MS = 3000;

interface Call {
  query: URLSearchParams;
  method: string;
  format: Format;
  body: string;
  request: Node | null;
}

/** Where merchants' calls come in: who it is, what may go wrong, and what the desk answers. */
export class WmsEndpoint {
  readonly #accounts: readonly ReportAccount[];
  readonly #desk: DeliveryDesk;
  readonly #control: WmsControl;

  constructor(accounts: readonly ReportAccount[], desk: DeliveryDesk, control: WmsControl) {
    this.#accounts = accounts;
    this.#desk = desk;
    this.#control = control;
  }

  async serve(req: IncomingMessage, res: ServerResponse, { searchParams: query }: URL): Promise<void> {
    const method = (query.get('method') ?? '').replace('taobao.qimen.', '');
    const format: Format = query.get('format') === 'json' ? 'json' : 'xml';
    const body = await textOf(req);
    const request = readBody('request', body, format);
    const code = request ? codeIn(request) : '';
    const strike = (kind: FaultKind) => {
      const fault = this.#control.faults.strike(kind, method, code);
      if (fault) note(kind);
      return fault;
    };
    const note = (outcome: string) => this.#control.note({ at: Date.now(), method, code, outcome });
    if (strike('down')) return drop(req);
    if (strike('hang')) return;
    const slow = strike('slow');
    if (slow) await sleep(slow.delayMs ?? SLOW_MS);
    if (strike('http-500')) return send(res, 500, 'text/plain', 'internal error');
    const { more = {}, ...answer } = strike('busy') ? BUSY : this.#answer({ query, method, format, body, request });
    note(answer.flag === 'success' ? answer.flag : answer.code);
    const text = writeBody('response', { ...answer, ...more }, format);
    const type = format === 'xml' ? 'text/xml; charset=utf-8' : 'application/json; charset=utf-8';
    if (strike('lost-answer')) return drop(req);
    if (strike('cut-short')) return cutShort(res, type, text);
    send(res, 200, type, text);
  }

  #answer({ query, method, body, request }: Call): DeskAnswer {
    const account = this.#accounts.find(({ appKey }) => appKey === query.get('app_key'));
    if (!account) return failed('invalid-app-key', 'the app key is not known');
    if (query.get('sign') !== signatureOf(query, body, account.secret))
      return failed('sign-check-failure', 'the signature is wrong');
    const sentAt = chinaTimeToMs(query.get('timestamp') ?? '');
    if (!(Math.abs(Date.now() - sentAt) < TOLERANCE_MS)) return failed('invalid-timestamp', 'the timestamp is too old');
    if (query.get('v') !== '2.0') return failed('invalid-version', 'v must be 2.0');
    const owner = this.#accounts.find(
      ({ appKey, customerId }) => appKey === account.appKey && customerId === query.get('customerId'),
    );
    if (!owner) return failed('invalid-customer-id', 'the customer is not known');
    if (!request) return failed('invalid-body', 'the body cannot be read');
    return this.#desk.answer(method, request, owner);
  }
}

const codeIn = (request: Node): string =>
  textAt(request, 'orderCode') || textAt(nodeAt(request, 'deliveryOrder'), 'deliveryOrderCode');

const failed = (code: string, message: string): DeskAnswer => ({ flag: 'failure', code, message });
const BUSY = failed('isp.system-busy', 'system busy, try again later');
