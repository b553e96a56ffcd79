import { setTimeout as sleep } from 'node:timers/promises';

export const REPLICA_SET = 'orderhub';

const ALREADY_INITIALIZED = 23;

/** Makes a lone mongod the primary of its own replica set, also after its port has changed. */
export const initiateReplicaSet = async (port: number): Promise<void> => {
  const { mongo } = await import('mongoose');
  const client = new mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 30_000,
  });
  try {
    const admin = (await client.connect()).db('admin');
    const member = { _id: 0, host: `127.0.0.1:${port}` };
    try {
      await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [member] } });
    } catch (error) {
      if ((error as { code?: number }).code !== ALREADY_INITIALIZED) throw error;
      const { config } = await admin.command({ replSetGetConfig: 1 });
      if (config.members[0]?.host !== member.host) {
        const moved = {
          ...config,
          version: config.version + 1,
          members: [{ ...config.members[0], host: member.host }],
        };
        await admin.command({ replSetReconfig: moved, force: true });
      }
    }
    const deadline = Date.now() + 30_000;
    while (!(await admin.command({ hello: 1 })).isWritablePrimary) {
      if (Date.now() > deadline) throw new Error('the replica set has no primary after 30 s');
      await sleep(50);
    }
  } finally {
    await client.close();
  }
};
