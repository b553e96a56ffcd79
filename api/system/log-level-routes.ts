import { z } from 'zod';
import { LOG_LEVELS } from '../../runtime/config.ts';
import type { ApiDeps } from '../deps.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

const levelSchema = z.object({ level: z.enum(LOG_LEVELS) });

/** Of the process that answers; where several run, each is asked on its own. */
export const createLogLevelRoutes = ({ logger, audit }: Pick<ApiDeps, 'logger' | 'audit'>): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/log-level',
    operationId: 'getLogLevel',
    tag: 'system',
    summary: 'How much this process logs',
    access: { action: 'manage', subject: 'LogLevel' },
    success: { status: 200, schema: levelSchema, description: 'The level' },
    handler: async () => ({ status: 200, body: { level: logger.level } }),
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/log-level',
    operationId: 'putLogLevel',
    tag: 'system',
    summary: 'Change how much this process logs, until it ends',
    access: { action: 'manage', subject: 'LogLevel' },
    body: z.strictObject({ level: z.enum(LOG_LEVELS) }),
    success: { status: 200, schema: levelSchema, description: 'The level as set' },
    handler: async ({ body: { level }, actor, from }) => {
      const before = logger.level;
      const change = { before: { level: before }, after: { level } };
      await audit.append({
        entity: 'system/log-level',
        at: new Date(),
        actor,
        from,
        action: 'log_level.set',
        ...change,
      });
      logger.setLevel(level);
      return { status: 200, body: { level } };
    },
  }),
];
