import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../runtime/metrics.ts';

test('requests are counted by route template, and what no route matched under one name', async () => {
  const metrics = createMetrics();
  metrics.httpRequest({ method: 'GET', route: '/v1/orders/{orderId}', status: 200, seconds: 0.02 });
  metrics.httpRequest({ method: 'GET', route: undefined, status: 404, seconds: 0.001 });
  metrics.httpRequest({ method: 'BREW', route: undefined, status: 404, seconds: 0.001 });
  const text = await metrics.render();
  assert.match(
    text,
    /orderhub_http_request_duration_seconds_count\{method="GET",route="\/v1\/orders\/\{orderId\}",status="200"\} 1/,
  );
  assert.match(text, /method="GET",route="unmatched",status="404"\} 1/);
  assert.match(text, /method="OTHER",route="unmatched"/);
});

test('names follow the conventions of Prometheus and every metric of ours has help', async () => {
  const metrics = createMetrics();
  metrics.orderReceived('own');
  metrics.orderTransition('own', 'shipped');
  metrics.commit({ steps: 3, seconds: 0.01, outcome: 'ok' });
  metrics.activityAttempt({ activity: 'commitStep', outcome: 'failed', seconds: 0.1 });
  metrics.dependency('mongodb', true);
  for (const metric of await metrics.registry.getMetricsAsJSON()) {
    assert.ok(metric.help.length > 0, metric.name);
    if (!metric.name.startsWith('orderhub_')) continue;
    assert.match(metric.name, /_(seconds|steps|up|total)$/);
    // prom-client gives the type as a number or a word, depending on the call.
    if (metric.name.endsWith('_total')) assert.match(String(metric.type), /counter|0/);
  }
  assert.match(await metrics.render(), /orderhub_orders_received_total\{channel="own"\} 1/);
});

test('two registries in one process do not mix', async () => {
  const [a, b] = [createMetrics(), createMetrics()];
  a.orderReceived('own');
  assert.doesNotMatch(await b.render(), /orderhub_orders_received_total\{channel="own"\}/);
});
