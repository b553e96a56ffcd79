import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AppContext } from './app-context.ts';
import { pingMongo } from './mongo.ts';

const CHECK_LIMIT_MS = 2_500;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const mayReadMetrics = (request: IncomingMessage, token: string | undefined): boolean =>
  token === undefined || timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));

const isUp = async (check: () => Promise<unknown>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_LIMIT_MS);
  });
  try {
    return await Promise.race([check().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
};

const dependenciesOf = async ({ mongo, temporal, config, metrics }: AppContext): Promise<Record<string, string>> => {
  const { namespace } = config.temporal;
  const checks = {
    mongodb: () => pingMongo(mongo),
    temporal: () => temporal.connection.workflowService.describeNamespace({ namespace }),
  };
  const states = Object.entries(checks).map(async ([name, check]) => {
    const up = await isUp(check);
    metrics.dependency(name, up);
    return [name, up ? 'up' : 'down'] as const;
  });
  return Object.fromEntries(await Promise.all(states));
};

interface Answer {
  status: number;
  type: string;
  body: string;
}

const json = (status: number, body: object): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
});

const answer = async (request: IncomingMessage, context: AppContext): Promise<Answer> => {
  const path = request.url?.split('?')[0];
  if (request.method !== 'GET') return json(405, {});
  if (path === '/healthz') return json(200, { status: 'ok' });
  if (path === '/readyz') {
    const dependencies = await dependenciesOf(context);
    const ready = Object.values(dependencies).every((state) => state === 'up');
    return json(ready ? 200 : 503, { status: ready ? 'ready' : 'unavailable', dependencies });
  }
  if (path === '/metrics') {
    if (!mayReadMetrics(request, context.config.metricsToken)) return json(401, {});
    return { status: 200, type: context.metrics.contentType, body: await context.metrics.render() };
  }
  return json(404, {});
};

/** Health, readiness and metrics of a process that does not serve the API. */
export const startHealthServer = async (context: AppContext): Promise<{ port: number; stop(): Promise<void> }> => {
  const { config, logger } = context;
  const server: Server = createServer((request, response) => {
    answer(request, context).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => {
        logger.error('A health request failed', { error });
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : config.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
