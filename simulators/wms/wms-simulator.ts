import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../runtime/logger.ts';
import { DeliveryBook } from './delivery-book.ts';
import { DeliveryDesk } from './delivery-desk.ts';
import { DEFAULT_LIFE, DeliveryLife, type WmsLife } from './delivery-life.ts';
import { drop, send, textOf } from './http-answers.ts';
import { ReportOutbox, type ReportAccount, type RetryTimes } from './report-outbox.ts';
import { WmsControl } from './wms-control.ts';
import { WmsEndpoint } from './wms-endpoint.ts';
import { WmsFaults } from './wms-faults.ts';

export type WmsSimulatorAccount = ReportAccount;

export interface WmsSimulatorOptions {
  port?: number;
  host?: string;
  /** Without it, nothing outlives the process. */
  journalFile?: string;
  accounts: readonly WmsSimulatorAccount[];
  life?: Partial<WmsLife>;
  retry?: Partial<RetryTimes>;
  logger?: Logger;
}

export interface WmsSimulator {
  /** What a warehouse's `wms.baseUrl` is set to; `/_control/` is on the same host and port. */
  url: string;
  control: WmsControl;
  stop(): Promise<void>;
}

const RETRY: RetryTimes = { firstMs: 500, longestMs: 30_000, timeoutMs: 20_000 };

/** A warehouse's system on loopback that speaks Qimen, packs and ships by itself, and can be told to fail. */
export const startWmsSimulator = async (options: WmsSimulatorOptions): Promise<WmsSimulator> => {
  const { accounts, logger, host = '127.0.0.1' } = options;
  const book = new DeliveryBook(options.journalFile);
  const faults = new WmsFaults();
  const outbox = new ReportOutbox({ book, faults, accounts, retry: { ...RETRY, ...options.retry }, logger });
  const life = new DeliveryLife(book, outbox, { ...DEFAULT_LIFE, ...options.life });
  const control = new WmsControl(book, life, outbox, faults);
  const endpoint = new WmsEndpoint(accounts, new DeliveryDesk(book, faults, (code) => life.schedule(code)), control);

  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://wms');
    const isControl = url.pathname.startsWith(`${CONTROL}/`);
    (isControl ? serveControl(control, req, res, url) : endpoint.serve(req, res, url)).catch((error: unknown) => {
      logger?.warn('The warehouse could not answer', { error });
      drop(req);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  life.resume();
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/qimen`,
    control,
    async stop() {
      life.stop();
      server.closeAllConnections();
      await Promise.all([new Promise((resolve) => server.close(resolve)), outbox.stop()]);
      book.close();
    },
  };
};

const CONTROL = '/_control';

const serveControl = async (control: WmsControl, req: IncomingMessage, res: ServerResponse, url: URL) => {
  const text = await textOf(req);
  let body: unknown = {};
  try {
    if (text !== '') body = JSON.parse(text);
  } catch {
    return send(res, 400, 'application/json', '{"detail":"the body is not JSON"}');
  }
  const answer = await control.serve(req.method ?? 'GET', url.pathname.slice(CONTROL.length), body);
  send(res, answer.status, 'application/json', JSON.stringify(answer.body));
};
