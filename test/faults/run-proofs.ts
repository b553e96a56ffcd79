import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../../bench/instance.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { auditCollection } from '../../models/audit-log.ts';
import { AuditSeals } from '../../models/audit-seals.ts';
import { Sealer } from '../../runtime/sealing.ts';
import { proveWorkflows, type EngineFigures } from './engine-proofs.ts';
import { Search, type Needle } from './haystack.ts';
import { lookIntoDatabase, lookIntoMetrics, lookIntoWorkflows } from './haystacks.ts';
import { openData, type InstanceData } from './instance-data.ts';
import { proveAudit, proveOrders, type Expected } from './order-proofs.ts';
import type { Units } from './order-paths.ts';
import { Claim, type Proof } from './proof.ts';
import { proveStock } from './stock-proofs.ts';

export interface RunLeftBehind {
  expected: readonly Expected[];
  /** Units that callers brought in. */
  received: Units;
  planted: readonly Needle[];
}

const CLOSED_WITHIN_MS = 90_000;
const SEALED_WITHIN_MS = 30_000;
const COMMANDS = { 'audit:verify': ['audit-verify.ts'], 'stock:rebuild': ['stock-rebuild.ts'] } as const;

/** Everything that can be said of the data that a run has left behind. */
export const proveRun = async (
  instance: Instance<'api' | 'worker' | 'relay'>,
  { expected, received, planted }: RunLeftBehind,
  proveMore: (data: InstanceData) => Promise<Proof[]> = async () => [],
): Promise<{ proofs: Proof[]; engine: EngineFigures }> => {
  const data = await openData(instance);
  try {
    await untilClosed(data, expected);
    await untilSealed(data);
    const workflows = await proveWorkflows(data.client, data.connection, expected);
    const proofs = [
      ...(await proveOrders(data.connection, expected)),
      ...workflows.proofs,
      ...(await proveAudit(data.connection, new Sealer(data.keyring), expected)),
      ...(await proveStock(data.connection, expected, received)),
      ...(await proveMore(data)),
      ...proveByCommands(instance),
      await proveNothingPlanted(instance, data, planted),
    ];
    return { proofs, engine: workflows.figures };
  } finally {
    await data.close();
  }
};

/** A view is written before its workflow ends; when the worker was killed in between, another has to find out first. */
const untilClosed = async ({ client }: InstanceData, expected: readonly Expected[]): Promise<void> => {
  const open = new Set(
    expected
      .filter(({ path }) => !path.end.waits && !path.end.hasNoWorkflow)
      .map(({ orderId }) => orderWorkflowId(orderId)),
  );
  for (const deadline = Date.now() + CLOSED_WITHIN_MS; open.size > 0 && Date.now() < deadline; await sleep(300))
    for (const workflowId of open) {
      const status = await client.workflow
        .getHandle(workflowId)
        .describe()
        .then(({ status: { name } }) => name)
        .catch((error: Error) => error.name);
      if (status !== 'RUNNING') open.delete(workflowId);
    }
};

/** The relay seals a little after the fact. */
const untilSealed = async ({ connection }: InstanceData): Promise<void> => {
  const seals = new AuditSeals(connection);
  for (const deadline = Date.now() + SEALED_WITHIN_MS; Date.now() < deadline; await sleep(300)) {
    let sealed = 0;
    for await (const seal of seals.all()) sealed += seal.entries.length;
    if (sealed >= (await auditCollection(connection).countDocuments())) return;
  }
};

/** The commands that an operator would run say the same. */
const proveByCommands = ({ folder, mongo, temporalAddress }: Instance<'api' | 'worker' | 'relay'>): Proof[] =>
  Object.entries(COMMANDS).flatMap(([name, [script]]) => {
    const root = dirname(dirname(import.meta.dirname));
    if (!existsSync(join(root, 'scripts', script))) return [];
    const claim = new Claim(`npm run ${name} finds nothing wrong`);
    const env = {
      ...process.env,
      MONGODB_URI: mongo.uri,
      TEMPORAL_ADDRESS: temporalAddress,
      ORDERHUB_DATA: join(folder, 'data'),
    };
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join('scripts', script)], {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
      env,
    });
    claim.examined = 1;
    claim.holds(status === 0, `it ended with ${status}: ${(stdout + stderr).slice(-500)}`);
    return [claim];
  });

const proveNothingPlanted = async (
  instance: Instance<'api' | 'worker' | 'relay'>,
  { client, codec, connection }: InstanceData,
  planted: readonly Needle[],
): Promise<Proof> => {
  const claim = new Claim('no name, phone or address lies in clear in logs, histories, database or data files');
  const search = new Search(planted);
  for (const part of ['logs', 'mongo', 'temporal']) search.lookUnder(join(instance.folder, part));
  for (const name of ['api', 'worker', 'relay'] as const) await lookIntoMetrics(search, instance.urlOf(name));
  await lookIntoDatabase(search, connection);
  await lookIntoWorkflows(search, client, codec);
  claim.examined = search.pieces;
  for (const { place, what, form } of search.found) claim.problems.push(`${what} is in ${place}, as ${form}`);
  return claim;
};
