import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { AuditLog, auditCollection } from '../../models/audit-log.ts';
import { AuditSeals, nextSeal } from '../../models/audit-seals.ts';
import { verifyAudit } from '../../models/audit-verification.ts';
import { AuditSealer } from '../../relay/audit-sealer.ts';
import { createLogger } from '../../runtime/logger.ts';
import { connectMongo, ensureIndexes } from '../../runtime/mongo.ts';
import { Sealer } from '../../runtime/sealing.ts';
import { eventually, testKeyring } from '../api/api-harness.ts';
import { mongoUri } from '../support/servers.ts';

const logger = createLogger({ stream: new Writable({ write: (_chunk, _encoding, done) => done() }) });
const keys = new Sealer(testKeyring());
const base = new URL(await mongoUri());

async function startDatabase() {
  const url = new URL(base);
  url.pathname = `/seals_${randomUUID().slice(0, 8)}`;
  const connection = await connectMongo(url.href, logger);
  const log = new AuditLog(connection);
  const seals = new AuditSeals(connection);
  await ensureIndexes(connection, logger);
  return {
    connection,
    seals,
    entries: auditCollection(connection),
    write: async (entity: string, count = 1) => {
      for (let i = 0; i < count; i += 1)
        await log.append({ entity, at: new Date(), actor: { kind: 'system', id: 'test' }, from: {}, action: 'tested' });
    },
    sealer: () => new AuditSealer({ connection, keys, logger, maxWaitMs: 100 }),
    sealed: async () => {
      const out: string[] = [];
      for await (const { entries } of seals.all()) out.push(...entries.map(({ entity, seq }) => `${entity}#${seq}`));
      return out;
    },
    verify: () => verifyAudit(connection, keys),
  };
}

const databases = await Promise.all(Array.from({ length: 12 }, startDatabase));
after(() =>
  Promise.all(
    databases.map(async ({ connection }) => {
      await connection.dropDatabase();
      await connection.close();
    }),
  ),
);
const database = () => {
  const next = pool.pop();
  assert.ok(next);
  return next;
};
const pool = [...databases];

const numbered = (entity: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${entity}#${from + i}`);

describe('the audit sealer', () => {
  it('seals what is there already and what comes, each once and in the order of commit', async () => {
    const { write, sealer, sealed, verify } = database();
    await write('order/a.1', 3);
    const running = sealer();
    running.start();
    await eventually(async () => assert.equal((await sealed()).length, 3));
    await write('order/a.2', 2);
    await write('order/a.1', 2);
    await eventually(async () => assert.equal((await sealed()).length, 7));
    await running.stop();
    assert.deepEqual((await sealed()).slice(3), [...numbered('order/a.2', 1, 2), ...numbered('order/a.1', 4, 5)]);
    const report = await verify();
    assert.equal(report.broken, undefined);
    assert.deepEqual([report.entries, report.sealed, report.unsealed], [7, 7, 0]);
  });

  it('goes on after a restart with what was written meanwhile', async () => {
    const { write, sealer, sealed } = database();
    const first = sealer();
    first.start();
    await write('order/b.1', 2);
    await eventually(async () => assert.equal((await sealed()).length, 2));
    await first.stop();
    await write('order/b.1', 3);
    const second = sealer();
    second.start();
    await eventually(async () => assert.equal((await sealed()).length, 5));
    await write('order/b.2', 1);
    await eventually(async () => assert.equal((await sealed()).length, 6));
    await second.stop();
    assert.deepEqual(await sealed(), [...numbered('order/b.1', 1, 5), 'order/b.2#1']);
  });

  it('seals nothing twice when its place in the stream is older than its last seal', async () => {
    const { seals, entries, write, sealer, sealed } = database();
    const first = sealer();
    first.start();
    await write('order/e.1', 2);
    await eventually(async () => assert.equal((await sealed()).length, 2));
    await first.stop();
    await write('order/e.1', 3);
    // As a session leaves it that seals what it missed and dies before the stream has brought the same.
    const last = await seals.last();
    const missed = await entries
      .find({ seq: { $gt: 2 } })
      .sort({ seq: 1 })
      .toArray();
    await seals.insert(nextSeal(last, missed, last?.resumeToken, keys));
    const second = sealer();
    second.start();
    await write('order/e.2', 1);
    await eventually(async () => assert.ok((await sealed()).includes('order/e.2#1')));
    await second.stop();
    assert.deepEqual(await sealed(), [...numbered('order/e.1', 1, 5), 'order/e.2#1']);
  });

  it('seals what waits when it is stopped', async () => {
    const { connection, write, sealed } = database();
    const running = new AuditSealer({ connection, keys, logger, maxWaitMs: 60_000 });
    running.start();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await write('order/c.1', 4);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await running.stop();
    assert.equal((await sealed()).length, 4);
  });

  it('compares everything when its place in the stream is lost', async () => {
    const { connection, write, sealer, sealed, verify } = database();
    await write('order/d.1', 2);
    const first = sealer();
    first.start();
    await eventually(async () => assert.equal((await sealed()).length, 2));
    await first.stop();
    await connection.collection('audit_seals').updateMany({}, { $set: { resumeToken: { _data: 'no such place' } } });
    await write('order/d.1', 2);
    await write('order/d.2', 1);
    const second = sealer();
    second.start();
    await eventually(async () => assert.equal((await sealed()).length, 5), 15_000);
    await second.stop();
    assert.equal(new Set(await sealed()).size, 5);
    assert.equal((await verify()).broken, undefined);
  });

  it('makes one chain when several run at once', async () => {
    const { write, sealer, sealed, verify } = database();
    const running = [sealer(), sealer(), sealer()];
    for (const one of running) one.start();
    await Promise.all(['x', 'y', 'z'].map((name) => write(`order/e.${name}`, 20)));
    await eventually(async () => assert.equal(new Set(await sealed()).size, 60), 20_000);
    await Promise.all(running.map((one) => one.stop()));
    const all = await sealed();
    assert.equal(all.length, 60, 'none twice');
    assert.equal((await verify()).broken, undefined);
  });
});

describe('audit verification', () => {
  const prepared = async () => {
    const db = database();
    await db.write('order/f.1', 3);
    await db.write('user/anna', 2);
    const running = db.sealer();
    running.start();
    await eventually(async () => assert.equal((await db.sealed()).length, 5));
    await running.stop();
    return db;
  };

  it('counts what is not sealed yet and finds nothing broken', async () => {
    const db = await prepared();
    await db.write('order/f.1', 2);
    const report = await db.verify();
    assert.equal(report.broken, undefined);
    assert.deepEqual([report.entities, report.entries, report.sealed, report.unsealed], [2, 7, 5, 2]);
  });

  it('finds a changed entry', async () => {
    const db = await prepared();
    await db.entries.updateOne({ entity: 'order/f.1', seq: 2 }, { $set: { 'actor.id': 'somebody else' } });
    assert.match((await db.verify()).broken ?? '', /order\/f\.1#2.*changed/);
  });

  it('finds a removed entry, in the middle and at the end', async () => {
    const db = await prepared();
    await db.entries.deleteOne({ entity: 'user/anna', seq: 2 });
    assert.match((await db.verify()).broken ?? '', /user\/anna#2.*missing/);
    await db.entries.deleteOne({ entity: 'order/f.1', seq: 2 });
    assert.match((await db.verify()).broken ?? '', /order\/f\.1#3.*follows/);
  });

  it('finds a chain that was rewritten as a whole, by the seals', async () => {
    const db = await prepared();
    const chain = await db.entries.find({ entity: 'order/f.1' }).sort({ seq: 1 }).toArray();
    await db.entries.deleteMany({ entity: 'order/f.1' });
    assert.equal(chain.length, 3);
    await db.write('order/f.1', 3);
    assert.match((await db.verify()).broken ?? '', /order\/f\.1#1.*sealed/);
  });

  it('finds seals that were rewritten by somebody without the key', async () => {
    const db = await prepared();
    const forger = new Sealer(testKeyring());
    const [seal] = await db.connection.collection('audit_seals').find().sort({ _id: 1 }).toArray();
    assert.ok(seal);
    const forged = nextSeal(null, [{ entity: 'order/f.1', seq: 1, hash: 'x' }], null, forger);
    await db.connection.collection('audit_seals').deleteMany({});
    await db.connection.collection('audit_seals').insertOne(forged as never);
    assert.match((await db.verify()).broken ?? '', /seal 1.*key/);
  });
});
