import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from './logger.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
type IndexedValueType = proto.temporal.api.enums.v1.IndexedValueType;

const TYPES = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
} as const;

const GRPC = { alreadyExists: 6, notFound: 5, permissionDenied: 7, unimplemented: 12, unauthenticated: 16 } as const;
const DAY_SEC = 86_400;
const VISIBLE_WITHIN_MS = 30_000;

/** Registers the namespace if it is missing and lengthens its retention where it is shorter; never shortens it. */
export async function ensureNamespace(
  connection: NativeConnection,
  namespace: string,
  logger: Logger,
  retentionDays = 30,
): Promise<void> {
  const retention = retentionDays * DAY_SEC;
  const found = await describe(connection, namespace);
  if (found === undefined) {
    await tolerate([GRPC.alreadyExists], () =>
      connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: seconds(retention) }),
    );
    // `describe` reads past the caches through which everything else goes.
    await onceVisible(() => connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 }));
    logger.info('Registered the Temporal namespace', { namespace, retentionDays });
    return;
  }
  const current = Number(found.config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  if (current === 0 || current >= retention) return;
  const updated = await tolerate([GRPC.permissionDenied, GRPC.unauthenticated, GRPC.unimplemented], () =>
    connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: seconds(retention) },
    }),
  );
  if (!updated)
    logger.warn('The namespace keeps finished workflows for too short a time; lengthen it', {
      namespace,
      retentionDays,
    });
}

/** Adds the missing ones; throws when one exists with another type. Safe to call from several processes at once. */
export async function ensureSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  logger: Logger,
): Promise<void> {
  const missing = await onceVisible(() => missingAttributes(connection, namespace));
  if (missing === undefined) return addUnseen(connection, namespace);
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name]]]));
  await onceVisible(() =>
    tolerate([GRPC.alreadyExists], () =>
      connection.operatorService.addSearchAttributes({ namespace, searchAttributes }),
    ),
  );
  const deadlineMs = Date.now() + VISIBLE_WITHIN_MS;
  // Another process may have added some in between, or the server may still be at it.
  for (;;) {
    const left = (await missingAttributes(connection, namespace)) ?? [];
    if (left.length === 0) break;
    if (Date.now() > deadlineMs)
      throw new Error(
        `Temporal did not add the search attributes ${left.join(', ')} to namespace ${namespace}; add them by hand`,
      );
    await sleep(200);
  }
  logger.info('Added search attributes', { namespace, attributes: missing });
}

/** The time-skipping test server takes search attributes but cannot list them. */
async function addUnseen(connection: NativeConnection, namespace: string): Promise<void> {
  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES))
    await tolerate([GRPC.alreadyExists], () =>
      connection.operatorService.addSearchAttributes({ namespace, searchAttributes: { [name]: TYPES[type] } }),
    );
}

type AttributeName = keyof typeof SEARCH_ATTRIBUTES;

/** Undefined where the server cannot list them. */
async function missingAttributes(
  connection: NativeConnection,
  namespace: string,
): Promise<AttributeName[] | undefined> {
  const listed = await unless(GRPC.unimplemented, () => connection.operatorService.listSearchAttributes({ namespace }));
  if (listed === undefined) return undefined;
  const { customAttributes } = listed;
  const wanted = Object.entries(SEARCH_ATTRIBUTES) as [AttributeName, keyof typeof TYPES][];
  const wrong = wanted.filter(
    ([name, type]) => customAttributes[name] !== undefined && customAttributes[name] !== TYPES[type],
  );
  if (wrong.length > 0)
    throw new Error(
      `Temporal namespace ${namespace} has search attributes of another type: ${wrong
        .map(([name, type]) => `${name} must be ${type}, it is ${typeName(customAttributes[name])}`)
        .join('; ')}. Remove them there or use another namespace`,
    );
  return wanted.filter(([name]) => customAttributes[name] === undefined).map(([name]) => name);
}

const typeName = (type: IndexedValueType | undefined): string =>
  Object.entries(IndexedValueType).find(([, value]) => value === type)?.[0] ?? String(type);

const describe = (connection: NativeConnection, namespace: string) =>
  unless(GRPC.notFound, () => connection.workflowService.describeNamespace({ namespace }));

/** A new namespace reaches the server's caches one by one within some seconds; until then parts of it are "not found". */
async function onceVisible<T>(call: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + VISIBLE_WITHIN_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!hasCode(error, GRPC.notFound) || Date.now() > deadlineMs) throw error;
      await sleep(200);
    }
  }
}

async function unless<T>(code: number, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (hasCode(error, code)) return undefined;
    throw error;
  }
}

async function tolerate(codes: readonly number[], call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (codes.some((code) => hasCode(error, code))) return false;
    throw error;
  }
}

const hasCode = (error: unknown, code: number): boolean => isGrpcServiceError(error) && error.code === code;

const seconds = (value: number) => ({ seconds: proto.google.protobuf.Duration.fromObject({ seconds: value }).seconds });
