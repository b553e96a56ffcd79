import type { IncomingMessage, ServerResponse } from 'node:http';

const MOST_BYTES = 2 * 1024 * 1024;

export const textOf = async (req: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

export const send = (res: ServerResponse, status: number, type: string, text: string): void => {
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
};

/** The connection ends without an answer. */
export const drop = (req: IncomingMessage): void => {
  req.socket.destroy();
};

/** The connection ends in the middle of an answer that looked like a whole one. */
export const cutShort = (res: ServerResponse, type: string, text: string): void => {
  res.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  res.write(text.slice(0, Math.floor(text.length / 2)), () => res.destroy());
};
