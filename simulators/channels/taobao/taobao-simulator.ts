import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../../runtime/logger.ts';
import type { AppOptions } from './accounts.ts';
import { startBuyers, type BuyerLife } from './buyers.ts';
import { CallBook } from './call-book.ts';
import { CallLimits, type CallRate } from './call-limits.ts';
import { TaobaoControl } from './control.ts';
import { answerControl } from './control-routes.ts';
import { Faults } from './faults.ts';
import { Gateway } from './gateway.ts';
import { BodyTooLarge, readBody } from './http-body.ts';
import { MovingRows, type Movement } from './moving-rows.ts';
import { Platform } from './platform.ts';
import { answerCall } from './router-rest.ts';

export interface TaobaoSimulatorOptions {
  /** Default: any that is free. */
  port?: number | undefined;
  host?: string | undefined;
  /** Where the books outlive the process; without it they end with it. */
  journalFile?: string | undefined;
  apps: AppOptions[];
  rate?: CallRate | undefined;
  life?: BuyerLife | undefined;
  moving?: Movement | undefined;
  logger?: Pick<Logger, 'info' | 'error'> | undefined;
}

export interface TaobaoSimulator {
  /** Origin: the platform's own paths follow, and `/_control/`. */
  url: string;
  control: TaobaoControl;
  stop(): Promise<void>;
}

/** A platform on loopback that refuses what the real one refuses, and fails when it is told to. */
export const startTaobaoSimulator = async (options: TaobaoSimulatorOptions): Promise<TaobaoSimulator> => {
  const platform = new Platform(options.apps, options.journalFile);
  const limits = new CallLimits(options.rate);
  const parts = { platform, limits, faults: new Faults(), calls: new CallBook(), moving: new MovingRows(platform) };
  const control = new TaobaoControl(parts);
  const gateway = new Gateway(platform, limits);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!request.socket.destroyed) options.logger?.error('The Taobao simulator failed', { error });
      request.socket.destroy();
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://platform');
    if (pathname === '/router/rest') return answerCall({ ...parts, gateway }, request, response);
    if (!pathname.startsWith('/_control/')) return sendJson(response, 404, { detail: 'nothing here' });
    const body = await jsonBody(request);
    if (body instanceof Error) return sendJson(response, 400, { detail: body.message });
    const { status, body: answerBody } = answerControl(control, {
      method: request.method ?? 'GET',
      path: pathname,
      query: searchParams,
      body,
    });
    sendJson(response, status, answerBody);
  };
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, host, () => resolve());
  });
  const buyers = options.life && startBuyers(platform, options.life);
  if (options.moving) parts.moving.start(options.moving);
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  options.logger?.info('The Taobao simulator serves', { url, trades: platform.trades.size });
  const end = async (): Promise<void> => {
    buyers?.stop();
    parts.moving.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    platform.close();
  };
  let ended: Promise<void> | undefined;
  return { url, control, stop: () => (ended ??= end()) };
};

const jsonBody = async (request: IncomingMessage): Promise<unknown> => {
  try {
    const text = await readBody(request);
    return text === '' ? {} : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof BodyTooLarge) return error;
    throw error;
  }
};

const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
};
