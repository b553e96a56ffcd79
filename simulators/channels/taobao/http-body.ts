import type { IncomingMessage } from 'node:http';

const MOST_BYTES = 2_000_000;

export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
}

export const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new BodyTooLarge(`A body is at most ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
