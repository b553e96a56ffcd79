import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { ensureIndexes } from '../runtime/mongo.ts';
import { Sealer } from '../runtime/sealing.ts';
import { AuditSealer } from './audit-sealer.ts';

/** Reads what was committed and carries it on: for now, seals the audit. */
export async function startRelay({ mongo, keyring, logger }: AppContext): Promise<RunningRole> {
  const sealer = new AuditSealer({ connection: mongo, keys: new Sealer(keyring), logger });
  await ensureIndexes(mongo, logger);
  sealer.start();
  return { stop: () => sealer.stop() };
}
