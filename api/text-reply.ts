import type { Reply, Route } from './route.ts';

/** An answer ready to be sent, and to be remembered. */
export interface TextReply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

export function toTextReply(reply: Reply, route: Route): TextReply {
  const contentType = route.success.contentType ?? 'application/json; charset=utf-8';
  const isJson = route.success.contentType === undefined;
  return {
    status: reply.status,
    headers: {
      ...(reply.body === undefined ? {} : { 'Content-Type': contentType }),
      ...(reply.revision === undefined ? {} : { ETag: `"${reply.revision}"` }),
      ...reply.headers,
    },
    body: reply.body === undefined ? '' : isJson ? JSON.stringify(reply.body) : (reply.body as string | Uint8Array),
  };
}
