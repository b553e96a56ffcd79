import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestApi } from './api-harness.ts';

let isUp = true;
const api = await startTestApi({
  settings: { metricsToken: 'a-token-for-metrics' },
  checks: {
    mongodb: async () => {},
    temporal: async () => {
      if (!isUp) throw new Error('connection refused at secret-host');
    },
  },
});

describe('system routes', () => {
  it('say that the process lives and is ready, and which dependency is down', async () => {
    assert.deepEqual((await api.call('GET', '/healthz')).body, { status: 'ok' });
    const up = await api.call('GET', '/readyz');
    assert.equal(up.status, 200);
    assert.deepEqual(up.body, { status: 'ready', dependencies: { mongodb: 'up', temporal: 'up' } });
    isUp = false;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const down = await api.call('GET', '/readyz');
    assert.equal(down.status, 503);
    assert.deepEqual(down.body.dependencies, { mongodb: 'up', temporal: 'down' });
    assert.ok(!down.text.includes('secret-host'));
    isUp = true;
  });

  it('give measurements to who has the token, by route and never by id', async () => {
    await api.call('GET', '/v1/users/somebody');
    assert.equal((await api.call('GET', '/metrics')).status, 401);
    assert.equal((await api.call('GET', '/metrics', { token: 'wrong' })).status, 401);
    const { status, text } = await api.call('GET', '/metrics', { token: 'a-token-for-metrics' });
    assert.equal(status, 200);
    assert.match(text, /route="\/v1\/users\/\{username\}"/);
    assert.ok(!text.includes('somebody'));
  });

  it('change the log level at run time, audited', async () => {
    const token = await api.as('root', ['admin']);
    const put = (level: string) => api.call('PUT', '/v1/log-level', { token, body: { level } });
    assert.equal((await put('loud')).status, 400);
    assert.equal((await put('warn')).status, 200);
    assert.equal(api.deps.logger.level, 'warn');
    assert.deepEqual((await api.call('GET', '/v1/log-level', { token })).body, { level: 'warn' });
    const [entry] = await api.deps.audit.list({ entity: 'system/log-level', limit: 1 });
    assert.deepEqual([entry?.before, entry?.after], [{ level: 'debug' }, { level: 'warn' }]);
  });
});

describe('the OpenAPI document', async () => {
  const { body: document } = await api.call('GET', '/openapi.json');

  it('is OpenAPI 3.1 with every operation, its schemas, problems and security', () => {
    assert.equal(document.openapi, '3.1.0');
    const login = document.paths['/v1/auth/login'].post;
    assert.deepEqual(login.security, []);
    assert.ok(login.responses['401'] && document.paths['/v1/auth/refresh'].post.responses['401']);
    const create = document.paths['/v1/users'].post;
    assert.deepEqual(Object.keys(create.responses).toSorted(), [
      '201',
      '400',
      '401',
      '403',
      '409',
      '412',
      '413',
      '415',
      '422',
      '429',
      '503',
    ]);
    assert.equal(
      create.responses['409'].content['application/problem+json'].schema.$ref,
      '#/components/schemas/Problem',
    );
    const bodySchema = create.requestBody.content['application/json'].schema;
    assert.equal(bodySchema.additionalProperties, false);
    assert.equal(bodySchema.properties.password.minLength, 8);
    assert.ok(
      create.parameters.some((p: { name: string; in: string }) => p.name === 'Idempotency-Key' && p.in === 'header'),
    );
    const limit = document.paths['/v1/audit'].get.parameters.find(({ name }: { name: string }) => name === 'limit');
    assert.equal(limit.schema.type, 'integer');
    assert.ok(document.components.securitySchemes.bearer);
    assert.deepEqual(document.security, [{ bearer: [] }]);
  });

  it('refers to nothing that is not in it, and names every path parameter', () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(document.components.schemas[name ?? ''], name);
    for (const [path, item] of Object.entries<Record<string, { parameters?: { in: string; name: string }[] }>>(
      document.paths,
    ))
      for (const operation of Object.values(item)) {
        const declared = (operation.parameters ?? []).filter((p) => p.in === 'path').map(({ name }) => name);
        assert.deepEqual(
          declared,
          [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
          path,
        );
      }
  });

  it('has a page that asks nothing of other servers', async () => {
    const page = await api.call('GET', '/docs');
    assert.equal(page.status, 200);
    assert.ok(!/https?:\/\//.test(page.text));
    assert.ok(!/<script>|onload=|style=/.test(page.text), 'nothing that its own policy would stop');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    for (const [, file] of page.text.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)) {
      const { status, headers } = await api.call('GET', file ?? '');
      assert.equal(status, 200, file);
      assert.match(headers.get('content-type') ?? '', /javascript|css/);
    }
    for (const file of ['nothing.js', '..%2f..%2fpackage.json', 'package.json', '__proto__'])
      assert.equal((await api.call('GET', `/docs/${file}`)).status, 404, file);
  });
});
