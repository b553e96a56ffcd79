import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export type Metrics = ReturnType<typeof createMetrics>;

/** A registry of its own with all measurements of one process. Labels take only words of the code, never ids or what a caller sent. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const httpDuration = new Histogram({
    name: 'orderhub_http_request_duration_seconds',
    help: 'Time to answer an HTTP request, by route template',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const ordersReceived = new Counter({
    name: 'orderhub_orders_received_total',
    help: 'Orders taken in, by channel',
    labelNames: ['channel'],
    registers,
  });
  const shopAlerts = new Counter({
    name: 'orderhub_shop_alerts_total',
    help: 'Times that a shop could not be collected for so long that an alert was raised, by channel',
    labelNames: ['channel'],
    registers,
  });
  const orderTransitions = new Counter({
    name: 'orderhub_order_transitions_total',
    help: 'Order status changes, by channel and the status reached',
    labelNames: ['channel', 'status'],
    registers,
  });
  const commitBatch = new Histogram({
    name: 'orderhub_commit_batch_steps',
    help: 'Steps of orders written in one transaction',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    registers,
  });
  const commitDuration = new Histogram({
    name: 'orderhub_commit_duration_seconds',
    help: 'Time of one transaction of steps, by outcome',
    labelNames: ['outcome'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const activityAttempts = new Counter({
    name: 'orderhub_activity_attempts_total',
    help: 'Attempts of activities, by outcome',
    labelNames: ['activity', 'outcome'],
    registers,
  });
  const activityDuration = new Histogram({
    name: 'orderhub_activity_duration_seconds',
    help: 'Time of one attempt of an activity',
    labelNames: ['activity'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const dependencyUp = new Gauge({
    name: 'orderhub_dependency_up',
    help: '1 while the dependency answered its last check',
    labelNames: ['dependency'],
    registers,
  });

  return {
    registry,
    contentType: registry.contentType,
    /** The text for `GET /metrics`. */
    render: (): Promise<string> => registry.metrics(),
    /** `route` is the template (`/v1/orders/{orderId}`); undefined where no route matched. */
    httpRequest(request: { method: string; route: string | undefined; status: number; seconds: number }): void {
      const method = METHODS.has(request.method) ? request.method : 'OTHER';
      httpDuration.observe({ method, route: request.route ?? 'unmatched', status: request.status }, request.seconds);
    },
    orderReceived(channel: string): void {
      ordersReceived.inc({ channel });
    },
    shopAlert(channel: string): void {
      shopAlerts.inc({ channel });
    },
    orderTransition(channel: string, status: string): void {
      orderTransitions.inc({ channel, status });
    },
    commit(batch: { steps: number; seconds: number; outcome: 'ok' | 'failed' }): void {
      commitBatch.observe(batch.steps);
      commitDuration.observe({ outcome: batch.outcome }, batch.seconds);
    },
    activityAttempt(attempt: { activity: string; outcome: 'ok' | 'failed' | 'cancelled'; seconds: number }): void {
      activityAttempts.inc({ activity: attempt.activity, outcome: attempt.outcome });
      activityDuration.observe({ activity: attempt.activity }, attempt.seconds);
    },
    dependency(name: string, isUp: boolean): void {
      dependencyUp.set({ dependency: name }, isUp ? 1 : 0);
    },
  };
}
