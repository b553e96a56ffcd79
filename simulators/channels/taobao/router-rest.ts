import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallBook } from './call-book.ts';
import type { Faults } from './faults.ts';
import type { Gateway } from './gateway.ts';
import { readBody } from './http-body.ts';
import type { MovingRows } from './moving-rows.ts';

const PAGED = 'taobao.trades.sold.increment.get';
const USUAL_SLOW_MS = 3000;

interface RouterParts {
  gateway: Gateway;
  faults: Faults;
  calls: CallBook;
  moving: MovingRows;
}

/** `/router/rest` over HTTP: parameters from query and form, and the ways in which an answer gets lost. */
export const answerCall = async (
  { gateway, faults, calls, moving }: RouterParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const params = await paramsOf(request);
  const method = params.get('method') ?? '';
  const fault = faults.take(method);
  const fails = (end: () => void): void => {
    calls.record(params, `fault ${fault?.kind}`, undefined);
    end();
  };
  if (fault?.kind === 'down') return fails(() => request.socket.destroy());
  if (fault?.kind === 'hang') return fails(() => undefined);
  if (fault?.kind === 'http-500')
    return fails(() => send(response, 500, '<html>Internal Server Error</html>', 'text/html'));
  if (fault?.kind === 'not-json') return fails(() => send(response, 200, '<html>系统繁忙</html>', 'text/html'));
  if (fault?.kind === 'slow') await sleep(fault.ms ?? USUAL_SLOW_MS, undefined, { ref: false });
  const { text, outcome, seller } = gateway.answer(params, fault);
  const isLost = fault?.kind === 'lost-answer' || fault?.kind === 'cut';
  calls.record(params, isLost ? `${outcome}, fault ${fault.kind}` : outcome, seller);
  if (fault?.kind === 'lost-answer') return void request.socket.destroy();
  if (fault?.kind === 'cut') return cut(request, response, text);
  send(response, 200, text, 'text/javascript;charset=UTF-8');
  if (method === PAGED) moving.pageServed();
};

/** Of both places, as the platform signs them; what comes twice counts as the body has it. */
const paramsOf = async (request: IncomingMessage): Promise<Map<string, string>> => {
  const params = new Map(new URL(request.url ?? '/', 'http://platform').searchParams);
  if (request.method !== 'POST') return params;
  const body = await readBody(request);
  if (/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? ''))
    for (const [name, value] of new URLSearchParams(body)) params.set(name, value);
  return params;
};

const send = (response: ServerResponse, status: number, text: string, type: string): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
};

const cut = (request: IncomingMessage, response: ServerResponse, text: string): void => {
  const bytes = Buffer.from(text);
  response.writeHead(200, { 'content-type': 'text/javascript;charset=UTF-8', 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
};
