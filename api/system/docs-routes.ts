import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Problem } from '../errors.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

const HTML = 'text/html; charset=utf-8';

/** Scripts and styles of ours only, nothing from elsewhere; the page's library sets styles on elements. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>OrderHub API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>`;

const START = `window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, persistAuthorization: false });`;

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'start.js': 'text/javascript; charset=utf-8',
};

/** The OpenAPI document as a page, made of files that we serve ourselves. */
export function createDocsRoutes(): Route[] {
  const contents = new Map<string, Promise<Buffer>>([['start.js', Promise.resolve(Buffer.from(START))]]);
  const contentOf = (file: string): Promise<Buffer> => {
    const known = contents.get(file);
    if (known) return known;
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    const content = readFile(join(folder, file));
    contents.set(file, content);
    return content;
  };

  return [
    defineRoute({
      method: 'GET',
      path: '/docs',
      operationId: 'docs',
      tag: 'system',
      summary: 'The API as a page',
      access: 'public',
      hidden: true,
      success: { status: 200, contentType: HTML, description: 'The page' },
      handler: async () => ({
        status: 200,
        body: PAGE,
        headers: { 'Content-Security-Policy': CONTENT_SECURITY_POLICY },
      }),
    }),
    defineRoute({
      method: 'GET',
      path: '/docs/{file}',
      operationId: 'docsFile',
      tag: 'system',
      summary: 'A file of that page',
      access: 'public',
      hidden: true,
      params: z.strictObject({ file: z.string().max(100) }),
      success: { status: 200, contentType: 'application/octet-stream', description: 'The file' },
      handler: async ({ params: { file } }) => {
        const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
        if (type === undefined) throw new Problem('not_found');
        const headers = { 'Content-Type': type, 'Cache-Control': 'public, max-age=3600' };
        return { status: 200, body: await contentOf(file), headers };
      },
    }),
  ];
}
