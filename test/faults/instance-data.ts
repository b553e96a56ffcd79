import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Connection } from 'mongoose';
import type { Instance } from '../../bench/instance.ts';
import { loadKeyring, type Keyring } from '../../runtime/keyring.ts';
import { createLogger } from '../../runtime/logger.ts';
import { connectMongo } from '../../runtime/mongo.ts';
import { EncryptionCodec } from '../../runtime/payload-codec.ts';
import { connectTemporal } from '../../runtime/temporal.ts';

/** Both servers of an instance and its keys, past the API. */
export interface InstanceData {
  connection: Connection;
  client: Client;
  codec: EncryptionCodec;
  keyring: Keyring;
  close(): Promise<void>;
}

const logger = createLogger({ stream: new PassThrough().resume() });

export const openData = async ({
  folder,
  mongo,
  temporalAddress,
}: Pick<Instance<string>, 'folder' | 'mongo' | 'temporalAddress'>): Promise<InstanceData> => {
  const keyring = await loadKeyring(join(folder, 'data'), {});
  const codec = new EncryptionCodec(keyring);
  const temporal = { address: temporalAddress, namespace: 'default', apiKey: undefined, tls: undefined };
  const [connection, link] = await Promise.all([
    connectMongo(mongo.uri, logger, { poolSize: 4, connectTimeoutMs: 10_000 }),
    connectTemporal({ temporal, connectTimeoutMs: 10_000 }, codec, logger),
  ]);
  const close = async () => void (await Promise.allSettled([connection.close(), link.close()]));
  return { connection, client: link.client, codec, keyring, close };
};
