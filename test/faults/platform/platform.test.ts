import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { reportOf } from '../fault-report.ts';
import type { FaultReport } from '../fault-run.ts';
import type { Target } from '../outages.ts';
import { platformFaultRun } from './platform-run.ts';
import { TRADE_PATHS } from './trade-paths.ts';

/** The same run as `npm run test:faults -- --platform`, smaller: each path once. */
const SEED = 20_261_123;
const TRADES = TRADE_PATHS.length;
const KILLED: readonly Target[] = ['worker', 'mongo', 'outside'];
const WITHIN_MS = 240_000;

const secondsSince = (startedAt: number): string => `${Math.round((Date.now() - startedAt) / 1000)} s`;

describe('trades of a platform while processes are killed, the platform’s own too, and calls fail in every way', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orderhub-faults-'));
  let report: FaultReport;
  let missing: string | undefined;
  const startedAt = Date.now();

  before(
    async () => {
      report = await platformFaultRun({
        folder,
        env: process.env,
        say: (sentence) => void process.stderr.write(`# ${secondsSince(startedAt)} ${sentence}\n`),
        orders: TRADES,
        seed: SEED,
        plan: { rounds: 1, pauseMs: [1000, 3000], downMs: [200, 1500], longMs: {} },
        targets: KILLED,
        weather: { pauseMs: [800, 2500], hangs: false },
        lost: 0.03,
        ended: 0.005,
        withinMs: WITHIN_MS,
      }).catch((error: Error) => {
        if (!/no way to get it worked/.test(error.message)) throw error;
        missing = error.message;
        return { outages: [], proofs: [] } as unknown as FaultReport;
      });
      if (missing !== undefined) return;
      process.stderr.write(`# seed ${SEED}\n${reportOf(report).text.replaceAll(/^/gm, '# ')}\n`);
    },
    { timeout: WITHIN_MS + 30_000 },
  );
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

  const check = (name: string, body: () => void) =>
    void it(name, (t: TestContext) => (missing === undefined ? body() : t.skip(missing)));

  /** Of the claims that match, none is broken, and at least one has been examined. */
  const holds = (...claims: RegExp[]) => {
    for (const claim of claims) {
      const proofs = report.proofs.filter((proof) => claim.test(proof.claim));
      assert.ok(
        proofs.some(({ examined }) => examined > 0),
        `nothing was examined for ${claim}`,
      );
      assert.deepEqual(
        proofs.flatMap(({ problems }) => problems),
        [],
      );
    }
  };

  check('O9: every trade ends as its path says, on the platform and here', () => {
    assert.deepEqual(report.outages.map(({ target }) => target).sort(), [...KILLED].sort());
    holds(/^every trade could be taken/, /^every order stands/, /^there are the cases/, /^each trade stands/);
  });

  check('O7: the platform’s books have each parcel once, with its goods', () => {
    holds(/^each parcel was told/);
  });

  check('O4, O6, O8: the warehouse’s books have each delivery once, and nothing that was stopped was sent', () => {
    holds(/^each delivery was created once/, /^every report of the warehouse/);
  });

  check(
    'C2: what the platform said is in the inbox, whatever became of the calls; no collecting has failed for good',
    () => {
      holds(/^every raw payload/, /^no workflow that collects/);
    },
  );

  check('K5, K7: each order moves its goods once, counters equal the movements and what was received and sent', () => {
    holds(/^each order moved/, /^the stock counters equal/, /^on hand =/);
  });

  check('no step, audit entry or answer is missing or there twice', () => {
    holds(
      /^a step that was run again/,
      /^each order has one audit entry/,
      /^the hash chains/,
      /^no caller was answered/,
    );
    holds(/^every workflow is closed/, /^no history has/);
  });

  check('nothing personal lies in clear in logs, histories, database and data files after all that', () => {
    holds(/^no name, phone or address/);
  });
});
