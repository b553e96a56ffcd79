import { z } from 'zod';
import { CONFIG_DOCUMENTS } from '../../config/documents.ts';
import type { ConfigDocument, ConfigName } from '../../config/documents.ts';
import { configEntity } from '../../models/config-versions.ts';
import type { ConfigVersion } from '../../models/config-versions.ts';
import { isAllowed } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { assertRevision } from '../revisions.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import { decodeCursor, listQuery, pageSchema, timestampSchema, toPage } from '../schemas.ts';

/** Three routes for each registered document. */
export const createConfigRoutes = (deps: ApiDeps): Route[] =>
  (Object.keys(CONFIG_DOCUMENTS) as ConfigName[]).flatMap((name) => routesOf(name, CONFIG_DOCUMENTS[name], deps));

const view = ({ content, version }: ConfigVersion) => ({ ...content, revision: version });

const versionView = ({ version, at, by, content }: ConfigVersion) => ({ version, at: at.toISOString(), by, content });

function routesOf(name: ConfigName, { schema }: ConfigDocument, deps: ApiDeps): Route[] {
  const path = `/v1/config/${name}` as const;
  const Name = name.replace(/(?:^|[-.])(\w)/g, (_, letter: string) => letter.toUpperCase());
  const viewSchema = schema.extend({ revision: z.int() });
  const bodySchema = schema.extend({
    revision: z.int().min(1).optional().meta({ description: 'As it was read; counts like If-Match' }),
  });
  const versionSchema = z.object({
    version: z.int(),
    at: timestampSchema,
    by: z.object({ kind: z.string(), id: z.string() }),
    content: schema,
  });

  return [
    defineRoute({
      method: 'GET',
      path,
      operationId: `get${Name}Config`,
      tag: 'config',
      summary: `Read the document ${name}`,
      access: { action: 'read', subject: 'Config' },
      success: { status: 200, schema: viewSchema, description: 'The document in force' },
      handler: async () => {
        const current = await deps.configVersions.latest(name);
        return { status: 200, body: view(current), revision: current.version };
      },
    }),
    defineRoute({
      method: 'PUT',
      path,
      operationId: `put${Name}Config`,
      tag: 'config',
      summary: `Replace the whole document ${name} as a new version`,
      description: 'What runs keeps the version that it started with.',
      access: { action: 'write', subject: 'Config' },
      body: bodySchema,
      success: { status: 200, schema: viewSchema, description: 'The document as written' },
      handler: async (ctx) => {
        if (!isAllowed(ctx.ability, 'write', 'Config', { name }))
          throw new Problem('forbidden', { detail: 'No role of yours may write this document' });
        const { revision, ...content } = ctx.body as Record<string, unknown> & { revision?: number };
        const written = await deps.audit.record(configEntity(name), async (session) => {
          const before = await deps.configVersions.latest(name, session);
          assertRevision(ctx.ifMatch, before.version);
          assertRevision(revision, before.version);
          const { actor, from } = ctx;
          const at = new Date();
          const version = { name, version: before.version + 1, content, at, by: { kind: actor.kind, id: actor.id } };
          await deps.configVersions.insert(version, session);
          const change = { detail: { version: version.version }, before: before.content, after: content };
          return { draft: { at, actor, from, action: 'config.written', ...change }, result: version };
        });
        deps.configVersions.forget(name);
        return { status: 200, body: view(written), revision: written.version };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/versions`,
      operationId: `list${Name}ConfigVersions`,
      tag: 'config',
      summary: `Every version of ${name}, newest first`,
      access: { action: 'read', subject: 'Config' },
      query: listQuery({}),
      success: { status: 200, schema: pageSchema(versionSchema), description: 'A page of versions' },
      handler: async ({ query: { limit, cursor } }) => {
        const [below] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.int()]));
        const versions = await deps.configVersions.versions(name, { below, limit: limit + 1 });
        return { status: 200, body: toPage(versions, limit, versionView, ({ version }) => [version]) };
      },
    }),
  ];
}
