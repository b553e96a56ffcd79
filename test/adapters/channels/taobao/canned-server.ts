import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export type Form = Readonly<Record<string, string>>;

/** Answers a call by its form; text is sent with status 200. */
export type Answer = (form: Form, response: ServerResponse, calls: readonly Form[]) => string | undefined;

export interface CannedServer {
  url: string;
  /** Every call so far, oldest first. */
  calls: Form[];
}

/** A server that says what it is told to, gone when the test ends. An answer that gives no text has sent its own. */
export const cannedServer = async (t: TestContext, answer: Answer): Promise<CannedServer> => {
  const calls: Form[] = [];
  const server = createServer((request, response) => {
    void formOf(request).then((form) => {
      calls.push({ ...form, $path: request.url ?? '', $verb: request.method ?? '' });
      const text = answer(form, response, calls);
      if (text !== undefined) response.setHeader('content-type', 'application/json').end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
};

const formOf = async (request: IncomingMessage): Promise<Form> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return Object.fromEntries(new URLSearchParams(text));
};

export const refusal = (code: number, subCode = '', subMsg = ''): string =>
  JSON.stringify({
    error_response: { code, msg: 'Remote service error', sub_code: subCode, sub_msg: subMsg, request_id: 'r1' },
  });
