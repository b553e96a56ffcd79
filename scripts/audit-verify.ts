import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { verifyAudit } from '../models/audit-verification.ts';
import { ConfigError, loadConfig } from '../runtime/config.ts';
import { loadKeyring } from '../runtime/keyring.ts';
import { createLogger } from '../runtime/logger.ts';
import { connectMongo } from '../runtime/mongo.ts';
import { Sealer } from '../runtime/sealing.ts';
import { databaseAddress } from './database-address.ts';

const USAGE = `Checks the whole audit: each entity's chain of entries, the chain of seals over all of them, one against the other.

  npm run audit:verify

Reads MONGODB_URI, or finds the database of the instance that runs on ORDERHUB_DATA, and the keys from there.
Ends with 0 when all is well, with 1 when something was changed or removed, with 2 when it could not be checked.
`;

async function verify(): Promise<number> {
  const uri = databaseAddress();
  // Of the whole configuration only the keys and the database matter here.
  const config = loadConfig({
    ...process.env,
    MONGODB_URI: uri,
    TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'] ?? 'none:1',
  });
  // Made-up keys would make every seal look forged.
  if (!config.keys && !existsSync(join(config.dataDir, 'keys')))
    throw new Error(`there are no keys under ${config.dataDir}: set ORDERHUB_DATA or ORDERHUB_KEYS_*`);
  const keyring = await loadKeyring(config.dataDir, { ...(config.keys && { keys: config.keys }) });
  const connection = await connectMongo(uri, createLogger(), { poolSize: 2, connectTimeoutMs: 10_000 });
  try {
    const report = await verifyAudit(connection, new Sealer(keyring));
    console.log(
      `${report.entries} entries of ${report.entities} entities, ${report.seals} seals over ${report.sealed} of them`,
    );
    if (report.oldestUnsealedAt)
      console.log(`${report.unsealed} not sealed yet, the oldest of ${report.oldestUnsealedAt.toISOString()}`);
    console.log(report.broken === undefined ? 'The audit is whole.' : `The audit is BROKEN: ${report.broken}`);
    return report.broken === undefined ? 0 : 1;
  } finally {
    await connection.close();
  }
}

if (process.argv.includes('--help') || process.argv.includes('-h')) console.log(USAGE);
else
  try {
    process.exitCode = await verify();
  } catch (error) {
    console.error(
      error instanceof ConfigError ? error.message : `The audit could not be checked: ${(error as Error).message}`,
    );
    process.exitCode = 2;
  }
