import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { mongo, type Connection } from 'mongoose';
import type { EncryptionCodec } from '../../runtime/payload-codec.ts';
import type { Search } from './haystack.ts';

export const lookIntoMetrics = async (search: Search, url: string): Promise<void> => {
  const answer = await fetch(`${url}/metrics`);
  if (!answer.ok) throw new Error(`${url}/metrics: ${answer.status}`);
  search.look('metrics', await answer.text());
};

/** Every document of every collection. */
export const lookIntoDatabase = async (search: Search, connection: Connection): Promise<number> => {
  let documents = 0;
  for (const { name } of (await connection.db?.listCollections().toArray()) ?? [])
    for await (const document of connection.collection(name).find({})) {
      documents += 1;
      search.look(`database, collection ${name}`, mongo.BSON.EJSON.stringify(document));
    }
  return documents;
};

/**
 * Every workflow: its history and description as they are sent over the wire and as JSON, and once more with every
 * payload decrypted, for not even whoever holds the key should find buyers' data there.
 */
export const lookIntoWorkflows = async (search: Search, client: Client, codec: EncryptionCodec): Promise<number> => {
  const { History } = proto.temporal.api.history.v1;
  const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;
  let workflows = 0;
  for await (const { workflowId, runId, status } of client.workflow.list()) {
    workflows += 1;
    const handle = client.workflow.getHandle(workflowId, runId);
    const history = await handle.fetchHistory();
    const description = await handle.describe();
    const place = `workflow ${workflowId}`;
    search.look(`${place}, history`, History.encode(history).finish());
    search.look(`${place}, history as JSON`, JSON.stringify(history));
    search.look(`${place}, description`, DescribeWorkflowExecutionResponse.encode(description.raw).finish());
    search.look(`${place}, memo and attributes`, JSON.stringify([description.memo, description.typedSearchAttributes]));
    search.look(`${place}, summary`, `${await description.staticSummary()} ${await description.staticDetails()}`);
    for (const payload of [...payloadsIn(history), ...payloadsIn(description.raw)])
      for (const opened of await codec.decode([payload]))
        search.look(`${place}, payload decrypted`, opened.data ?? new Uint8Array());
    if (status.name === 'RUNNING')
      search.look(`${place}, current details`, JSON.stringify(await handle.query('__temporal_workflow_metadata')));
  }
  return workflows;
};

function* payloadsIn(value: unknown): Generator<Payload> {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return;
  const { metadata, data } = value as Payload;
  if (metadata && ArrayBuffer.isView(data)) yield value;
  else for (const inner of Object.values(value)) yield* payloadsIn(inner);
}
