import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../runtime/logger.ts';
import type { BookedReport, Delivery, DeliveryBook } from './delivery-book.ts';
import { chinaTime, readBody, signatureOf, textAt, writeBody, type Format } from './qimen-protocol.ts';
import { reportBody, reportMethod } from './report-message.ts';
import type { WmsFaults } from './wms-faults.ts';

export interface ReportAccount {
  appKey: string;
  secret: string;
  customerId: string;
  warehouseId: string;
  callbackUrl: string;
  /** Of its reports; default XML. */
  format?: Format;
}

export interface RetryTimes {
  firstMs: number;
  longestMs: number;
  timeoutMs: number;
}

export interface ReportOutboxParts {
  book: DeliveryBook;
  faults: WmsFaults;
  accounts: readonly ReportAccount[];
  retry: RetryTimes;
  logger?: Logger | undefined;
}

const MOST_IN_FLIGHT = 16;
const OUT_OF_ORDER_MS = 1000;

/** Sends what the warehouse has to say, each delivery's reports one after the other, again and again until one is taken. */
export class ReportOutbox {
  readonly #parts: ReportOutboxParts;
  readonly #running = new Map<string, Promise<void>>();
  readonly #end = new AbortController();
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(parts: ReportOutboxParts) {
    this.#parts = parts;
  }

  /** Says what is still to be said of a delivery. */
  push(code: string): void {
    if (this.#running.has(code) || this.#end.signal.aborted) return;
    const run = this.#run(code)
      .catch((error: unknown) => {
        if (!this.#end.signal.aborted) this.#parts.logger?.error('The warehouse cannot report', { code, error });
      })
      .finally(() => {
        this.#running.delete(code);
        if (openReports(this.#parts.book.find(code)).length > 0) this.push(code);
      });
    this.#running.set(code, run);
  }

  /** Sends a report once more, whatever became of it; answers how it was answered. */
  async repeat(delivery: Delivery, report: BookedReport): Promise<string> {
    return this.#send(delivery, report);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    for (const go of this.#waiting.splice(0)) go();
    await Promise.all(this.#running.values());
  }

  async #run(code: string): Promise<void> {
    const { book, faults, retry } = this.#parts;
    let pauseMs = retry.firstMs;
    for (;;) {
      const delivery = book.find(code);
      const [first] = openReports(delivery);
      if (!delivery || !first || this.#end.signal.aborted) return;
      const disorder = faults.strike('out-of-order', reportMethod(first), code);
      if (disorder) await this.#pause(disorder.delayMs ?? OUT_OF_ORDER_MS);
      const report = disorder ? (openReports(delivery).at(-1) ?? first) : first;
      const isTwice = faults.strike('duplicate-report', reportMethod(report), code) !== undefined;
      const answers = await Promise.all([
        this.#send(delivery, report),
        ...(isTwice ? [this.#send(delivery, report)] : []),
      ]);
      if (answers.includes('success')) {
        pauseMs = retry.firstMs;
        continue;
      }
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, retry.longestMs);
    }
  }

  async #send(delivery: Delivery, report: BookedReport): Promise<string> {
    const answer = await this.#inTurn(() => this.#post(delivery, report));
    if (this.#end.signal.aborted && answer === NO_ANSWER) return answer;
    this.#parts.book.answered(delivery.code, report.number, answer);
    return answer;
  }

  async #post(delivery: Delivery, report: BookedReport): Promise<string> {
    const { accounts, faults, retry } = this.#parts;
    const method = reportMethod(report);
    const account = accounts.find(({ warehouseId }) => warehouseId === delivery.warehouseId);
    if (!account || faults.strike('down', method, delivery.code)) return NO_ANSWER;
    const { format = 'xml' } = account;
    const body = writeBody('request', reportBody(delivery, report, format), format);
    const url = new URL(account.callbackUrl);
    url.searchParams.set('method', `taobao.qimen.${method}`);
    url.searchParams.set('app_key', account.appKey);
    url.searchParams.set('customerId', account.customerId);
    url.searchParams.set('timestamp', chinaTime(Date.now()));
    url.searchParams.set('v', '2.0');
    url.searchParams.set('format', format);
    url.searchParams.set('sign_method', 'md5');
    const isForged = faults.strike('bad-signature', method, delivery.code) !== undefined;
    const secret = isForged ? `${account.secret}-wrong` : account.secret;
    url.searchParams.set('sign', signatureOf(url.searchParams, body, secret));
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': format === 'xml' ? 'text/xml; charset=utf-8' : 'application/json' },
        body,
        signal: AbortSignal.any([AbortSignal.timeout(retry.timeoutMs), this.#end.signal]),
      });
      const answer = readBody('response', await response.text(), format);
      if (!answer) return `HTTP ${response.status}`;
      const flag = textAt(answer, 'flag');
      return flag === 'success' ? flag : `${textAt(answer, 'code')}: ${textAt(answer, 'message')}`;
    } catch {
      return NO_ANSWER;
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#inFlight >= MOST_IN_FLIGHT && !this.#end.signal.aborted)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#inFlight += 1;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#end.signal }).catch(() => {});
  }
}

const NO_ANSWER = 'no answer';

const openReports = (delivery: Delivery | undefined): BookedReport[] =>
  delivery?.reports.filter(({ isDone }) => !isDone) ?? [];
